"""What a viewer's stream did in the last second, from traces and totals: for the page, the log and the bench.

Sans-IO: totals and the time are handed in.
"""

from collections import deque
from statistics import median

from streamer.media.frame import EncodedFrame
from streamer.media.trace import FrameTrace
from streamer.media.units import BITS_PER_BYTE_US
from streamer.protocol.control import Statistics
from streamer.transport.base import PeerStatistics

REPORT_INTERVAL_US = 1_000_000
# Two seconds at 240 frames per second: enough for a report that comes late.
_MAX_TRACES = 480


class StreamReport:
    """Collects between two reports."""

    def __init__(self, totals: PeerStatistics, now_us: int) -> None:
        self._traces: deque[FrameTrace] = deque(maxlen=_MAX_TRACES)
        self._before = totals
        self._since_us = now_us

    def offered(self, frame: EncodedFrame) -> None:
        """Note a frame on its way. Its trace is read with the report, after it has left."""
        self._traces.append(frame.trace)

    def close(self, totals: PeerStatistics, target_bps: int, now_us: int) -> Statistics:
        """Return the statistics since the last report and begin the next one."""
        elapsed_us = max(1, now_us - self._since_us)
        sent_bps = (totals.bytes_sent - self._before.bytes_sent) * BITS_PER_BYTE_US // elapsed_us
        decision = totals.decision
        statistics = Statistics(
            target_bps=target_bps,
            estimate_bps=target_bps if decision is None else decision.estimate_bps,
            sent_bps=sent_bps,
            acked_bps=0 if decision is None else decision.acked_bps,
            queue_us=0 if decision is None else decision.queue_us,
            loss_ratio=0.0 if decision is None else decision.loss_ratio,
            limit="" if decision is None else decision.reason.value,
            packets_sent=totals.packets_sent,
            packets_retransmitted=totals.packets_retransmitted,
            keyframes=totals.keyframes,
            frames=totals.frames,
            rtt_us=totals.rtt_us,
            stages_us=self._medians(),
        )
        self._traces.clear()
        self._before, self._since_us = totals, now_us
        return statistics

    def _medians(self) -> dict[str, int]:
        durations: dict[str, list[int]] = {}
        for trace in self._traces:
            for stage, duration_us in trace.durations_us().items():
                durations.setdefault(stage, []).append(duration_us)
        return {stage: round(median(values)) for stage, values in durations.items()}
