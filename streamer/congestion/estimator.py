"""How much the path carries: the one door of the modules that estimate it.

Knows nothing of packets' contents, sockets or encoders. It is told what left and what the receiver reports, and answers
with decisions. Another estimator can take its place: `Estimator` is all that a flow knows of it.
"""

from typing import Protocol

from streamer.congestion.decision import Decision, RateLimits, Reason
from streamer.congestion.in_flight import Report, Sent


class Estimator(Protocol):
    """What a flow asks of its estimator. Called from the event loop only, with times that never go back."""

    @property
    def decision(self) -> Decision:
        """What holds."""

    def packet_sent(self, packet: Sent) -> None:
        """Note a packet that left."""

    def feedback_received(self, report: Report, in_flight_bytes: int, now_us: int) -> Decision:
        """Take in what the receiver says of packets."""

    def report_received(self, loss_ratio: float, rtt_us: int | None, now_us: int) -> Decision:
        """Take in an RTCP receiver report."""

    def remb_received(self, estimate_bps: int, now_us: int) -> Decision:
        """Take in a receiver's own estimate."""

    def tick(self, now_us: int) -> Decision:
        """Let time pass. Worth calling at `next_tick_us`."""

    def next_tick_us(self) -> int | None:
        """Return when `tick` has something to do, or None."""


class PathEstimator:
    """The product's estimator."""

    def __init__(self, limits: RateLimits, *, fps: float, has_feedback: bool, now_us: int) -> None:
        self._limits = limits
        self._interval_us = round(1_000_000 / fps)
        self._estimate_bps = limits.start_bps
        self._base_us: int | None = None
        self._hold_until_us = 0
        self._grown_at_us = now_us
        self._recent: list[tuple[int, int]] = []
        self.decision = self._decide(now_us, 0, 0, None, Reason.START)

    def packet_sent(self, packet: Sent) -> None:
        pass

    def feedback_received(self, report: Report, in_flight_bytes: int, now_us: int) -> Decision:
        if not report.arrived:
            return self.decision
        delays = [packet.arrived_at_us - packet.sent_at_us for packet in report.arrived]
        newest = report.arrived[-1]
        low = min(delays)
        self._base_us = low if self._base_us is None else min(self._base_us, low)
        queue_us = min(delays[len(delays) // 2 :]) - self._base_us
        self._recent += [(packet.arrived_at_us, packet.size_bytes) for packet in report.arrived]
        end_us = self._recent[-1][0]
        self._recent = [entry for entry in self._recent if entry[0] > end_us - 200_000]
        acked_bps = sum(size for _, size in self._recent) * 8_000_000 // 200_000
        rtt_us = now_us - newest.sent_at_us
        reason = Reason.HOLD
        if now_us >= self._hold_until_us:
            if queue_us > 12_000:
                ratio = 0.92 - min(0.35, queue_us / 250_000)
                self._estimate_bps = min(self._estimate_bps, round(acked_bps * ratio))
                self._hold_until_us = now_us + rtt_us + 60_000
                reason = Reason.QUEUE
            elif queue_us < 9_000 and acked_bps > 0.6 * self._estimate_bps:
                self._estimate_bps = round(self._estimate_bps * (1 + (now_us - self._grown_at_us) / 1_000_000))
                reason = Reason.GROWTH
        self._grown_at_us = now_us
        self._estimate_bps = max(self._limits.min_bps, min(self._estimate_bps, self._limits.max_bps))
        self.decision = self._decide(now_us, queue_us, acked_bps, rtt_us, reason)
        return self.decision

    def report_received(self, loss_ratio: float, rtt_us: int | None, now_us: int) -> Decision:
        return self.decision

    def remb_received(self, estimate_bps: int, now_us: int) -> Decision:
        return self.decision

    def tick(self, now_us: int) -> Decision:
        return self.decision

    def next_tick_us(self) -> int | None:
        return None

    def _decide(self, now_us: int, queue_us: int, acked_bps: int, rtt_us: int | None, reason: Reason) -> Decision:
        return Decision(
            at_us=now_us,
            estimate_bps=self._estimate_bps,
            target_bps=round(self._estimate_bps * 0.94),
            pacing_bps=2 * self._estimate_bps,
            in_flight_cap_bytes=None,
            queue_us=queue_us,
            rtt_us=rtt_us,
            acked_bps=acked_bps,
            reason=reason,
        )
