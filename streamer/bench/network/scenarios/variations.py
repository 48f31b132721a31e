"""What happens in the product's own scenarios, at other rates, delays, queues and frame rates.

They keep a controller from being right at one place only. The goals are wider than there: what a user would still call
good.
"""

from streamer.bench.network.capacity import Steps, constant
from streamer.bench.network.content import Content, Phase
from streamer.bench.network.goals import at_least, at_most
from streamer.bench.network.link import LinkSettings, Policer
from streamer.bench.network.receiver import ReceiverClock
from streamer.bench.network.scenario import CrossTraffic, Scenario, Stream
from streamer.bench.network.scenarios.units import MBPS, MS, S, steps

# A new picture every eighth of a second, nothing in between: each keystroke is the last packet for a while.
_TYPING = Content((Phase(0, size_ratio=0.15, every_frames=8),))
_SCROLLING_AT_TIMES = Content(
    (Phase(0, size_ratio=0.05, every_frames=30), Phase(5 * S), Phase(7 * S, size_ratio=0.05, every_frames=30)),
    period_us=10 * S,
)
_STEADY = (
    at_most("reached_s", 2.0),
    at_least("utilisation_percent", 88),
    at_most("queue_p95_ms", 20),
    at_most("late_percent", 1),
)
_CHANGING = (at_most("drain_s", 1.2), at_most("recovery_s", 3.0), at_most("late_percent", 5))


def _path(rate_bps: int, delay_ms: int, queue_ms: int = 200) -> tuple[LinkSettings, LinkSettings]:
    link = LinkSettings(constant(rate_bps), delay_us=delay_ms * MS, queue_us=queue_ms * MS)
    return link, LinkSettings(delay_us=delay_ms * MS)


def _stalls() -> Steps:
    """Return 15 Mbit/s that stop for 0.3 s each 5 s."""
    return steps(
        *(step for start_s in range(0, 40, 5) for step in ((start_s, 15), (start_s + 4.7, 0))),
    )


