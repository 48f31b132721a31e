"""A rate that is told a report every 50 ms, and what such reports say."""

from dataclasses import replace

from streamer.congestion.acked import Passage
from streamer.congestion.aimd import HIGH_US, Phase, RateControl
from streamer.congestion.decision import Usage
from streamer.congestion.signals import Signals
from streamer.congestion.train_rate import Measurement

RATE_BPS = 10_000_000
FLOOR_BPS, CEILING_BPS = 300_000, 40_000_000
REPORT_US = 50_000
REPORT_S = REPORT_US / 1_000_000
QUEUE_US = HIGH_US + 10_000
FRAME_US = 16_667

QUIET = Signals(
    now_us=0,
    standing_us=0,
    newest_us=0,
    habit_us=0,
    flat_us=0,
    jitter_us=0,
    usage=Usage.NORMAL,
    acked_bps=RATE_BPS,
    steady_bps=RATE_BPS,
    busy=None,
    train=None,
    rough_train=None,
    slow_bps=None,
    is_application_limited=False,
    is_loss_suspicious=False,
    is_answered=True,
    lost_packets=0,
    variation_ratio=0.0,
)


def trains(ratio, *, error_ratio=0.0):
    """Trains pass at that ratio of the first rate."""
    return Measurement(round(ratio * RATE_BPS), error_ratio)


def busy(ratio, *, stretch_ratio=2.0):
    """Packets arrived at that ratio of the first rate since a queue has been standing."""
    size_bytes = round(ratio * RATE_BPS) * REPORT_US // 8_000_000
    return Passage(size_bytes, REPORT_US, round(REPORT_US / stretch_ratio), 30)


class Control(RateControl):
    """A rate that is told a report every 50 ms."""

    def __init__(self, rate_bps=RATE_BPS, *, frame_us=FRAME_US):
        super().__init__(rate_bps, floor_bps=FLOOR_BPS, ceiling_bps=CEILING_BPS, frame_us=frame_us, now_us=0)
        self.now_us = 0

    def hear(self, *, after_us=REPORT_US, **changes):
        self.now_us += after_us
        # Unless that is said, what arrives does so without a pause, trains tell as much roughly, and the queue that is
        # being drained has stood for a second.
        usual = {"now_us": self.now_us}
        for name, like in (("steady_bps", "acked_bps"), ("rough_train", "train")):
            if like in changes:
                usual[name] = changes[like]
        if self.phase is Phase.DRAIN:
            usual["habit_us"] = changes.get("standing_us", 0)
        self.update(replace(QUIET, **(usual | changes)))

    def hear_for(self, duration_us, **changes):
        for _ in range(duration_us // REPORT_US):
            self.hear(**changes)
