import pytest

from streamer.bench.rtp_clock import RtpClock

# 1900 to 1970, as RFC 3550 has it: 70 years of which 17 were leap years.
NTP_EPOCH_MS = (70 * 365 + 17) * 86_400_000
WALL_MINUS_MONOTONIC_MS = 1_700_000_000_000.0


def anchor(ticks: int, monotonic_ms: float) -> tuple[int, float]:
    return ticks % 2**32, NTP_EPOCH_MS + WALL_MINUS_MONOTONIC_MS + monotonic_ms


def test_rtp_clock_dates_frames_by_their_distance_from_the_anchor():
    clock = RtpClock.of([anchor(1_000, 5_000.0)], WALL_MINUS_MONOTONIC_MS)

    assert clock is not None
    assert clock.captured_ms(1_000) == pytest.approx(5_000.0, abs=0.01)
    assert clock.captured_ms(1_000 + 90 * 250) == pytest.approx(5_250.0, abs=0.01)
    assert clock.captured_ms(1_000 - 900) == pytest.approx(4_990.0, abs=0.01)


def test_rtp_clock_takes_ticks_that_wrap():
    clock = RtpClock.of([anchor(2**32 - 90, 5_000.0)], WALL_MINUS_MONOTONIC_MS)

    assert clock is not None
    assert clock.captured_ms(90) == pytest.approx(5_002.0, abs=0.01)


def test_rtp_clock_averages_times_that_were_rounded_to_milliseconds():
    rounded = [anchor(ticks := 1_500 * number, round(5_000 + ticks / 90)) for number in range(300)]

    clock = RtpClock.of(rounded, WALL_MINUS_MONOTONIC_MS)

    assert clock is not None
    assert clock.captured_ms(0) == pytest.approx(5_000.0, abs=0.1)


def test_rtp_clock_needs_an_anchor():
    assert RtpClock.of([], WALL_MINUS_MONOTONIC_MS) is None