SCENARIOS = (
    Scenario("V1", "2 Mbit/s", 40 * S, *_path(2 * MBPS, 20), goals=_STEADY),
    Scenario("V2", "45 Mbit/s, 5 ms each way", 40 * S, *_path(45 * MBPS, 5), goals=_STEADY),
    Scenario("V3", "10 Mbit/s, 75 ms each way", 40 * S, *_path(10 * MBPS, 75), goals=_STEADY),
    Scenario("V4", "20 Mbit/s, a queue of 50 ms", 40 * S, *_path(20 * MBPS, 20, queue_ms=50), goals=_STEADY),
    Scenario("V5", "20 Mbit/s, a queue of 1 s", 40 * S, *_path(20 * MBPS, 20, queue_ms=1_000), goals=_STEADY),
    Scenario(
        "V19",
        "0.8 Mbit/s, less than the start",
        30 * S,
        *_path(800_000, 20),
        goals=(at_most("first_picture_s", 1.0), at_least("utilisation_percent", 75), at_most("freezes_per_min", 4)),
    ),
    Scenario(
        "V6",
        "20 Mbit/s, 30 frames per second",
        40 * S,
        *_path(20 * MBPS, 20),
        streams=(Stream(fps=30.0),),
        # At full rate a frame is on its way for its whole interval: 33 ms are nearly over when it is complete.
        goals=(at_least("utilisation_percent", 88), at_most("queue_p95_ms", 30), at_most("delay_p99_ms", 45)),
    ),
    Scenario(
        "V7",
        "20 Mbit/s, timers up to 1 ms late, packets noticed up to 1 ms late",
        40 * S,
        *_path(20 * MBPS, 20),
        streams=(Stream(timer_late_us=1 * MS, clock=ReceiverClock(late_us=1 * MS)),),
        goals=_STEADY,
    ),
    Scenario(
        "V8",
        "12, 4, 12, 2, 8 Mbit/s for 12 s each, 40 ms each way",
        60 * S,
        LinkSettings(steps((0, 12), (12, 4), (24, 12), (36, 2), (48, 8)), delay_us=40 * MS),
        LinkSettings(delay_us=40 * MS),
        goals=(at_most("drain_s", 2.0), at_most("recovery_s", 3.0), at_most("late_percent", 8)),
    ),
    Scenario(
        "V9",
        "40, 8, 40 Mbit/s for 15 s each, 10 ms each way, a queue of 1 s",
        45 * S,
        LinkSettings(steps((0, 40), (15, 8), (30, 40)), delay_us=10 * MS, queue_us=1 * S),
        LinkSettings(delay_us=10 * MS),
        goals=_CHANGING,
    ),
    Scenario(
        "V10",
        "down from 20 to 5 Mbit/s within 10 s and up again",
        50 * S,
        LinkSettings(
            steps(
                (0, 20), *((10 + at / 2, 20 - 0.75 * at) for at in range(21)), *((30 + at, 5 + at) for at in range(16))
            )
        ),
        goals=(at_least("utilisation_percent", 80), at_most("queue_p95_ms", 30), at_most("late_percent", 3)),
    ),
    Scenario(
        "V11",
        "15 Mbit/s, stalls of 0.3 s each 5 s, nothing lost",
        40 * S,
        LinkSettings(_stalls(), queue_us=None, queue_bytes=800_000),
        goals=(at_least("utilisation_percent", 60), at_most("late_percent", 20)),
    ),
    Scenario(
        "V12",
        "a policer of 10 Mbit/s, no queue at all",
        40 * S,
        LinkSettings(constant(100 * MBPS), policer=Policer(10 * MBPS, burst_bytes=60_000)),
        goals=(at_least("mbps", 6), at_most("freezes_per_min", 6)),
    ),
    Scenario(
        "V13",
        "20 Mbit/s, 8 ms of jitter that reorders",
        40 * S,
        LinkSettings(constant(20 * MBPS), jitter_us=8 * MS, reorders=True),
        # Browsers ask at once for whatever is overtaken: much is sent twice, and that is not there for frames.
        goals=(at_least("utilisation_percent", 60), at_most("late_percent", 3)),
    ),
    Scenario(
        "V14",
        "20 Mbit/s, 5 % random loss",
        40 * S,
        LinkSettings(constant(20 * MBPS), loss_ratio=0.05),
        goals=(at_least("utilisation_percent", 60), at_most("keyframes_per_5_s", 2)),
    ),
    Scenario(
        "V15",
        "2 % random loss, somebody types on a still screen",
        60 * S,
        LinkSettings(constant(8 * MBPS), loss_ratio=0.02),
        streams=(Stream(content=_TYPING),),
        goals=(at_most("full_delay_p99_ms", 150),),
    ),
    Scenario(
        "V16",
        "20 Mbit/s that fall to 4 while a desktop is still, which then scrolls",
        60 * S,
        LinkSettings(steps((0, 20), (21, 4), (41, 20))),
        streams=(Stream(content=_SCROLLING_AT_TIMES),),
        goals=(at_most("late_percent", 8), at_most("freezes_per_min", 3)),
    ),
    Scenario(
        "V17",
        "4 Mbit/s, two Cubic-like flows from 10 s on",
        60 * S,
        LinkSettings(constant(4 * MBPS)),
        cross=(CrossTraffic("cubic 1", starts_at_us=10 * S), CrossTraffic("cubic 2", starts_at_us=10 * S)),
        goals=(at_least("share_percent", 15), at_most("starved_s", 2.0)),
    ),
    Scenario(
        "V18",
        "20 Mbit/s, four streams",
        60 * S,
        LinkSettings(constant(20 * MBPS)),
        streams=tuple(Stream(f"stream {number}", starts_at_us=number * 5 * S) for number in range(4)),
        goals=(at_least("jain", 0.85), at_least("utilisation_percent", 80), at_most("queue_p95_ms", 30)),
    ),
)
