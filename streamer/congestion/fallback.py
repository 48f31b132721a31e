"""The estimate for a viewer that agreed to report each packet: ours, or its own if those reports never come.

An answer promises feedback, and something between may still take it away: a relay that strips the header extension, a
browser that agrees to more than it does. Such a viewer would be sent the least for ever, as one that is silent is.
"""

from collections.abc import Sequence
from dataclasses import replace

from streamer.congestion.decision import Decision, Reason
from streamer.congestion.in_flight import Report, Sent
from streamer.congestion.path_estimator import PathEstimator
from streamer.congestion.receiver_estimate import ReceiverEstimate

# Feedback comes after 50 to 250 ms and a round trip, a receiver report after a second or two: whoever has sent the
# latter for so long after the first packet, and none of the former, was not asked for it or never understood.
PATIENCE_US = 3_000_000


class FallbackEstimator:
    """See `estimator.Estimator`. What the viewer says itself counts until the first feedback, if that is late."""

    def __init__(self, path: PathEstimator, receiver: ReceiverEstimate) -> None:
        self._path = path
        # None from the first feedback on.
        self._receiver: ReceiverEstimate | None = receiver
        self._sent_at_us: int | None = None
        self._has_fallen_back = False
        self.decision = path.decision

    def packets_sent(self, packets: Sequence[Sent]) -> None:
        if self._sent_at_us is None:
            self._sent_at_us = packets[0].sent_at_us
        self._path.packets_sent(packets)
        if self._receiver is not None:
            self._receiver.packets_sent(packets)

    def feedback_received(self, report: Report, in_flight_bytes: int, now_us: int) -> Decision:
        if report.arrived:
            self._receiver, self._has_fallen_back = None, False
        return self._adopt(self._path.feedback_received(report, in_flight_bytes, now_us))

    def report_received(self, loss_ratio: float, rtt_us: int | None, now_us: int) -> Decision:
        if self._receiver is None:
            return self._adopt(self._path.report_received(loss_ratio, rtt_us, now_us))
        self._receiver.report_received(loss_ratio, rtt_us, now_us)
        return self._fall_back(now_us)

    def remb_received(self, estimate_bps: int, now_us: int) -> Decision:
        if self._receiver is None:
            return self._adopt(self._path.remb_received(estimate_bps, now_us))
        self._receiver.remb_received(estimate_bps, now_us)
        return self._fall_back(now_us)

    def tick(self, now_us: int) -> Decision:
        return self._adopt(self._path.tick(now_us))

    def next_tick_us(self) -> int | None:
        return None if self._has_fallen_back else self._path.next_tick_us()

    def _fall_back(self, now_us: int) -> Decision:
        """Heed the viewer's own word if it has been sent something for long enough."""
        if self._sent_at_us is not None and now_us - self._sent_at_us >= PATIENCE_US:
            self._has_fallen_back = True
        return self._adopt(self.decision)

    def _adopt(self, decision: Decision) -> Decision:
        if self._has_fallen_back and self._receiver is not None:
            decision = replace(self._receiver.decision, reason=Reason.NO_FEEDBACK)
        self.decision = decision
        return decision
