"""An estimator that estimates nothing: the rate is the one that it starts with, whatever the receiver says.

It keeps the contract of estimator.py, so that a stream without rate control differs from others in nothing else: for
networks of one's own, and to measure what control costs. How wide the path is says when a frame may leave, not how
large it is: so that is heeded.
"""

from collections.abc import Sequence
from dataclasses import replace

from streamer.congestion.burst_rate import BurstRate
from streamer.congestion.decision import OVERHEAD_RATIO, PACING_RATIO, Decision, RateLimits, Reason
from streamer.congestion.in_flight import Report, Sent
from streamer.congestion.trains import Trains


class FixedRate:
    """See `estimator.Estimator`."""

    def __init__(self, limits: RateLimits, *, fps: float, has_feedback: bool, now_us: int) -> None:  # noqa: ARG002 - the signature of an estimator's factory
        self._trains = Trains(round(1_000_000 / fps))
        self._burst_rate = BurstRate()
        rate_bps = round(OVERHEAD_RATIO * limits.start_bps)
        self.decision = Decision(
            at_us=now_us,
            estimate_bps=rate_bps,
            target_bps=rate_bps,
            pacing_bps=round(PACING_RATIO * rate_bps),
            in_flight_cap_bytes=None,
            reason=Reason.FIXED,
        )

    def packets_sent(self, packets: Sequence[Sent]) -> None: ...

    def feedback_received(self, report: Report, in_flight_bytes: int, now_us: int) -> Decision:  # noqa: ARG002
        for train in self._trains.add(report.arrived):
            self._burst_rate.add(train)
        capacity_bps = self._burst_rate.rate_bps
        pacing_bps = max(round(PACING_RATIO * self.decision.estimate_bps), capacity_bps or 0)
        self.decision = replace(self.decision, at_us=now_us, pacing_bps=pacing_bps, capacity_bps=capacity_bps)
        return self.decision

    def report_received(self, loss_ratio: float, rtt_us: int | None, now_us: int) -> Decision:  # noqa: ARG002
        return self.tick(now_us)

    def remb_received(self, estimate_bps: int, now_us: int) -> Decision:  # noqa: ARG002
        return self.tick(now_us)

    def tick(self, now_us: int) -> Decision:
        # The ladder reads the time from the decision.
        self.decision = replace(self.decision, at_us=now_us)
        return self.decision

    def next_tick_us(self) -> int | None:
        return None
