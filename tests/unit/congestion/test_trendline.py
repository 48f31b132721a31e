from itertools import count

import pytest

from streamer.congestion.decision import Usage
from streamer.congestion.trendline import (
    _OVER_MS,
    _THRESHOLD_MS,
    _THRESHOLD_RANGE_MS,
    WINDOW_TRAINS,
    Trendline,
)

_INTERVAL_US = 16_667
_OFFSET_US = -4_000_000_000


def _feed(trendline, ways_us, *, from_us=0, interval_us=_INTERVAL_US):
    """Give it a train per frame; return the verdicts."""
    verdicts = []
    for number, way_us in enumerate(ways_us):
        trendline.add(from_us + number * interval_us, _OFFSET_US + way_us)
        verdicts.append(trendline.usage)
    return verdicts


@pytest.mark.parametrize(
    ("ways_us", "usage"),
    [
        pytest.param([0] * 60, Usage.NORMAL, id="ways that stay are normal"),
        pytest.param([number * 2000 for number in range(60)], Usage.OVER, id="ways that grow are overuse"),
        pytest.param([number * -2000 for number in range(60)], Usage.UNDER, id="ways that shrink are underuse"),
        pytest.param([number % 2 * 8000 for number in range(120)], Usage.NORMAL, id="jitter is normal"),
        pytest.param([number * _INTERVAL_US // 10_000 for number in range(900)], Usage.NORMAL, id="100 ppm are normal"),
        pytest.param([number * 2000 for number in range(WINDOW_TRAINS - 1)], Usage.NORMAL, id="too few trains to tell"),
    ],
)
def test_trendline_verdict(ways_us, usage):
    assert _feed(Trendline(), ways_us)[-1] is usage


def test_trendline_returns_to_normal_when_the_queue_is_steady_again():
    trendline = Trendline()
    grown_us = 60 * 2000
    _feed(trendline, range(0, grown_us, 2000))

    verdicts = _feed(trendline, [grown_us] * 120, from_us=60 * _INTERVAL_US)

    assert verdicts[-1] is Usage.NORMAL


def test_trendline_needs_more_than_a_moment_of_growth():
    trendline = Trendline()
    moment_us = round(_OVER_MS * 1000) // 4
    ways_us = (number * 1000 for number in count())

    verdicts = _feed(trendline, [next(ways_us) for _ in range(WINDOW_TRAINS + 2)], interval_us=moment_us)

    assert Usage.OVER not in verdicts
    assert _feed(trendline, [next(ways_us) for _ in range(8)], from_us=22 * moment_us, interval_us=moment_us)[-1] is (
        Usage.OVER
    )


def test_trendline_does_not_call_out_while_growth_slows_down():
    trendline = Trendline()
    _feed(trendline, [round(40_000 * (1 - 0.8**number)) for number in range(40)])
    before = trendline.usage
    verdicts = _feed(trendline, [40_000] * 4, from_us=40 * _INTERVAL_US)

    assert verdicts == [before] * 4


def test_trendline_gets_used_to_a_path_that_wavers():
    trendline = Trendline()
    # Slow waves of a millisecond or two: trends around the threshold, but no events.
    _feed(trendline, [round(abs(number % 120 - 60) * 200) for number in range(2400)])

    assert trendline._threshold_ms != _THRESHOLD_MS
    assert _THRESHOLD_RANGE_MS[0] <= trendline._threshold_ms <= _THRESHOLD_RANGE_MS[1]


def test_trendline_is_most_watchful_on_a_quiet_path():
    trendline = Trendline()
    _feed(trendline, [0] * 1200)

    assert trendline._threshold_ms == _THRESHOLD_RANGE_MS[0]


def test_trendline_does_not_get_used_to_an_event():
    trendline = Trendline()
    quiet_trains = 60
    _feed(trendline, [0] * quiet_trains)
    threshold_ms = trendline._threshold_ms

    verdicts = _feed(trendline, [10_000_000] * 5, from_us=quiet_trains * _INTERVAL_US)

    assert verdicts[-1] is Usage.OVER
    assert trendline._threshold_ms == threshold_ms


def test_trendline_of_trains_that_arrive_at_once_has_no_slope():
    assert _feed(Trendline(), range(WINDOW_TRAINS + 5), interval_us=0)[-1] is Usage.NORMAL
