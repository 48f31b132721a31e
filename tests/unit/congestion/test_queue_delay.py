import random

import pytest

from streamer.congestion.queue_delay import (
    _BUCKET_US,
    _FLAT_RANGE_US,
    _MAX_BEND_US,
    _MAX_DRIFT_PPM,
    _STANDING_TRAINS,
    _WINDOW_BUCKETS,
    QueueDelay,
)

_INTERVAL_US = 16_667
_WINDOW_US = _WINDOW_BUCKETS * _BUCKET_US
# What the two clocks differ by.
_OFFSET_US = 3_600_000_000
_WAY_US = 20_000


class _Path:
    """Trains of 60 fps that meet a queue of a given length."""

    def __init__(self, offset_us=_OFFSET_US):
        self.queue = QueueDelay()
        self.now_us = 0
        self._offset_us = offset_us

    def trains(self, queues_us):
        """Send trains; return what was seen standing after each."""
        seen_us = []
        for queue_us in queues_us:
            low_us = self._offset_us + _WAY_US + round(queue_us)
            self.queue.look(self.now_us, low_us)
            seen_us.append(self.queue.standing_us)
            self.queue.add(self.now_us, low_us)
            self.now_us += _INTERVAL_US
        return seen_us

    def keep(self, queue_us, duration_us, *, ppm=0):
        count = duration_us // _INTERVAL_US
        return self.trains([queue_us + number * _INTERVAL_US * ppm / 1_000_000 for number in range(count)])


def test_queue_delay_knows_nothing_before_the_first_train():
    queue = QueueDelay()

    assert (queue.standing_us, queue.habit_us, queue.flat_us, queue.jitter_us) == (0, 0, 0, 0)


def test_queue_delay_has_a_base_as_soon_as_it_looks():
    queue = QueueDelay()

    queue.look(5, _OFFSET_US)

    assert (queue.base_us, queue.standing_us) == (_OFFSET_US, 0)


@pytest.mark.parametrize("offset_us", [_OFFSET_US, -_OFFSET_US])
def test_queue_stands_when_several_trains_meet_it(offset_us):
    path = _Path(offset_us)
    path.keep(0, _BUCKET_US)

    seen_us = path.trains([12_000] * (_STANDING_TRAINS + 1))

    assert seen_us == [0] * (_STANDING_TRAINS - 1) + [12_000] * 2


def test_one_late_train_is_no_queue():
    path = _Path()
    path.keep(0, _BUCKET_US)

    assert max(path.trains([0, 50_000, 0, 0, 40_000, 0])) == 0


def test_queue_is_gone_as_soon_as_one_train_meets_none():
    path = _Path()
    path.keep(0, _BUCKET_US)
    path.trains([30_000] * 10)

    assert path.trains([0]) == [0]


