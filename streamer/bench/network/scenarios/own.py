"""The product's own bar: what its users' networks do, each alone, with what must be reached."""

from streamer.bench.network.capacity import constant
from streamer.bench.network.content import Content, Phase
from streamer.bench.network.goals import at_least, at_most
from streamer.bench.network.link import BurstLoss, LinkSettings
from streamer.bench.network.receiver import ReceiverClock
from streamer.bench.network.scenario import CrossTraffic, Scenario, Stream
from streamer.bench.network.scenarios.units import MBPS, MS, S, steps

_LINK_20 = LinkSettings(constant(20 * MBPS))
# Mostly still, then scrolled through, then typed into.
_DESKTOP = Content(
    (Phase(0, size_ratio=0.02), Phase(8 * S), Phase(12 * S, size_ratio=0.15)),
    period_us=20 * S,
)
_CALM = (at_most("below_half_s", 1.0), at_most("reversals", 2))

SCENARIOS = (
    Scenario(
        "S1",
        "20 Mbit/s",
        60 * S,
        _LINK_20,
        goals=(
            at_most("reached_s", 1.0),
            at_least("utilisation_percent", 92),
            at_most("queue_p95_ms", 10),
            at_most("late_percent", 0.5),
        ),
    ),
    Scenario(
        "S2",
        "20, 5, 20 Mbit/s for 20 s each",
        60 * S,
        LinkSettings(steps((0, 20), (20, 5), (40, 20))),
        goals=(
            at_most("drain_s", 0.8),
            at_most("recovery_s", 2.5),
            at_most("late_percent", 3),
            at_most("freezes_per_min", 1.2),
        ),
    ),
    Scenario(
        "S2b",
        "30, then 10 Mbit/s",
        40 * S,
        LinkSettings(steps((0, 30), (20, 10))),
        goals=(at_most("drain_s", 0.7), at_most("delay_p99_ms", 130)),
    ),
    Scenario(
        "S3",
        "RFC 8867 5.1 x 10: 10, 25, 6, 10 Mbit/s, 50 ms each way, queue of 300 ms",
        100 * S,
        LinkSettings(steps((0, 10), (40, 25), (60, 6), (80, 10)), delay_us=50 * MS, queue_us=300 * MS),
        LinkSettings(delay_us=50 * MS),
        goals=(
            at_least("utilisation_percent", 88),
            at_most("queue_p95_ms", 15),
            at_most("drain_s", 1.0),
            at_most("recovery_s", 2.5),
        ),
    ),
    Scenario(
        "S4",
        "20 Mbit/s, 2 % random loss",
        60 * S,
        LinkSettings(constant(20 * MBPS), loss_ratio=0.02),
        goals=(at_least("utilisation_percent", 90), at_most("delay_p95_ms", 75)),
    ),
    Scenario(
        "S5",
        "20 Mbit/s, 8 ms of jitter",
        60 * S,
        LinkSettings(constant(20 * MBPS), jitter_us=8 * MS),
        goals=(at_least("utilisation_percent", 92), at_most("late_percent", 1)),
    ),
    Scenario(
        "S6",
        "20 Mbit/s, a desktop: idle, scrolling, typing",
        60 * S,
        _LINK_20,
        streams=(Stream(content=_DESKTOP),),
        goals=(at_most("delay_p95_ms", 18), at_most("delay_p99_ms", 23)),
    ),
    Scenario(
        "S7",
        "10 Mbit/s, two streams, the second one joins at 20 s",
        60 * S,
        LinkSettings(constant(10 * MBPS)),
        streams=(Stream("first"), Stream("second", starts_at_us=20 * S)),
        goals=(at_least("jain", 0.9), at_most("jain_s", 20), at_most("queue_p95_ms", 20)),
    ),
    Scenario(
        "S8",
        "20 Mbit/s, a Cubic-like flow joins at 10 s",
        70 * S,
        _LINK_20,
        cross=(CrossTraffic(starts_at_us=10 * S),),
        goals=(at_least("share_percent", 25), at_most("starved_s", 1.0)),
    ),
    Scenario(
        "S9a",
        "20 Mbit/s, nothing gets through either way for 1 s",
        40 * S,
        LinkSettings(constant(20 * MBPS), outages=((20 * S, 21 * S),)),
        LinkSettings(outages=((20 * S, 21 * S),)),
        event=(20 * S, 21 * S),
        goals=_CALM,
    ),
    Scenario(
        "S9b",
        "20 Mbit/s, a fifth of the way back is lost",
        40 * S,
        _LINK_20,
        LinkSettings(loss_ratio=0.2),
        event=(20 * S, 20 * S),
        goals=_CALM,
    ),
    Scenario(
        "S9c",
        "20 Mbit/s, the way back takes 200 ms longer for half a second",
        40 * S,
        _LINK_20,
        LinkSettings(delay_steps=((20 * S, 220 * MS), (20 * S + 500 * MS, 20 * MS))),
        event=(20 * S, 20 * S + 500 * MS),
        goals=_CALM,
    ),
    Scenario(
        "S9d",
        "20 Mbit/s, the receiver's clock runs 100 ppm fast",
        60 * S,
        _LINK_20,
        streams=(Stream(clock=ReceiverClock(skew_ppm=100)),),
        event=(45 * S, 45 * S),
        goals=_CALM,
    ),
    Scenario(
        "S9e",
        "20 Mbit/s, the route becomes 60 ms longer",
        40 * S,
        LinkSettings(constant(20 * MBPS), delay_steps=((20 * S, 80 * MS),)),
        event=(20 * S, 20 * S),
        goals=_CALM,
    ),
    Scenario(
        "S10",
        "20 Mbit/s, 1 % lost in bursts of 4",
        60 * S,
        LinkSettings(constant(20 * MBPS), burst_loss=BurstLoss(0.01, 4)),
        goals=(at_least("utilisation_percent", 85), at_most("keyframes_per_5_s", 1)),
    ),
)
