"""How much the path carries: the one door of the modules that estimate it.

Knows nothing of packets' contents, sockets or encoders. It is told what left and what the receiver reports, and answers
with decisions. Another estimator can take its place: `Estimator` is all that a flow knows of it.
"""

from collections.abc import Sequence
from typing import Protocol

from streamer.congestion.decision import OVERHEAD_RATIO, Decision, RateLimits
from streamer.congestion.fallback import FallbackEstimator
from streamer.congestion.in_flight import Report, Sent
from streamer.congestion.path_estimator import PathEstimator
from streamer.congestion.receiver_estimate import ReceiverEstimate


class Estimator(Protocol):
    """What a flow asks of its estimator. Called from the event loop only, with times that never go back."""

    @property
    def decision(self) -> Decision:
        """What holds."""

    def packets_sent(self, packets: Sequence[Sent]) -> None:
        """Note packets that left together. Those of a probe's cluster come first."""

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


def make_estimator(limits: RateLimits, *, fps: float, has_feedback: bool, now_us: int) -> Estimator:
    """Make the product's estimator for a viewer that reports each packet, or for one that does not."""
    ceiling_bps = round(limits.max_bps * OVERHEAD_RATIO)
    receiver = ReceiverEstimate(limits, ceiling_bps=ceiling_bps, now_us=now_us)
    if not has_feedback:
        return receiver
    return FallbackEstimator(PathEstimator(limits, fps=fps, ceiling_bps=ceiling_bps, now_us=now_us), receiver)
