import pytest

from streamer.congestion.round_trip import (
    _BUCKET_US,
    _INTERVAL_RANGE_US,
    _INTERVALS,
    _SILENCE_US,
    _WINDOW_US,
    RoundTrip,
)

_LOW_US, _HIGH_US = _INTERVAL_RANGE_US
_START_US = 3_000_000


def _report(trip, rtts_us, *, interval_us=_LOW_US, from_us=_START_US):
    """Report at even distances; return when the last one came."""
    now_us = from_us
    for number, rtt_us in enumerate(rtts_us):
        now_us = from_us + number * interval_us
        trip.add(now_us - rtt_us, now_us)
    return now_us


def test_round_trip_is_unknown_before_the_first_report():
    trip = RoundTrip()

    assert (trip.rtt_us, trip.least_us, trip.interval_us) == (None, 0, _LOW_US)


def test_round_trip_is_the_shortest_of_the_last_second_or_two():
    trip = RoundTrip()
    last_us = _report(trip, [60_000, 40_000, 55_000])

    assert trip.rtt_us == 40_000

    _report(trip, [50_000], from_us=last_us + _BUCKET_US)

    assert trip.rtt_us == 40_000

    _report(trip, [50_000], from_us=last_us + 2 * _BUCKET_US)

    assert trip.rtt_us == 50_000
    assert trip.least_us == 40_000


def test_round_trip_forgets_a_route_that_is_gone():
    trip = RoundTrip()
    last_us = _report(trip, [40_000])

    _report(trip, [90_000] * 3, interval_us=_BUCKET_US, from_us=last_us + _WINDOW_US)

    assert trip.least_us == 90_000


def test_round_trip_starts_anew_when_the_route_is_known_to_have_changed():
    trip = RoundTrip()
    last_us = _report(trip, [40_000])

    trip.rebase()
    _report(trip, [100_000], from_us=last_us + _LOW_US)

    assert (trip.rtt_us, trip.least_us) == (100_000, 100_000)


@pytest.mark.parametrize(
    ("distances_us", "interval_us"),
    [
        pytest.param([_LOW_US // 2], _LOW_US, id="shorter than reports are apart counts as usual"),
        pytest.param([_LOW_US, 2 * _LOW_US, _LOW_US], 2 * _LOW_US, id="the longest distance is to be expected again"),
        pytest.param([_HIGH_US + 1], _HIGH_US, id="not more than two lost reports are waited for"),
        pytest.param([_SILENCE_US], _LOW_US, id="silence is no distance"),
        pytest.param([2 * _LOW_US] + [_LOW_US] * _INTERVALS, _LOW_US, id="what was long ago is forgotten"),
    ],
)
def test_report_interval(distances_us, interval_us):
    trip, now_us = RoundTrip(), _START_US
    trip.add(now_us - 40_000, now_us)
    for distance_us in distances_us:
        now_us += distance_us
        trip.add(now_us - 40_000, now_us)

    assert trip.interval_us == interval_us
