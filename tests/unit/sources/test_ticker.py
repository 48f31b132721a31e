import random

import pytest

from streamer.media.cadence import Action, Cadence
from streamer.sources._ticker import Ticker
from tests.fakes.clock import ManualClock

LONG_US = 60_000_000


def turns(ticker: Ticker, clock: ManualClock, count: int) -> list[int]:
    """When the next turns come, from the first of them."""
    at_us = []
    for _ in range(count):
        assert ticker.wait(LONG_US)
        at_us.append(clock.now_us())
    return [instant_us - at_us[0] for instant_us in at_us]


def test_turns_do_not_drift_at_a_rate_that_is_no_whole_number_of_microseconds():
    clock = ManualClock()

    at_us = turns(Ticker(clock, 59.7), clock, 1001)

    assert at_us[-1] == round(1000 * 1_000_000 / 59.7)
    assert max(abs(at - round(n * 1_000_000 / 59.7)) for n, at in enumerate(at_us)) == 0


def test_lateness_of_one_turn_does_not_move_the_next():
    clock = ManualClock()
    ticker = Ticker(clock, 100)
    ticker.wait(LONG_US)
    clock.late_us = 3_000

    ticker.wait(LONG_US)
    clock.late_us = 0

    assert turns(ticker, clock, 1) == [0]
    assert clock.now_us() == 1_000_000 + 20_000


@pytest.mark.parametrize(
    ("away_us", "next_us"), [(34_000, 40_000), (36_000, 50_000), (44_000, 50_000), (46_000, 60_000)]
)
def test_missed_turns_are_skipped_and_the_next_is_half_an_interval_away(away_us, next_us):
    clock = ManualClock(at_us=0)
    ticker = Ticker(clock, 100)
    ticker.wait(LONG_US)
    clock.at_us = away_us

    ticker.wait(LONG_US)
    assert clock.now_us() == away_us, "the first turn after a delay comes at once"
    ticker.wait(LONG_US)

    assert clock.now_us() == next_us


def test_wait_gives_up_at_its_timeout_and_keeps_the_turn():
    clock = ManualClock(at_us=0)
    ticker = Ticker(clock, 100)
    ticker.wait(LONG_US)

    assert not ticker.wait(4_000)
    assert clock.now_us() == 4_000
    assert ticker.wait(LONG_US)
    assert clock.now_us() == 10_000


def test_wake_ends_one_wait():
    clock = ManualClock(at_us=0)
    ticker = Ticker(clock, 100)
    ticker.wait(LONG_US)

    ticker.wake()

    assert not ticker.wait(LONG_US)
    assert clock.now_us() == 0
    assert ticker.wait(LONG_US)


def started(clock: ManualClock, *, ago_us: int) -> Ticker:
    """A ticker whose first turn was so long ago."""
    ticker = Ticker(clock, 100)
    ticker.wait(LONG_US)
    clock.at_us += ago_us
    return ticker


def test_hastened_turn_comes_at_once_and_the_next_one_an_interval_later():
    clock = ManualClock()
    ticker = started(clock, ago_us=4_000)
    hastened_at_us = clock.now_us()

    ticker.hasten()

    assert turns(ticker, clock, 4) == [0, 10_000, 20_000, 30_000]
    assert clock.now_us() == hastened_at_us + 30_000


def test_hastened_turn_is_never_too_close_to_the_one_before():
    clock = ManualClock()
    ticker = started(clock, ago_us=0)
    started_at_us = clock.now_us()

    ticker.hasten()
    ticker.wait(LONG_US)

    assert clock.now_us() - started_at_us == pytest.approx(2_500, abs=250)


def test_hastening_without_end_raises_the_rate_by_a_tenth():
    clock = ManualClock()
    ticker = started(clock, ago_us=0)
    until_us = clock.now_us() + 10_000_000
    count = 0

    while clock.now_us() < until_us:
        ticker.hasten()
        assert ticker.wait(LONG_US)
        count += 1

    assert count == pytest.approx(1_100, abs=2)


def test_hastening_after_missed_turns_makes_no_burst():
    clock = ManualClock()
    ticker = started(clock, ago_us=1_004_000)

    ticker.hasten()

    assert turns(ticker, clock, 4) == [0, 6_000, 16_000, 26_000]


def test_turn_in_time_answers_what_hastened_it():
    clock = ManualClock()
    ticker = started(clock, ago_us=10_000)

    ticker.hasten()

    assert turns(ticker, clock, 3) == [0, 10_000, 20_000]


def test_hastening_does_not_take_the_place_of_a_wake():
    clock = ManualClock()
    ticker = started(clock, ago_us=4_000)
    hastened_at_us = clock.now_us()

    ticker.hasten()
    ticker.wake()

    assert not ticker.wait(LONG_US)
    assert ticker.wait(LONG_US)
    assert clock.now_us() == hastened_at_us


def test_frames_of_hastened_turns_are_encoded_at_once():
    rng = random.Random(1)
    clock, cadence = ManualClock(), Cadence()
    ticker = started(clock, ago_us=0)
    actions = []

    for _ in range(1_000):
        if rng.random() < 0.5:
            clock.at_us += rng.randrange(10_000)
            ticker.hasten()
        ticker.wait(LONG_US)
        decision = cadence.decide(clock.now_us(), fps=100, backlog_us=0, has_new_frame=True, wants_keyframe=False)
        cadence.encoded(clock.now_us(), is_new=True)
        actions.append(decision.action)

    assert set(actions) == {Action.ENCODE_NEW}
