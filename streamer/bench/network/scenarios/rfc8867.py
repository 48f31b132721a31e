"""RFC 8867, section 5, at ten times its rates; 5.1 is S3. They have no goals: the RFC gives none."""

from streamer.bench.network.capacity import Steps
from streamer.bench.network.cross_traffic import Transfers
from streamer.bench.network.link import LinkSettings
from streamer.bench.network.scenario import CrossTraffic, Scenario, Stream
from streamer.bench.network.scenarios.units import MS, S, steps

_DELAY_US = 50 * MS
_QUEUE_US = 300 * MS


def _link(capacity: Steps) -> LinkSettings:
    return LinkSettings(capacity, delay_us=_DELAY_US, queue_us=_QUEUE_US)


SCENARIOS = (
    Scenario(
        "R2",
        "RFC 8867 5.2 x 10: two streams, 40, 20, 35, 10, 20 Mbit/s",
        125 * S,
        _link(steps((0, 40), (25, 20), (50, 35), (75, 10), (100, 20))),
        _link(steps((0, 1000))),
        streams=(Stream("first"), Stream("second")),
    ),
    Scenario(
        "R3",
        "RFC 8867 5.3 x 10: congested both ways, a stream each way",
        100 * S,
        _link(steps((0, 20), (20, 10), (40, 5), (60, 20))),
        _link(steps((0, 20), (35, 8), (70, 20))),
        streams=(Stream("forward"), Stream("backward", is_backward=True)),
    ),
    Scenario(
        "R4",
        "RFC 8867 5.4 x 10: three streams, 35 Mbit/s, joining at 0, 20, 40 s",
        120 * S,
        _link(steps((0, 35))),
        _link(steps((0, 1000))),
        streams=tuple(Stream(f"stream {number}", starts_at_us=20 * S * number) for number in range(3)),
    ),
    Scenario(
        "R5",
        "RFC 8867 5.5 x 10: five streams of 10, 25, 50, 100, 150 ms each way, 40 Mbit/s",
        300 * S,
        LinkSettings(steps((0, 40)), delay_us=10 * MS, queue_us=_QUEUE_US),
        LinkSettings(delay_us=10 * MS),
        streams=tuple(
            Stream(f"{delay_ms} ms", starts_at_us=10 * S * number, extra_delay_us=(delay_ms - 10) * MS)
            for number, delay_ms in enumerate((10, 25, 50, 100, 150))
        ),
    ),
    Scenario(
        "R6",
        "RFC 8867 5.6 x 10: beside a long TCP flow, 20 Mbit/s",
        120 * S,
        _link(steps((0, 20))),
        _link(steps((0, 1000))),
        cross=(CrossTraffic(),),
    ),
    Scenario(
        "R7",
        "RFC 8867 5.7 x 10: beside ten short TCP flows, 20 Mbit/s",
        300 * S,
        _link(steps((0, 20))),
        _link(steps((0, 1000))),
        cross=tuple(
            CrossTraffic(
                f"short {number}",
                starts_at_us=number * S,
                # Our own choice: together they have 8 Mbit/s to send on average.
                transfers=Transfers(sizes_bytes=(100_000, 2_000_000), mean_pause_us=10 * S),
            )
            for number in range(10)
        ),
    ),
    Scenario(
        "R8",
        "RFC 8867 5.8 x 10: three streams, 35 Mbit/s, the first one pauses from 40 to 60 s",
        120 * S,
        _link(steps((0, 35))),
        _link(steps((0, 1000))),
        streams=(
            Stream("stream 0", pauses=((40 * S, 60 * S),)),
            Stream("stream 1", starts_at_us=20 * S),
            Stream("stream 2", starts_at_us=40 * S),
        ),
    ),
)
