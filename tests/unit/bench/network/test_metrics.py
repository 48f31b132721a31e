import pytest

from streamer.bench.network.capacity import Steps, constant
from streamer.bench.network.cross_traffic import Transfers
from streamer.bench.network.link import Fate, LinkSettings
from streamer.bench.network.metrics import count_freezes, count_reversals, measure
from streamer.bench.network.recording import CrossRecord, FrameRecord, Moment, Recording, StreamRecord
from streamer.bench.network.scenario import CrossTraffic, Scenario, Stream

_S = 1_000_000
_MS = 1_000
_BASE_US = 20_000


def _scenario(capacity=constant(8_000_000), duration_s=10, **changes):  # noqa: B008 - a frozen value
    return Scenario("name", "title", duration_s * _S, LinkSettings(capacity, delay_us=_BASE_US), **changes)


def _recording(scenario):
    """Return an empty recording of its streams."""
    recording = Recording(scenario.duration_us)
    recording.streams = [StreamRecord(stream.name, stream.starts_at_us, 60.0) for stream in scenario.streams]
    recording.cross = [CrossRecord(cross.name) for cross in scenario.cross]
    return recording


def _receive(record, from_s, to_s, bps):
    """Let a record receive evenly: a packet each ms."""
    for at_us in range(round(from_s * _S), round(to_s * _S), _MS):
        record.received(at_us, bps // 8 // 1_000)


def _queue(recording, entered_us, queue_us):
    recording.forward.carried(entered_us, entered_us + queue_us, 1_000)


def _frame(record, capture_us, delay_us, *, is_keyframe=False):
    done_us = None if delay_us is None else capture_us + delay_us
    record.frames.append(FrameRecord(capture_us, 1_000, is_keyframe, done_us))


def test_utilisation_counts_the_start_too():
    scenario = _scenario()
    recording = _recording(scenario)
    _receive(recording.streams[0], 2, 10, 8_000_000)

    assert measure(scenario, recording)["utilisation_percent"] == pytest.approx(80)


def test_capacity_is_reached_when_a_short_window_says_so():
    scenario = _scenario()
    recording = _recording(scenario)
    _receive(recording.streams[0], 0, 3, 4_000_000)
    _receive(recording.streams[0], 3, 10, 8_000_000)

    # 0.5 x + 1 (1 - x) = 0.85 at x = 0.3 of 100 ms.
    assert measure(scenario, recording)["reached_s"] == pytest.approx(3.07, abs=0.011)


def test_capacity_that_is_never_reached_has_no_time():
    scenario = _scenario()
    recording = _recording(scenario)
    _receive(recording.streams[0], 0, 10, 6_000_000)

    assert measure(scenario, recording)["reached_s"] is None


def test_recovery_is_the_worst_of_all_steps_up():
    scenario = _scenario(Steps(((0, 4_000_000), (2 * _S, 8_000_000), (5 * _S, 4_000_000), (7 * _S, 8_000_000))))
    recording = _recording(scenario)
    for from_s, to_s, bps in ((0, 3, 4_000_000), (3, 5, 8_000_000), (5, 9, 4_000_000), (9, 10, 8_000_000)):
        _receive(recording.streams[0], from_s, to_s, bps)

    assert measure(scenario, recording)["recovery_s"] == pytest.approx(2.07, abs=0.011)


def test_one_step_that_is_not_recovered_from_is_the_worst():
    scenario = _scenario(Steps(((0, 4_000_000), (2 * _S, 8_000_000), (7 * _S, 16_000_000))))
    recording = _recording(scenario)
    _receive(recording.streams[0], 0, 10, 8_000_000)

    assert measure(scenario, recording)["recovery_s"] is None


def test_queue_is_drained_when_it_is_short_for_good():
    scenario = _scenario(Steps(((0, 8_000_000), (2 * _S, 4_000_000), (6 * _S, 8_000_000))))
    recording = _recording(scenario)
    for entered_us, queue_us in ((1_900_000, 5_000), (2_100_000, 133_000), (2_500_000, 10_000), (3_000_000, 43_000)):
        _queue(recording, entered_us, queue_us)
    # After the next step it is none of this one's business.
    _queue(recording, 6_500_000, 100_000)

    # At 3.01 s the last one had 33 ms left.
    assert measure(scenario, recording)["drain_s"] == pytest.approx(1.01)


def test_queue_that_never_grows_is_drained_at_once():
    scenario = _scenario(Steps(((0, 8_000_000), (2 * _S, 4_000_000))))
    recording = _recording(scenario)
    _queue(recording, 2_100_000, 20_000)

    assert measure(scenario, recording)["drain_s"] == 0


def test_queue_percentiles_are_those_of_packets():
    scenario = _scenario()
    recording = _recording(scenario)
    for number in range(1, 101):
        _queue(recording, number, number * _MS)
    recording.forward.dropped(5, Fate.QUEUE_FULL)
    recording.forward.dropped(6, Fate.LOST)

    figures = measure(scenario, recording)

    assert (figures["queue_p50_ms"], figures["queue_p95_ms"], figures["queue_p99_ms"]) == (50, 95, 99)
    assert figures["tail_drops"] == 1
    assert figures["lost_percent"] == pytest.approx(1.96)


def test_delays_are_over_the_empty_path():
    scenario = _scenario(streams=(Stream(extra_delay_us=10_000),))
    recording = _recording(scenario)
    for number in range(100):
        _frame(recording.streams[0], number * 16_667, 40_000)

    figures = measure(scenario, recording)

    assert figures["delay_p95_ms"] == 10
    assert figures["full_delay_p95_ms"] == 40


def test_base_delay_follows_the_route():
    scenario = Scenario("", "", 10 * _S, LinkSettings(delay_us=_BASE_US, delay_steps=((1 * _S, 80_000),)))
    recording = _recording(scenario)
    _frame(recording.streams[0], 500_000, 25_000)
    _frame(recording.streams[0], 2_000_000, 85_000)

    assert measure(scenario, recording)["delay_p99_ms"] == 5


def test_frame_is_late_33_ms_over_base_or_when_never_decoded():
    scenario = _scenario()
    recording = _recording(scenario)
    for number, delay_us in enumerate([_BASE_US + 33_000] * 7 + [_BASE_US + 33_001, None, _BASE_US]):
        _frame(recording.streams[0], number * 16_667, delay_us)

    figures = measure(scenario, recording)

    assert figures["late_percent"] == 20
    # The one that was never decoded was replaced by the next one.
    assert figures["delay_p99_ms"] == 33.0


def test_first_picture_is_the_worst_of_all_streams():
    scenario = _scenario(streams=(Stream("first"), Stream("second", starts_at_us=2 * _S)))
    recording = _recording(scenario)
    _frame(recording.streams[0], 0, 30_000, is_keyframe=True)
    _frame(recording.streams[1], 2 * _S, None, is_keyframe=True)
    _frame(recording.streams[1], 2_500_000, 40_000, is_keyframe=True)

    assert measure(scenario, recording)["first_picture_s"] == 0.54


def test_frame_on_its_way_at_the_end_does_not_count():
    scenario = _scenario()
    recording = _recording(scenario)
    _frame(recording.streams[0], 1 * _S, 30_000)
    _frame(recording.streams[0], 9_990_000, None)

    assert measure(scenario, recording)["late_percent"] == 0


def _at_60_fps(record, from_frame, to_frame, delay_us=_BASE_US):
    for number in range(from_frame, to_frame):
        _frame(record, number * 16_667, delay_us)


def test_freeze_is_a_long_pause_while_there_was_something_new():
    record = StreamRecord("ours", 0, 60.0)
    _at_60_fps(record, 0, 60)
    _at_60_fps(record, 60, 72, delay_us=None)
    _at_60_fps(record, 72, 120)

    assert count_freezes(record, lambda _: _BASE_US) == 1


def test_pause_of_150_ms_is_no_freeze():
    record = StreamRecord("ours", 0, 60.0)
    _at_60_fps(record, 0, 60)
    _at_60_fps(record, 60, 68, delay_us=None)
    _at_60_fps(record, 68, 120)

    assert count_freezes(record, lambda _: _BASE_US) == 0


def test_skipped_pictures_can_be_a_freeze():
    record = StreamRecord("ours", 0, 60.0)
    _at_60_fps(record, 0, 60)
    record.skipped_at_us += [number * 16_667 for number in range(60, 72)]
    _at_60_fps(record, 72, 120)

    assert count_freezes(record, lambda _: _BASE_US) == 1


def test_still_screen_is_no_freeze():
    record = StreamRecord("ours", 0, 60.0)
    _at_60_fps(record, 0, 60)
    _at_60_fps(record, 120, 180)

    assert count_freezes(record, lambda _: _BASE_US) == 0


def test_keyframes_after_the_first_one_are_counted():
    scenario = _scenario()
    recording = _recording(scenario)
    for number in range(600):
        _frame(recording.streams[0], number * 16_667, _BASE_US, is_keyframe=number in {0, 100, 200})
    recording.streams[0].skipped_at_us += [1, 2, 3]

    figures = measure(scenario, recording)

    assert figures["keyframes_per_5_s"] == 1
    assert figures["fps"] == 60
    assert figures["skipped_percent"] == pytest.approx(0.5)


def test_jain_index_begins_20_s_after_the_last_one_joined():
    scenario = _scenario(duration_s=60, streams=(Stream("first"), Stream("second", starts_at_us=10 * _S)))
    recording = _recording(scenario)
    _receive(recording.streams[0], 0, 20, 8_000_000)
    _receive(recording.streams[0], 20, 60, 4_000_000)
    _receive(recording.streams[1], 20, 60, 4_000_000)

    figures = measure(scenario, recording)

    assert figures["jain"] == 1
    # At 0.5 of the window equal and 0.5 alone: 1.5, 0.5 -> 0.8; at 0.67: 1.33, 0.67 -> 0.9.
    assert figures["jain_s"] == pytest.approx(11.35, abs=0.15)


def test_unfair_streams_never_become_fair():
    scenario = _scenario(duration_s=60, streams=(Stream("first"), Stream("second")))
    recording = _recording(scenario)
    _receive(recording.streams[0], 0, 60, 8_000_000)

    figures = measure(scenario, recording)

    assert figures["jain"] == 0.5
    assert figures["jain_s"] is None


def test_share_is_that_since_other_traffic_began():
    scenario = _scenario(cross=(CrossTraffic(starts_at_us=2 * _S, transfers=Transfers()),))
    recording = _recording(scenario)
    _receive(recording.streams[0], 0, 5, 2_000_000)
    _receive(recording.streams[0], 8, 10, 2_000_000)
    _receive(recording.cross[0], 2, 10, 6_000_000)

    figures = measure(scenario, recording)

    assert figures["share_percent"] == pytest.approx(100 * 10 / (10 + 48), abs=0.1)
    # Less than 0.4 of the 2 Mbit in a second: all windows that begin between 4.8 and 7.2 s.
    assert figures["starved_s"] == pytest.approx(2.4, abs=0.02)


def test_aftermath_compares_with_the_time_before():
    scenario = _scenario(duration_s=30, event=(10 * _S, 11 * _S))
    recording = _recording(scenario)
    _receive(recording.streams[0], 0, 10, 8_000_000)
    _receive(recording.streams[0], 11, 13, 3_000_000)
    _receive(recording.streams[0], 13, 30, 8_000_000)

    # 200 ms windows that reach 40 ms or less into the time after 13 s.
    assert measure(scenario, recording)["below_half_s"] == pytest.approx(1.85, abs=0.02)


def test_reversals_are_those_of_the_target_after_the_event():
    scenario = _scenario(duration_s=30, event=(10 * _S, 11 * _S))
    recording = _recording(scenario)
    targets = [8, 4, 8, 4] + [8] * 8 + [4] + [8] * 17
    recording.streams[0].moments = [Moment(at * _S, 0, mbps * 1_000_000, 0) for at, mbps in enumerate(targets)]

    assert measure(scenario, recording)["reversals"] == 1


@pytest.mark.parametrize(
    ("values", "reversals"),
    [
        ([], 0),
        ([10, 10, 10], 0),
        ([10, 12, 15], 0),
        ([10, 11, 10, 11, 10], 0),
        ([10, 5, 10], 1),
        ([10, 5, 5.5, 5, 10, 10, 8], 2),
        ([10, 5, 10, 5, 10], 3),
    ],
)
def test_reversals_end_a_way_of_15_percent_and_begin_another(values, reversals):
    assert count_reversals(values) == reversals
