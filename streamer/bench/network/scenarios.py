"""The scenarios of the simulator, with what each must reach.

S: the product's own bar. R: RFC 8867, section 5, at ten times its rates. C: links made to look like cellular networks
and Wi-Fi, from a seed. Unless a scenario says otherwise: 60 fps, 20 ms each way, a queue of 200 ms, start at 3 Mbit/s.
"""

from streamer.bench.network.capacity import Steps, constant
from streamer.bench.network.content import Content, Phase
from streamer.bench.network.cross_traffic import Transfers
from streamer.bench.network.goals import at_least, at_most
from streamer.bench.network.link import BurstLoss, LinkSettings
from streamer.bench.network.receiver import ReceiverClock
from streamer.bench.network.scenario import CrossTraffic, Scenario, Stream

_S = 1_000_000
_MS = 1_000
_MBPS = 1_000_000


def _steps(*steps: tuple[float, float]) -> Steps:
    """Return a capacity of (s, Mbit/s)."""
    return Steps(tuple((round(at_s * _S), round(mbps * _MBPS)) for at_s, mbps in steps))


_LINK_20 = LinkSettings(constant(20 * _MBPS))
# Mostly still, then scrolled through, then typed into.
_DESKTOP = Content(
    (Phase(0, size_ratio=0.02), Phase(8 * _S), Phase(12 * _S, size_ratio=0.15)),
    period_us=20 * _S,
)
# A new picture every eighth of a second, nothing in between: each keystroke is the last packet for a while.
_TYPING = Content((Phase(0, size_ratio=0.15, every_frames=8),))
_CALM = (at_most("below_half_s", 1.0), at_most("reversals", 2))

_OWN = (
    Scenario(
        "S1",
        "20 Mbit/s",
        60 * _S,
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
        60 * _S,
        LinkSettings(_steps((0, 20), (20, 5), (40, 20))),
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
        40 * _S,
        LinkSettings(_steps((0, 30), (20, 10))),
        goals=(at_most("drain_s", 0.7), at_most("delay_p99_ms", 130)),
    ),
    Scenario(
        "S3",
        "RFC 8867 5.1 x 10: 10, 25, 6, 10 Mbit/s, 50 ms each way, queue of 300 ms",
        100 * _S,
        LinkSettings(_steps((0, 10), (40, 25), (60, 6), (80, 10)), delay_us=50 * _MS, queue_us=300 * _MS),
        LinkSettings(delay_us=50 * _MS),
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
        60 * _S,
        LinkSettings(constant(20 * _MBPS), loss_ratio=0.02),
        goals=(at_least("utilisation_percent", 90), at_most("full_delay_p95_ms", 75)),
    ),
    Scenario(
        "S5",
        "20 Mbit/s, 8 ms of jitter",
        60 * _S,
        LinkSettings(constant(20 * _MBPS), jitter_us=8 * _MS),
        goals=(at_least("utilisation_percent", 92), at_most("late_percent", 1)),
    ),
    Scenario(
        "S6",
        "20 Mbit/s, a desktop: idle, scrolling, typing",
        60 * _S,
        _LINK_20,
        streams=(Stream(content=_DESKTOP),),
        goals=(at_most("delay_p95_ms", 18), at_most("delay_p99_ms", 23)),
    ),
    Scenario(
        "S7",
        "10 Mbit/s, two streams, the second one joins at 20 s",
        60 * _S,
        LinkSettings(constant(10 * _MBPS)),
        streams=(Stream("first"), Stream("second", starts_at_us=20 * _S)),
        goals=(at_least("jain", 0.9), at_most("jain_s", 20), at_most("queue_p95_ms", 20)),
    ),
    Scenario(
        "S8",
        "20 Mbit/s, a Cubic-like flow joins at 10 s",
        70 * _S,
        _LINK_20,
        cross=(CrossTraffic(starts_at_us=10 * _S),),
        goals=(at_least("share_percent", 25), at_most("starved_s", 1.0)),
    ),
    Scenario(
        "S9a",
        "20 Mbit/s, nothing gets through either way for 1 s",
        40 * _S,
        LinkSettings(constant(20 * _MBPS), outages=((20 * _S, 21 * _S),)),
        LinkSettings(outages=((20 * _S, 21 * _S),)),
        event=(20 * _S, 21 * _S),
        goals=_CALM,
    ),
    Scenario(
        "S9b",
        "20 Mbit/s, a fifth of the way back is lost",
        40 * _S,
        _LINK_20,
        LinkSettings(loss_ratio=0.2),
        event=(20 * _S, 20 * _S),
        goals=_CALM,
    ),
    Scenario(
        "S9c",
        "20 Mbit/s, the way back takes 200 ms longer for half a second",
        40 * _S,
        _LINK_20,
        LinkSettings(delay_steps=((20 * _S, 220 * _MS), (20 * _S + 500 * _MS, 20 * _MS))),
        event=(20 * _S, 20 * _S + 500 * _MS),
        goals=_CALM,
    ),
    Scenario(
        "S9d",
        "20 Mbit/s, the receiver's clock runs 100 ppm fast",
        60 * _S,
        _LINK_20,
        streams=(Stream(clock=ReceiverClock(skew_ppm=100)),),
        event=(45 * _S, 45 * _S),
        goals=_CALM,
    ),
    Scenario(
        "S9e",
        "20 Mbit/s, the route becomes 60 ms longer",
        40 * _S,
        LinkSettings(constant(20 * _MBPS), delay_steps=((20 * _S, 80 * _MS),)),
        event=(20 * _S, 20 * _S),
        goals=_CALM,
    ),
    Scenario(
        "S10",
        "20 Mbit/s, 1 % lost in bursts of 4",
        60 * _S,
        LinkSettings(constant(20 * _MBPS), burst_loss=BurstLoss(0.01, 4)),
        goals=(at_least("utilisation_percent", 85), at_most("keyframes_per_5_s", 1)),
    ),
)

