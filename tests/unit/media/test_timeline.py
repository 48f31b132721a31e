from datetime import UTC, datetime

import pytest

from streamer.media.timeline import (
    RtpTimeline,
    Unwrapper,
    middle_ntp,
    ntp_from_wall,
    signed_difference,
    wall_from_ntp,
)


@pytest.mark.parametrize(
    ("new", "old", "expected"),
    [
        (1, 0, 1),
        (0, 1, -1),
        (0, 65535, 1),
        (65535, 0, -1),
        (32767, 0, 32767),
        (32768, 0, -32768),
        (32769, 0, -32767),
        (9, 9, 0),
    ],
)
def test_signed_difference_goes_the_shorter_way(new, old, expected):
    assert signed_difference(new, old, 16) == expected


@pytest.mark.parametrize("bits", [16, 32])
def test_unwrapper_follows_a_counter_across_wraps(bits):
    unwrapper = Unwrapper(bits)
    step = (1 << bits) // 4
    indices = range(5, 5 + 20 * step, step)

    assert [unwrapper.unwrap(index % (1 << bits)) for index in indices] == list(indices)


def test_unwrapper_places_late_values_before_the_newest():
    unwrapper = Unwrapper(16)

    assert [unwrapper.unwrap(value) for value in (65534, 1, 65535, 0, 2)] == [65534, 65537, 65535, 65536, 65538]


def test_unwrapper_gives_a_negative_index_to_what_was_sent_before_the_first():
    unwrapper = Unwrapper(16)

    assert [unwrapper.unwrap(value) for value in (0, 65535, 1)] == [0, -1, 1]


def test_timeline_counts_ninety_thousand_ticks_a_second_from_its_origin():
    timeline = RtpTimeline(origin_ticks=1000)

    assert timeline.timestamp(0) == 1000
    assert timeline.timestamp(1_000_000) == 91_000
    assert timeline.timestamp(11) == 1000
    assert timeline.timestamp(12) == 1001


def test_timeline_timestamp_wraps_at_32_bits():
    assert RtpTimeline(origin_ticks=0xFFFFFFFF).timestamp(1_000_000) == 89_999


@pytest.mark.parametrize("origin_ticks", [0, 7, 0x80000000, 0xFFFFFFFF])
@pytest.mark.parametrize("at_us", [0, 100, 1_000_000, 47_721_858_800, 123_456_789_000])
@pytest.mark.parametrize("away_us", [-20_000_000_000, 0, 17, 20_000_000_000])
def test_timeline_finds_the_instant_of_a_timestamp(origin_ticks, at_us, away_us):
    timeline = RtpTimeline(origin_ticks)

    assert timeline.at_us(timeline.timestamp(at_us), near_us=at_us + away_us) == at_us


def test_timeline_gives_the_first_microsecond_of_a_tick():
    timeline = RtpTimeline(0)

    assert [timeline.at_us(timeline.timestamp(at_us), 0) for at_us in (11, 12, 22, 23)] == [0, 12, 12, 23]


def test_ntp_counts_from_1900():
    seconds = int((datetime(2024, 2, 29, tzinfo=UTC) - datetime(1900, 1, 1, tzinfo=UTC)).total_seconds())
    wall_us = int(datetime(2024, 2, 29, tzinfo=UTC).timestamp()) * 1_000_000

    assert ntp_from_wall(wall_us) == seconds << 32
    assert ntp_from_wall(wall_us + 500_000) == seconds << 32 | 1 << 31


@pytest.mark.parametrize("wall_us", [0, 1, 999_999, 1_700_000_000_123_457, 1_700_000_000_999_999])
def test_ntp_goes_there_and_back(wall_us):
    assert wall_from_ntp(ntp_from_wall(wall_us), near_wall_us=wall_us + 5_000_000) == wall_us


def test_ntp_goes_there_and_back_across_the_end_of_its_era():
    # The first era ends on 7 February 2036 at 06:28:16 UTC.
    wall_us = int(datetime(2036, 2, 7, 6, 28, 16, tzinfo=UTC).timestamp()) * 1_000_000

    assert ntp_from_wall(wall_us) == 0
    assert wall_from_ntp(0, near_wall_us=wall_us - 1_000_000) == wall_us
    assert wall_from_ntp(ntp_from_wall(wall_us - 1), near_wall_us=wall_us + 1_000_000) == wall_us - 1


def test_ntp_middle_has_sixteen_bits_either_side_of_the_point():
    assert middle_ntp(0x1122_3344_5566_7788) == 0x3344_5566
