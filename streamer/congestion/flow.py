"""One sender's side of one transport: what leaves when, how much the path carries, and what to ask of the encoder.

The one object that the transport and the simulator drive. Owns the pacer, the packets under way and the estimator. It
does no I/O and reads no clock: whoever drives it hands in the time and calls again at `next_wake_us`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic

from streamer.congestion.decision import Decision, RateLimits
from streamer.congestion.estimator import Estimator, PathEstimator
from streamer.congestion.in_flight import InFlight, Sent
from streamer.congestion.pacer import PacketT, Pacer, Priority

EstimatorFactory = Callable[..., Estimator]


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a viewer's path allows its next frame: the allocator's part of the wish.

    `scale_ratio` is how much of the full width and height to encode.
    """

    target_bps: int
    fps: float
    max_frame_bytes: int | None
    scale_ratio: float = 1.0


class Flow(Generic[PacketT]):
    """Everything that decides about one transport's packets. Called from the event loop only."""

    def __init__(
        self,
        limits: RateLimits,
        *,
        fps: float,
        has_feedback: bool,
        now_us: int,
        estimator: EstimatorFactory = PathEstimator,
    ) -> None:
        self._fps = fps
        self._limits = limits
        self._has_feedback = has_feedback
        self._estimator = estimator(limits, fps=fps, has_feedback=has_feedback, now_us=now_us)
        self.decision: Decision = self._estimator.decision
        self._pacer: Pacer[PacketT] = Pacer(self.decision.estimate_bps)
        self._in_flight = InFlight()

    def enqueue(self, packets: Sequence[PacketT], priority: Priority, now_us: int) -> None:
        """Take packets of one priority, in order."""
        self._pacer.enqueue(packets, priority, now_us)

    def release(self, now_us: int) -> list[PacketT]:
        """Return the packets whose turn has come, in the order in which they shall leave."""
        return self._pacer.release(now_us)

    def padding_due_bytes(self, now_us: int) -> int:
        """Return how much an active probe wants to be sent beyond what was released."""
        return 0

    def next_wake_us(self) -> int | None:
        """Return when to call `tick` and `release` again, or None while nothing waits."""
        wakes = [at_us for at_us in (self._pacer.next_wake_us(), self._estimator.next_tick_us()) if at_us is not None]
        return min(wakes, default=None)

    def sent(self, index: int, size_bytes: int, now_us: int, priority: Priority) -> None:
        """Note a packet that left: its transport-wide index, and its size on the wire."""
        if self._has_feedback:
            packet = Sent(index, size_bytes, now_us, priority, None)
            self._in_flight.add(packet)
            self._estimator.packet_sent(packet)

    def feedback(self, arrivals: Sequence[tuple[int, int | None]], now_us: int) -> None:
        """Take in a transport-wide feedback, unwrapped."""
        report = self._in_flight.report(arrivals)
        self._adopt(self._estimator.feedback_received(report, self._in_flight.size_bytes, now_us))

    def report(self, *, loss_ratio: float, rtt_us: int | None, now_us: int) -> None:
        """Take in an RTCP receiver report."""
        self._adopt(self._estimator.report_received(loss_ratio, rtt_us, now_us))

    def remb(self, estimate_bps: int, now_us: int) -> None:
        """Take in the receiver's own estimate, from viewers without transport-wide feedback."""
        self._adopt(self._estimator.remb_received(estimate_bps, now_us))

    def tick(self, now_us: int) -> None:
        """Let time pass; to be called at `next_wake_us`."""
        self._adopt(self._estimator.tick(now_us))

    def backlog_us(self, now_us: int) -> int:
        """Return how long it takes until everything that waits has left, besides audio."""
        return self._pacer.backlog_us(now_us)

    def wish_rate(self, now_us: int) -> Allowance:
        """Return what the next frame may be like."""
        return Allowance(self.decision.target_bps, self._fps, None)

    def _adopt(self, decision: Decision) -> None:
        self.decision = decision
        self._pacer.set_target(decision.estimate_bps)
