import pytest

from streamer.bench.rtp_clock import RtpClock
from streamer.bench.stamps import Seen, missing_frames, photon_delays_ms, seen_frames, stages_ms

STAMP_PERIOD_MS = 2**32 / 10


def numbered(*numbers: int) -> list[Seen]:
    return [Seen(number, 0, 0.0, 1.0) for number in numbers]


def answering(input_number: int, seen_ms: float) -> Seen:
    return Seen(0, input_number, seen_ms - 10, seen_ms)


def test_age_is_the_time_from_the_stamp_to_the_sight_on_the_servers_clock():
    (frame,) = seen_frames([[7, 50_000, 3, 1_012.5]], offset_ms=4_000.0)

    assert (frame.number, frame.input_number) == (7, 3)
    assert frame.age_ms == pytest.approx(12.5)


def test_stamp_that_wrapped_is_dated_near_its_sight():
    seen_ms = 3 * STAMP_PERIOD_MS + 5.0

    (frame,) = seen_frames([[0, 2**32 - 50, 0, seen_ms]], offset_ms=0.0)

    assert frame.age_ms == pytest.approx(10.0)


def test_frames_of_a_prepared_stream_are_dated_by_their_rtp_time():
    clock = RtpClock(anchor_ticks=9_000, anchor_ms=2_000.0)
    rows = [[1, 77, 0, 2_110.0, None, None, 18_000], [2, 78, 0, 2_120.0, None, None, None]]

    frames = seen_frames(rows, 0.0, clock, is_stamp_dated=False)

    assert [(frame.number, frame.age_ms) for frame in frames] == [(1, pytest.approx(10.0))]


def test_row_without_a_stamp_is_refused():
    with pytest.raises(ValueError, match="lacks a stamp"):
        seen_frames([[1, None, 0, 5.0]], 0.0)


@pytest.mark.parametrize(
    ("numbers", "loop_frames", "missing"),
    [
        ((1, 2, 3), None, 0),
        ((1, 3, 6), None, 3),
        ((2, 2, 3), None, 0),
        ((65_534, 1), None, 2),
        ((500, 40_000), None, 0),
        ((98, 99, 0, 1), 100, 0),
        ((98, 1), 100, 2),
    ],
    ids=["none", "two gaps", "seen twice", "across the wrap", "a restart", "loop", "gap across the loop"],
)
def test_missing_frames_counts_numbers_that_were_skipped(numbers, loop_frames, missing):
    assert missing_frames(numbered(*numbers), loop_frames) == missing


def test_photon_delay_ends_with_the_first_frame_that_answers_the_message():
    frames = [answering(4, 90.0), answering(4, 110.0), answering(5, 130.0), answering(5, 147.0)]

    assert photon_delays_ms([[5, 100.0]], frames, offset_ms=0.0) == [30.0]


def test_photon_delay_takes_the_answer_to_a_later_message_and_wrapped_numbers():
    assert photon_delays_ms([[255, 100.0]], [answering(254, 120.0), answering(1, 140.0)], 0.0) == [40.0]


def test_photon_delay_is_missing_where_nothing_answers():
    assert photon_delays_ms([[5, 100.0]], [answering(4, 120.0), answering(5, 90.0)], 0.0) == []


def test_stages_are_all_there_in_order_and_add_up_to_the_median_age():
    frames = [
        Seen(n, 0, drawn_ms=100.0 * n, captured_ms=100.0 * n + 1, received_ms=100.0 * n + 9, decode_ms=2.0,
             seen_ms=100.0 * n + 15 + n)
        for n in range(5)
    ]  # fmt: skip
    server_us = [{"encode": 5_000, "packetize": 100, "send": 1_000}, {"encode": 5_200, "packetize": 100, "send": 900}]

    stages = stages_ms(frames, server_us)

    assert list(stages) == ["capture", "convert", "encode", "packetize", "send", "arrive", "decode", "present"]
    assert stages["capture"] == 1.0
    assert stages["convert"] == 0.0
    assert stages["encode"] == pytest.approx(5.1)
    assert sum(stages.values()) == pytest.approx(17.0, abs=0.05)


def test_stages_are_unknown_without_arrival_times():
    assert stages_ms(numbered(1, 2), [{"encode": 1}]) == {}