_RFC_DELAY = 50 * _MS
_RFC_QUEUE = 300 * _MS


def _rfc_link(capacity: Steps) -> LinkSettings:
    return LinkSettings(capacity, delay_us=_RFC_DELAY, queue_us=_RFC_QUEUE)


_RFC_8867 = (
    Scenario(
        "R2",
        "RFC 8867 5.2 x 10: two streams, 40, 20, 35, 10, 20 Mbit/s",
        125 * _S,
        _rfc_link(_steps((0, 40), (25, 20), (50, 35), (75, 10), (100, 20))),
        _rfc_link(_steps((0, 1000))),
        streams=(Stream("first"), Stream("second")),
    ),
    Scenario(
        "R3",
        "RFC 8867 5.3 x 10: congested both ways, a stream each way",
        100 * _S,
        _rfc_link(_steps((0, 20), (20, 10), (40, 5), (60, 20))),
        _rfc_link(_steps((0, 20), (35, 8), (70, 20))),
        streams=(Stream("forward"), Stream("backward", is_backward=True)),
    ),
    Scenario(
        "R4",
        "RFC 8867 5.4 x 10: three streams, 35 Mbit/s, joining at 0, 20, 40 s",
        120 * _S,
        _rfc_link(_steps((0, 35))),
        _rfc_link(_steps((0, 1000))),
        streams=tuple(Stream(f"stream {number}", starts_at_us=20 * _S * number) for number in range(3)),
    ),
    Scenario(
        "R5",
        "RFC 8867 5.5 x 10: five streams of 10, 25, 50, 100, 150 ms each way, 40 Mbit/s",
        300 * _S,
        LinkSettings(_steps((0, 40)), delay_us=10 * _MS, queue_us=_RFC_QUEUE),
        LinkSettings(delay_us=10 * _MS),
        streams=tuple(
            Stream(f"{delay_ms} ms", starts_at_us=10 * _S * number, extra_delay_us=(delay_ms - 10) * _MS)
            for number, delay_ms in enumerate((10, 25, 50, 100, 150))
        ),
    ),
    Scenario(
        "R6",
        "RFC 8867 5.6 x 10: beside a long TCP flow, 20 Mbit/s",
        120 * _S,
        _rfc_link(_steps((0, 20))),
        _rfc_link(_steps((0, 1000))),
        cross=(CrossTraffic(),),
    ),
    Scenario(
        "R7",
        "RFC 8867 5.7 x 10: beside ten short TCP flows, 20 Mbit/s",
        300 * _S,
        _rfc_link(_steps((0, 20))),
        _rfc_link(_steps((0, 1000))),
        cross=tuple(
            CrossTraffic(
                f"short {number}",
                starts_at_us=number * _S,
                transfers=Transfers(sizes_bytes=(300_000, 10_000_000), mean_pause_us=10 * _S),
            )
            for number in range(10)
        ),
    ),
    Scenario(
        "R8",
        "RFC 8867 5.8 x 10: three streams, 35 Mbit/s, the first one pauses from 40 to 60 s",
        120 * _S,
        _rfc_link(_steps((0, 35))),
        _rfc_link(_steps((0, 1000))),
        streams=(
            Stream("stream 0", pauses=((40 * _S, 60 * _S),)),
            Stream("stream 1", starts_at_us=20 * _S),
            Stream("stream 2", starts_at_us=40 * _S),
        ),
    ),
)

SCENARIOS = {scenario.name: scenario for scenario in (*_OWN, *_RFC_8867)}
