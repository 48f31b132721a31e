from dataclasses import replace

import pytest

from streamer.bench.machine import Load
from streamer.bench.network.capacity import step_at
from streamer.bench.network.link import Fate
from streamer.bench.network.live.figures import figures_of
from streamer.bench.network.live.measurement import SIZE, Measurement
from streamer.bench.network.live.packet_log import DOWN, Packet, PacketLog
from streamer.bench.network.live.scenarios import LIVE_SCENARIOS, Activity
from streamer.bench.network.live.timelines import timeline_of
from streamer.bench.network.live.viewer import Observation
from streamer.bench.stamps import Seen
from streamer.media.frame import Resolution

_BEGAN_US = 5_000_000
_BEGAN_MS = _BEGAN_US // 1_000
_AGE_MS = 45.0
_PACKET_BYTES = 5_000
_INBOUND = {"freezeCount": 1, "totalFreezesDuration": 0.25, "keyFramesDecoded": 2, "nackCount": 3, "pliCount": 0}


def _packets(scenario):
    """Return packets that use the link up at each moment, but for its outages, and wait 10 ms each."""
    packets, at_us = [], 0
    while at_us < scenario.seconds * 1_000_000:
        fate = Fate.LOST if any(low <= at_us < high for low, high in scenario.down.outages) else Fate.CARRIED
        departed_us = _BEGAN_US + at_us + 10_000 if fate is Fate.CARRIED else None
        packets.append(
            Packet(DOWN, _BEGAN_US + at_us, departed_us, departed_us, departed_us, _PACKET_BYTES, fate, True)
        )
        at_us += _PACKET_BYTES * 8 * 1_000_000 // step_at(scenario.steps, at_us)
    return packets


def _frames(scenario, presses_ms=()):
    """Return frames of 50 per second, each showing the presses before it was drawn."""
    frames = []
    for number, offset_ms in enumerate(range(0, round(scenario.seconds * 1_000), 20)):
        drawn_ms = float(_BEGAN_MS + offset_ms)
        frames.append(Seen(number, sum(at_ms <= drawn_ms for at_ms in presses_ms) % 256, drawn_ms, drawn_ms + _AGE_MS))
    return frames


def _measured(scenario, presses_ms=(), **observed):
    frames = _frames(scenario, presses_ms)
    seen = {"decoded": frames, "presented": frames, "targets": [(_BEGAN_MS + 1_000.0, 3_000_000)], **observed}
    observation = Observation(presses_ms=list(presses_ms), sizes=[(float(_BEGAN_MS), SIZE)], inbound=_INBOUND, **seen)
    log = PacketLog(_BEGAN_US, _packets(scenario), [])
    return Measurement(scenario, log, observation, Load(1.0, {}, 0.5, 0.0), "a server", "a browser")


@pytest.fixture(params=list(LIVE_SCENARIOS))
def scenario(request):
    return LIVE_SCENARIOS[request.param]


def test_every_goal_is_about_a_figure_that_its_scenario_has(scenario):
    presses_ms = [_BEGAN_MS + 2_000.0] if scenario.activity is not Activity.WATCH else []

    figures = figures_of(_measured(scenario, presses_ms))

    assert {goal.metric for goal in scenario.goals} <= {name for name, value in figures.items() if value is not None}


def test_timeline_spans_the_run(scenario):
    timeline = timeline_of(_measured(scenario))

    assert timeline.capacity[0] == (0, 8_000_000)
    assert timeline.capacity[-1] == (scenario.seconds, 8_000_000)
    assert timeline.rates["target"] == [(1.0, 3_000_000)]
    assert timeline.frames["decoded"][50] == (1.0, _AGE_MS)
    assert timeline.queue[0] == (0, 10)
    assert len(timeline.events) == 2 * len(scenario.down.outages)


def test_link_that_was_used_up_has_no_slow_figure():
    figures = figures_of(_measured(LIVE_SCENARIOS["L2"]))

    assert figures["utilisation_percent"] == pytest.approx(100, abs=0.1)
    assert (figures["reached_s"], figures["recovery_s"], figures["drain_s"]) == (0.5, 0.5, 0)
    assert (figures["queue_p95_ms"], figures["tail_drops"], figures["losses"]) == (10, 0, 0)


def test_silence_is_seen_in_gap_and_losses():
    scenario = LIVE_SCENARIOS["L7"]
    frames = [frame for frame in _frames(scenario) if not 10_000 <= frame.drawn_ms - _BEGAN_MS < 10_700]

    figures = figures_of(_measured(scenario, decoded=frames))

    assert figures["longest_gap_s"] == pytest.approx(0.72)
    assert figures["age_recovery_s"] == pytest.approx(_AGE_MS / 1_000)
    assert figures["losses"] == 140


def test_rate_that_never_comes_back_is_none_even_when_others_do():
    scenario = LIVE_SCENARIOS["L2"]
    measured = _measured(scenario)
    packets = [packet for packet in measured.log.down if packet.entered_us < _BEGAN_US + 40_000_000]

    figures = figures_of(replace(measured, log=PacketLog(_BEGAN_US, packets, [])))

    assert figures["recovery_s"] is None


def test_old_picture_of_a_still_desktop_says_nothing_of_the_way():
    scenario = LIVE_SCENARIOS["L8"]
    old = Seen(99, 0, _BEGAN_MS - 2_000.0, _BEGAN_MS + 100.0)

    figures = figures_of(_measured(scenario, [_BEGAN_MS + 6_000.0], decoded=[old, *_frames(scenario)]))

    assert figures["worst_age_s"] == _AGE_MS / 1_000


def test_frame_rate_of_a_desktop_is_that_of_its_bursts():
    scenario = LIVE_SCENARIOS["L8"]
    press_ms = _BEGAN_MS + 6_000.0
    moving = [frame for frame in _frames(scenario) if press_ms <= frame.drawn_ms < press_ms + 3_000]

    figures = figures_of(_measured(scenario, [press_ms], decoded=moving))

    assert (figures["fps_p50"], figures["fps_worst_second"]) == (50, 50)


def test_press_that_is_never_shown_takes_for_ever():
    scenario = LIVE_SCENARIOS["L9"]
    presses_ms = [_BEGAN_MS + 1_000.0 * second for second in range(1, 20)]

    shown = figures_of(_measured(scenario, presses_ms))
    unshown = figures_of(_measured(scenario, presses_ms, presented=_frames(scenario, presses_ms)[:900]))

    assert (shown["presses"], shown["presses_shown"]) == (19, 19)
    assert shown["key_to_glass_p99_ms"] == _AGE_MS
    assert unshown["presses_shown"] == 17
    assert (unshown["key_to_glass_p50_ms"], unshown["key_to_glass_p99_ms"]) == (_AGE_MS, None)


def test_size_is_full_only_where_every_picture_was():
    measured = _measured(LIVE_SCENARIOS["L1"])
    sizes = [(0.0, Resolution(640, 360)), (1.0, SIZE), (2.0, SIZE), (3.0, SIZE)]

    figures = figures_of(replace(measured, observation=replace(measured.observation, sizes=sizes)))

    assert figures["full_size_percent"] == 75


def test_run_without_pictures_has_figures_of_the_link_alone():
    figures = figures_of(_measured(LIVE_SCENARIOS["L1"], decoded=[], presented=[]))

    assert figures["utilisation_percent"] is not None
    assert figures["worst_age_s"] is None
    assert "fps_p50" not in figures
