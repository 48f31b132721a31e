import pytest

from streamer.bench.network.live.viewer_figures import (
    age_ms,
    age_recovery_s,
    frames_per_second,
    freezes_s,
    fresh,
    longest_gap_s,
    press_delays_ms,
)
from streamer.bench.stamps import Seen


def _seen(at_ms, age_ms=50.0, *, number=0, shown=0):
    return Seen(number, shown, at_ms - age_ms, at_ms)


def _stream(from_ms, until_ms, age_ms=50.0):
    return [_seen(float(at_ms), age_ms) for at_ms in range(from_ms, until_ms, 20)]


def test_still_picture_that_is_sent_again_is_not_fresh():
    frames = [_seen(0.0, number=1), _seen(1000.0, 1050.0, number=1), _seen(2000.0, number=2)]

    assert fresh(frames) == [frames[0], frames[2]]
    assert fresh([]) == []


def test_age_is_from_drawing_to_seeing():
    assert age_ms([_seen(100.0, 40.0), _seen(200.0, 60.0)], 50) == 40
    assert age_ms([], 50) is None


def test_gap_is_the_longest_between_two_frames_or_before_the_end():
    frames = [_seen(0.0), _seen(20.0), _seen(770.0)]

    assert longest_gap_s(frames, 1_000.0) == 0.75
    assert longest_gap_s(frames, 2_000.0) == 1.23
    assert longest_gap_s([], 2_000.0) is None


def test_freeze_is_a_gap_far_beyond_the_usual_or_a_picture_that_never_comes_back():
    # A frame each 20 ms: a freeze is longer than 170 ms.
    frames = _stream(0, 1_000) + _stream(1_140, 2_000) + _stream(2_200, 3_000)

    assert freezes_s(frames, 3_100.0) == [pytest.approx(0.22)]
    assert freezes_s(frames, 7_980.0) == [pytest.approx(0.22), pytest.approx(5.0)]
    assert freezes_s([], 7_980.0) == []


def test_frame_rates_are_of_whole_seconds():
    frames = _stream(0, 1_000) + _stream(2_000, 3_000)

    counts = frames_per_second(frames, 0.0, 3_000.0)

    assert len(counts) == 21
    assert (max(counts), min(counts)) == (50, 0)
    assert frames_per_second(frames, 0.0, 900.0) == []


def test_age_is_back_when_nine_tenths_of_half_a_second_are_as_young_as_before():
    frames = _stream(0, 1_000) + _stream(2_000, 2_400, 200.0) + _stream(2_400, 4_000, 65.0)

    # 25 frames make half a second: from 2.36 s on, two of them are old.
    assert age_recovery_s(frames, 1_000.0, 2_000.0) == pytest.approx(0.36)


def test_age_that_does_not_come_back_is_none():
    frames = _stream(0, 1_000) + _stream(2_000, 4_000, 100.0)

    assert age_recovery_s(frames, 1_000.0, 2_000.0) is None
    assert age_recovery_s(frames[50:], 1_000.0, 2_000.0) is None


def test_press_is_answered_by_the_first_picture_that_counts_it():
    presses_ms = [100.0, 300.0, 500.0]
    presented = [_seen(150.0, shown=0), _seen(180.0, shown=1), _seen(560.0, shown=3)]

    assert press_delays_ms(presses_ms, presented) == [80.0, 260.0, 60.0]


def test_presses_are_counted_beyond_what_a_stamp_holds():
    presses_ms = [float(count * 1_000) for count in range(1, 300)]
    presented = [_seen(at_ms + 70.0, shown=count % 256) for count, at_ms in enumerate(presses_ms, 1)]

    assert press_delays_ms(presses_ms, presented) == [70.0] * 299
