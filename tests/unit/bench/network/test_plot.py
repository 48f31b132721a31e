import pytest

from streamer.bench.network.capacity import Steps, Trace
from streamer.bench.network.link import Fate, LinkSettings
from streamer.bench.network.plot import draw
from streamer.bench.network.recording import CrossRecord, FrameRecord, Moment, Recording, StreamRecord
from streamer.bench.network.scenario import CrossTraffic, Scenario, Stream
from streamer.bench.network.timeline import capacity_curve, timeline_of

_S = 1_000_000


@pytest.fixture
def run():
    """A scenario in which everything happens, and a recording of it."""
    scenario = Scenario(
        "S0",
        "everything",
        10 * _S,
        LinkSettings(Steps(((0, 8_000_000), (5 * _S, 4_000_000))), outages=((3 * _S, 4 * _S),)),
        LinkSettings(delay_steps=((7 * _S, 80_000),)),
        streams=(Stream("first"), Stream("second")),
        cross=(CrossTraffic(),),
    )
    recording = Recording(scenario.duration_us)
    for name in ("first", "second"):
        frames = [FrameRecord(at * 100_000, 5_000, at % 50 == 0, at * 100_000 + 30_000) for at in range(90)]
        frames.append(FrameRecord(9_000_000, 5_000, is_keyframe=False))
        stream = StreamRecord(name, 0, 10.0, frames=frames)
        stream.moments = [Moment(frame.capture_us, 4_000_000, 3_600_000, 0) for frame in frames]
        for frame in frames:
            stream.received(frame.capture_us + 30_000, 5_000)
        recording.streams.append(stream)
    recording.cross.append(CrossRecord("cubic"))
    for at_us in range(0, 10 * _S, 1_000):
        recording.forward.carried(at_us, at_us + at_us % 7_000, 1_000)
    recording.forward.dropped(6 * _S, Fate.QUEUE_FULL)
    recording.forward.dropped(6 * _S, Fate.LOST)
    return scenario, recording


def test_timeline_tells_what_happened(run):
    timeline = timeline_of(*run)

    assert timeline.capacity == [(0.0, 8_000_000), (5.0, 4_000_000), (10.0, 4_000_000)]
    assert set(timeline.rates) == {
        *("first: received", "first: target"),
        *("second: received", "second: target"),
        "cubic",
    }
    assert timeline.frames["first"][1] == (0.1, 30.0)
    assert timeline.frames["first"][-1] == (9.0, None)
    assert timeline.late_ms == 53
    assert timeline.drops_s == [6.0]
    assert timeline.events == [(3.0, "outage"), (5.0, "keyframe"), (5.0, "keyframe"), (7.0, "back 80 ms")]


def test_queue_of_a_timeline_is_the_worst_of_each_span(run):
    timeline = timeline_of(*run)

    assert len(timeline.queue) <= 1_600
    assert max(queue_ms for _, queue_ms in timeline.queue) == 6


def test_capacity_of_a_trace_is_its_mean_over_short_spans():
    # 10 opportunities in 100 ms are 1.2 Mbit/s.
    trace = Trace((*range(5, 100, 10), 300))

    assert capacity_curve(trace, 200_000) == [(0.0, 1_200_000), (0.1, 0)]


def test_link_without_capacity_has_no_curve():
    assert capacity_curve(None, _S) == []


def test_picture_is_drawn(run, tmp_path):
    files = draw(tmp_path / "plot.png", [timeline_of(*run)])

    assert files == [tmp_path / "plot.png"]
    assert files[0].read_bytes().startswith(b"\x89PNG")


def test_several_runs_have_a_file_each(run, tmp_path):
    timeline = timeline_of(*run)

    files = draw(tmp_path / "plot.png", [timeline, timeline])

    assert [file.name for file in files] == ["plot-S0.png", "plot-S0.png"]


def test_run_without_a_frame_is_drawn(tmp_path):
    scenario = Scenario("S0", "nothing", _S, LinkSettings())
    recording = Recording(_S, streams=[StreamRecord("ours", 0, 60.0)])

    (file,) = draw(tmp_path / "plot.png", [timeline_of(scenario, recording)])

    assert file.is_file()
