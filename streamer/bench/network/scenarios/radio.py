"""Links like those of cellular networks and wireless LANs, made from seeds.

The goals are near what a good sender reached on recordings of LTE in cars: on such links the future cannot be known,
and each sudden fall costs a queue.
"""

from streamer.bench.network.goals import at_least, at_most
from streamer.bench.network.link import LinkSettings
from streamer.bench.network.made_traces import Cellular, MadeTrace, WirelessLan
from streamer.bench.network.scenario import Scenario
from streamer.bench.network.scenarios.units import MBPS, S

_CELL = (
    at_least("utilisation_percent", 40),
    at_most("queue_p95_ms", 80),
    at_most("late_percent", 20),
    at_most("freezes_per_min", 6),
)
# A frame often has to wait for the air itself, whatever its sender does.
_WIRELESS_LAN = (
    at_least("utilisation_percent", 50),
    at_most("queue_p95_ms", 80),
    at_most("late_percent", 35),
    at_most("freezes_per_min", 6),
)

SCENARIOS = (
    Scenario(
        "C1",
        "like LTE in a car, 10 Mbit/s in the middle",
        60 * S,
        LinkSettings(MadeTrace(Cellular(10 * MBPS), seed=1)),
        goals=_CELL,
    ),
    Scenario(
        "C2",
        "like LTE on foot, 25 Mbit/s in the middle",
        60 * S,
        LinkSettings(MadeTrace(Cellular(25 * MBPS, spread=0.4, memory_ms=4_000, gap_every_ms=30_000), seed=2)),
        goals=_CELL,
    ),
    Scenario(
        "C3",
        "like a weak cell, 2.5 Mbit/s in the middle",
        60 * S,
        LinkSettings(MadeTrace(Cellular(2_500_000, spread=0.5), seed=3)),
        goals=_CELL,
    ),
    Scenario(
        "C4",
        "like a wireless LAN with others in it, 30 Mbit/s on average",
        60 * S,
        LinkSettings(MadeTrace(WirelessLan(100 * MBPS), seed=4)),
        goals=_WIRELESS_LAN,
    ),
    Scenario(
        "C5",
        "like a crowded wireless LAN, 13 Mbit/s on average",
        60 * S,
        LinkSettings(MadeTrace(WirelessLan(60 * MBPS, wait_ms=7, gap_every_ms=2_000), seed=5)),
        goals=_WIRELESS_LAN,
    ),
)
