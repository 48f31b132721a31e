"""The estimate for viewers without transport-wide feedback: what they say themselves, held down by loss.

A receiver's own estimate (REMB, draft-alvestrand-rmcat-remb-03) grows with what arrives, so the rate follows it and is
never far above. Loss is judged as libwebrtc's first loss-based controller does it: below 2 % it is nobody's concern,
above 10 % it is ours. There are no trains, no queue and no probes here, so a viewer falls back to this only if it must.
"""

from collections.abc import Sequence
from dataclasses import replace

from streamer.congestion.application_limit import ApplicationLimit
from streamer.congestion.decision import PACING_RATIO, Decision, RateLimits, Reason
from streamer.congestion.in_flight import Report, Sent

_LOW_RATIO = 0.02
_HIGH_RATIO = 0.10
_GROWTH_RATIO = 1.08
# Loss is heeded once in 300 ms and a round trip, as there: sooner, the cut before has not been seen.
_LOSS_INTERVAL_US = 300_000
# A round trip is what the receiver says: one of hours shall not put off the next cut for as long.
_MAX_RTT_US = 1_000_000
# Growth by 8 % a second.
_GROWTH_INTERVAL_US = 1_000_000


class ReceiverEstimate:
    """An estimator that is told rates. Called from the event loop only."""

    def __init__(self, limits: RateLimits, *, ceiling_bps: int, now_us: int) -> None:
        self._floor_bps = limits.min_bps
        self._ceiling_bps = ceiling_bps
        # What the receiver says the path carries; until it says something, what we begin with.
        self._told_bps: int | None = None
        self._cut_at_us = self._grown_at_us = now_us
        # What has not been sent has not been lost either, so it lets nothing grow.
        self._limit = ApplicationLimit(now_us)
        self._sent_bytes = 0
        start_bps = limits.start_bps
        self.decision = Decision(
            at_us=now_us,
            estimate_bps=start_bps,
            target_bps=start_bps,
            pacing_bps=round(PACING_RATIO * start_bps),
            in_flight_cap_bytes=None,
        )

    def packets_sent(self, packets: Sequence[Sent]) -> None:
        """Count them: nobody will say when they arrived."""
        self._sent_bytes += sum([packet.size_bytes for packet in packets])

    def feedback_received(self, report: Report, in_flight_bytes: int, now_us: int) -> Decision:  # noqa: ARG002 - protocol
        """Do nothing: there is no such feedback."""
        return self.decision

    def report_received(self, loss_ratio: float, rtt_us: int | None, now_us: int) -> Decision:
        rate_bps: float = self.decision.estimate_bps
        reason = self.decision.reason
        self._limit.update(self._sent_bytes, self.decision.estimate_bps, now_us)
        self._sent_bytes = 0
        if loss_ratio > _HIGH_RATIO:
            if now_us - self._cut_at_us >= _LOSS_INTERVAL_US + min(rtt_us or 0, _MAX_RTT_US):
                rate_bps *= 1 - loss_ratio / 2
                reason, self._cut_at_us = Reason.LOSS, now_us
        elif self._limit.is_limited:
            reason = Reason.APPLICATION_LIMITED
        elif loss_ratio < _LOW_RATIO and now_us - self._grown_at_us >= _GROWTH_INTERVAL_US:
            rate_bps *= _GROWTH_RATIO
            reason, self._grown_at_us = Reason.GROWTH, now_us
        return self._decide(rate_bps, reason, now_us, loss_ratio, rtt_us)

    def remb_received(self, estimate_bps: int, now_us: int) -> Decision:
        self._told_bps = estimate_bps
        decision = self.decision
        return self._decide(decision.estimate_bps, Reason.REMB, now_us, decision.loss_ratio, decision.rtt_us)

    def tick(self, now_us: int) -> Decision:  # noqa: ARG002 - protocol
        return self.decision

    def next_tick_us(self) -> int | None:
        return None

    def _decide(self, rate_bps: float, reason: Reason, now_us: int, loss_ratio: float, rtt_us: int | None) -> Decision:
        told_bps = self._told_bps
        if told_bps is not None:
            # The receiver has seen how packets arrive, and we have not: what it says is followed both ways, but for
            # the loss that it does not heed.
            rate_bps = told_bps if reason is Reason.REMB and loss_ratio <= _HIGH_RATIO else min(rate_bps, told_bps)
        estimate_bps = round(min(max(rate_bps, self._floor_bps), self._ceiling_bps))
        self.decision = replace(
            self.decision,
            at_us=now_us,
            estimate_bps=estimate_bps,
            target_bps=estimate_bps,
            pacing_bps=round(PACING_RATIO * estimate_bps),
            rtt_us=rtt_us,
            loss_ratio=loss_ratio,
            is_application_limited=self._limit.is_limited,
            reason=reason,
        )
        return self.decision