@pytest.mark.parametrize("ppm", [100, -100])
def test_clocks_that_drift_apart_make_no_queue(ppm):
    path = _Path()

    seen_us = path.keep(0, 60_000_000, ppm=ppm)

    # Without correction the window's memory is all that a drift adds.
    assert max(seen_us) <= 100 * _WINDOW_US // 1_000_000
    assert max(seen_us[len(seen_us) // 2 :]) < 50 * _WINDOW_US // 1_000_000


def test_queue_that_grows_slowly_is_not_taken_for_drift():
    path = _Path()
    ppm = 5 * _MAX_DRIFT_PPM

    seen_us = path.keep(0, 2 * _WINDOW_US, ppm=ppm)

    assert seen_us[-1] == pytest.approx(ppm * _WINDOW_US / 1_000_000, rel=0.1)


def test_base_of_a_route_that_is_gone_is_forgotten():
    path = _Path()
    path.keep(0, _BUCKET_US)

    seen_us = path.keep(60_000, _WINDOW_US + 2 * _BUCKET_US)

    assert seen_us[len(seen_us) // 2] == 60_000
    assert seen_us[-1] == 0


def test_base_is_held_while_a_queue_is_not_drained():
    path = _Path()
    path.keep(0, _BUCKET_US)
    path.queue.holds_base = True

    assert path.keep(60_000, 2 * _WINDOW_US)[-1] == 60_000


@pytest.mark.parametrize("ppm", [0, 20, -20])
def test_base_that_is_held_for_an_hour_takes_no_more_room(ppm):
    path = _Path()
    path.keep(0, 60_000_000, ppm=ppm)
    drifted_us = path.now_us * ppm / 1_000_000
    path.queue.holds_base = True

    # A train each half second: an hour of 60 fps would be long in coming.
    for number in range(2 * 3600):
        path.trains([drifted_us + 60_000 + number * _BUCKET_US / 2 * ppm / 1_000_000])
        path.now_us += _BUCKET_US // 2 - _INTERVAL_US
    assert len(path.queue._buckets) <= _WINDOW_BUCKETS + 1
    # The drift is known within a quarter, and each ppm makes 3.6 ms in an hour.
    assert path.queue.standing_us == pytest.approx(60_000, abs=3600 * abs(ppm) / 4)

    path.queue.holds_base = False
    path.keep(drifted_us, _WINDOW_US + 2 * _BUCKET_US)
    assert path.queue.standing_us < 1000


def test_base_moves_at_once_when_the_route_has_changed():
    path = _Path()
    path.keep(0, _BUCKET_US)
    path.keep(60_000, _BUCKET_US)

    path.queue.rebase()

    assert path.queue.standing_us == 0
    assert path.trains([60_000, 61_000, 62_000])[-1] == 1000


@pytest.mark.parametrize(
    ("queues_us", "least_us", "most_us"),
    [
        pytest.param([0] * 600, 0, 0, id="equal ways"),
        pytest.param([number * 500 for number in range(600)], 0, 0, id="a queue that grows evenly"),
        pytest.param([number % 2 * 4000 for number in range(600)], 3000, 4000, id="every other train late"),
        pytest.param([number % 2 * 90_000 for number in range(600)], 9000, _MAX_BEND_US, id="very late trains"),
    ],
)
def test_jitter_is_how_far_trains_are_off_a_line(queues_us, least_us, most_us):
    path = _Path()
    path.trains(queues_us)

    assert least_us <= path.queue.jitter_us <= most_us


def test_ways_are_flat_for_as_long_as_they_stay():
    path = _Path()
    path.keep(0, _BUCKET_US)
    path.trains([_FLAT_RANGE_US * 2])
    changed_at_us = path.now_us - _INTERVAL_US

    path.trains([_FLAT_RANGE_US * 2, _FLAT_RANGE_US * 3] * 10)

    assert path.queue.flat_us == path.now_us - _INTERVAL_US - changed_at_us


def test_ways_that_jitter_as_they_did_before_are_flat():
    path = _Path()
    path.trains([0, _FLAT_RANGE_US * 2] * 32)
    path.trains([60_000])
    changed_at_us = path.now_us - _INTERVAL_US

    path.trains([60_000, 60_000 + _FLAT_RANGE_US * 2] * 10)

    assert path.queue.flat_us == path.now_us - _INTERVAL_US - changed_at_us


def test_ways_that_shrink_are_not_flat():
    path = _Path()

    path.trains([60_000 - number * 2 * _FLAT_RANGE_US for number in range(6)])

    assert path.queue.flat_us == 0


def test_habit_is_the_least_that_stood_for_a_second_or_two():
    path = _Path()
    path.keep(0, _BUCKET_US)
    assert path.queue.habit_us == 0

    path.keep(5000, 2 * _BUCKET_US)
    path.trains([9000, 7000])

    assert path.queue.habit_us == 5000


def test_queue_delay_that_has_seen_one_train_is_not_flat_and_can_be_rebased():
    queue = QueueDelay()
    queue.look(_OFFSET_US, _OFFSET_US)
    assert queue.flat_us == 0

    queue.rebase()
    queue.look(_OFFSET_US + 1000, _OFFSET_US)

    assert queue.base_us == _OFFSET_US


def test_queue_is_never_shorter_than_none_although_clocks_drift():
    path = _Path()
    path.keep(0, 4 * _WINDOW_US, ppm=100)
    rng = random.Random(1)

    way_us = 4 * _WINDOW_US * 100 // 1_000_000
    assert min(path.trains([way_us + rng.randrange(2000) for _ in range(600)])) == 0
