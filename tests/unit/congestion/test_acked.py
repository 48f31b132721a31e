import pytest

from streamer.congestion.acked import _MAX_ENTRIES, _TRIM_ENTRIES, FAST_US, SLOW_US, Acked

_SIZE_BYTES = 1250
# 1250 bytes in a millisecond.
_RATE_BPS = 10_000_000
_START_US = 7_000_000_000


def _fill(acked, duration_us, *, from_us=_START_US, interval_us=1000, send_interval_us=1000):
    """Let packets arrive at even distances; return when the next one would."""
    for number in range(duration_us // interval_us):
        acked.add(number * send_interval_us, from_us + number * interval_us, _SIZE_BYTES)
    return from_us + duration_us


def test_acked_knows_nothing_before_the_first_arrival():
    acked = Acked()
    acked.trim()

    assert (acked.rate_bps(), acked.steady_bps(), acked.newest_us, acked.passage(0)) == (0, 0, 0, None)


@pytest.mark.parametrize("window_us", [FAST_US, SLOW_US])
def test_acked_rate_is_bytes_over_the_window(window_us):
    acked = Acked()
    _fill(acked, 2 * SLOW_US)

    assert acked.rate_bps(window_us) == _RATE_BPS


def test_acked_fast_window_sees_a_change_before_the_slow_one():
    acked = Acked()
    changed_at_us = _fill(acked, SLOW_US)
    _fill(acked, FAST_US, from_us=changed_at_us, interval_us=4000)

    slow_share = FAST_US / SLOW_US
    # One packet more or less lies within a window.
    one_bps = _SIZE_BYTES * 8_000_000 / FAST_US
    assert acked.rate_bps() == pytest.approx(_RATE_BPS / 4, abs=4 * one_bps)
    assert acked.rate_bps(SLOW_US) == pytest.approx(_RATE_BPS * (1 - slow_share + slow_share / 4), abs=one_bps)


def test_acked_does_not_take_a_few_packets_at_once_for_a_rate():
    acked = Acked()
    for number in range(10):
        acked.add(0, _START_US + number, _SIZE_BYTES)

    assert acked.rate_bps() == 10 * _SIZE_BYTES * 8_000_000 // (FAST_US // 2)


def test_acked_does_not_take_a_short_stop_for_a_narrow_path():
    acked = Acked()
    stopped_at_us = _fill(acked, SLOW_US)
    _fill(acked, 20_000, from_us=stopped_at_us + FAST_US - 30_000)

    assert acked.rate_bps() == pytest.approx(0.15 * _RATE_BPS, rel=0.1)
    assert acked.steady_bps() == pytest.approx(_RATE_BPS, rel=0.1)


def test_acked_takes_a_narrow_path_for_one_although_it_pauses_between_packets():
    acked = Acked()
    changed_at_us = _fill(acked, SLOW_US)
    _fill(acked, 2 * FAST_US, from_us=changed_at_us, interval_us=20_000)

    assert acked.steady_bps() == pytest.approx(_RATE_BPS / 20, rel=0.1)


def test_acked_does_not_leave_out_all_that_it_knows():
    acked = Acked()
    acked.add(0, _START_US, _SIZE_BYTES)
    acked.add(1, _START_US + 100_000, _SIZE_BYTES)

    assert acked.steady_bps() == acked.rate_bps() > 0


def test_acked_counts_a_packet_out_of_order_when_the_newest_arrived():
    acked = Acked()
    acked.add(0, _START_US, _SIZE_BYTES)
    acked.add(1, _START_US - 5000, _SIZE_BYTES)

    assert acked.newest_us == _START_US
    assert acked.passage(_START_US).size_bytes == _SIZE_BYTES


def test_acked_lets_go_of_what_no_window_reaches():
    trimmed, whole = Acked(), Acked()
    for acked in (trimmed, whole):
        _fill(acked, 5 * SLOW_US)

    trimmed.trim()

    assert len(trimmed._arrivals_us) < len(whole._arrivals_us)
    for window_us in (FAST_US, SLOW_US):
        assert trimmed.rate_bps(window_us) == whole.rate_bps(window_us)


def test_acked_keeps_what_is_not_worth_trimming():
    acked = Acked()
    _fill(acked, SLOW_US)

    acked.trim()

    assert len(acked._arrivals_us) == SLOW_US // 1000


def test_acked_rate_after_a_pause_is_not_made_of_what_came_before_it():
    acked = Acked()
    paused_at_us = _fill(acked, 2 * SLOW_US)
    _fill(acked, FAST_US // 4, from_us=paused_at_us + 2 * SLOW_US)

    acked.trim()

    assert acked.rate_bps() == _RATE_BPS // 2


def test_acked_keeps_so_many_entries_at_most_although_they_arrive_at_once():
    acked = Acked()
    for _ in range(_MAX_ENTRIES + _TRIM_ENTRIES):
        acked.add(0, _START_US, _SIZE_BYTES)

    acked.trim()

    assert len(acked._arrivals_us) == _MAX_ENTRIES


@pytest.mark.parametrize(
    ("send_interval_us", "stretch_ratio"),
    [
        pytest.param(1000, 1.0, id="steady queue"),
        pytest.param(500, 2.0, id="queue grows"),
        pytest.param(2000, 0.5, id="queue shrinks"),
    ],
)
def test_acked_passage_tells_how_the_queue_changes(send_interval_us, stretch_ratio):
    acked = Acked()
    _fill(acked, 100_000, send_interval_us=send_interval_us)

    passage = acked.passage(_START_US + 50_000)

    assert passage.packets == 50
    assert passage.rate_bps == _RATE_BPS
    assert passage.stretch_ratio == stretch_ratio


def test_acked_passage_of_packets_that_left_at_once_has_a_stretch():
    acked = Acked()
    _fill(acked, 10_000, send_interval_us=0)

    assert acked.passage(_START_US).stretch_ratio == 9000


def test_acked_one_packet_is_no_passage():
    acked = Acked()
    _fill(acked, 10_000)

    assert acked.passage(_START_US + 9000) is None
    assert acked.passage(_START_US + 8000).packets == 2
