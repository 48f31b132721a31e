"""A flow with an estimator that decides what it is told to, and the transport that sends what the flow releases."""

from dataclasses import replace

from streamer.congestion.decision import Decision, RateLimits, Reason
from streamer.congestion.flow import Flow
from streamer.congestion.ladder import Prefer
from streamer.congestion.pacer import Priority

LIMITS = RateLimits(300_000, 3_000_000, 20_000_000)
FPS = 50
SIZE_BYTES = 1250
# A packet of 1250 bytes leaves in a millisecond.
PACING_BPS = 10_000_000
DECISION = Decision(
    at_us=0,
    estimate_bps=PACING_BPS // 2,
    target_bps=PACING_BPS // 2,
    pacing_bps=PACING_BPS,
    in_flight_cap_bytes=None,
    reason=Reason.GROWTH,
)


class ObedientEstimator:
    """An estimator that decides what it is told to, and remembers what it was asked."""

    def __init__(self, decision=DECISION):
        self.decision = decision
        self.tick_at_us = None
        self.sent = []
        self.reports = []

    def __call__(self, limits, *, fps, has_feedback, now_us):
        self.made_with = limits, fps, has_feedback, now_us
        return self

    def packets_sent(self, packets):
        self.sent += packets

    def feedback_received(self, report, in_flight_bytes, now_us):
        self.reports.append((report, in_flight_bytes, now_us))
        return self.decision

    def report_received(self, loss_ratio, rtt_us, now_us):
        self.decision = replace(self.decision, at_us=now_us, loss_ratio=loss_ratio, rtt_us=rtt_us)
        return self.decision

    def remb_received(self, estimate_bps, now_us):
        self.decision = replace(self.decision, at_us=now_us, estimate_bps=estimate_bps)
        return self.decision

    def tick(self, now_us):
        self.decision = replace(self.decision, at_us=now_us)
        return self.decision

    def next_tick_us(self):
        return self.tick_at_us


class FakePacket:
    size_bytes = SIZE_BYTES

    def __init__(self, name):
        self.name = name


class FlowSender:
    """A flow, and the transport that sends what it releases."""

    def __init__(self, decision=DECISION, *, has_feedback=True, prefer=Prefer.FPS):
        self.estimator = ObedientEstimator(decision)
        self.flow = Flow(LIMITS, fps=FPS, has_feedback=has_feedback, now_us=0, prefer=prefer, estimator=self.estimator)
        self.index = 0

    def decide(self, now_us=0, **changes):
        """Let the estimator decide anew, and the flow hear of it."""
        self.estimator.decision = replace(self.estimator.decision, **changes)
        self.flow.tick(now_us)

    def enqueue(self, count, now_us=0, priority=Priority.VIDEO):
        packets = [FakePacket(number) for number in range(count)]
        self.flow.enqueue(packets, priority, now_us)
        return packets

    def send(self, now_us, priority=Priority.VIDEO):
        """Send what may leave; return it."""
        packets = self.flow.release(now_us)
        if packets:
            self.flow.sent(self.index, [packet.size_bytes for packet in packets], now_us, priority, packets)
            self.index += len(packets)
        return packets

    def pad(self, size_bytes, now_us):
        self.flow.sent(self.index, (size_bytes,), now_us, Priority.PADDING)
        self.index += 1


def arrived(*indices):
    return [(index, 9_000_000 + index) for index in indices]
