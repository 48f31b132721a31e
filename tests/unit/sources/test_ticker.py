import pytest

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
