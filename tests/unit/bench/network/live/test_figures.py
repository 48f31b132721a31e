from dataclasses import replace

import pytest

from streamer.bench.network.capacity import Trace
from streamer.bench.network.goals import missed
from streamer.bench.network.live.figures import figures_of
from streamer.bench.network.live.measurement import SIZE
from streamer.bench.network.live.packet_log import PacketLog
from streamer.bench.network.live.scenarios import LIVE_SCENARIOS, Activity, trace_scenario
from streamer.bench.network.live.timelines import timeline_of
from streamer.bench.stamps import Seen
from streamer.media.frame import Resolution
from tests.fakes.live_runs import AGE_MS, BEGAN_MS, BEGAN_US, frames_of, measured


@pytest.fixture(params=list(LIVE_SCENARIOS))
def scenario(request):
    return LIVE_SCENARIOS[request.param]


def test_every_goal_is_about_a_figure_that_its_scenario_has(scenario):
    presses_ms = [BEGAN_MS + 2_000.0] if scenario.activity is not Activity.WATCH else []

    figures = figures_of(measured(scenario, presses_ms))

    assert {goal.metric for goal in scenario.goals} <= {name for name, value in figures.items() if value is not None}


def test_timeline_spans_the_run(scenario):
    timeline = timeline_of(measured(scenario))

    assert timeline.capacity[0] == (0, 8_000_000)
    assert timeline.capacity[-1] == (scenario.seconds, 8_000_000)
    assert timeline.rates["target"] == [(1.0, 3_000_000)]
    assert timeline.frames["decoded"][50] == (1.0, AGE_MS)
    assert timeline.queue[0] == (0, 10)
    assert len(timeline.events) == 2 * len(scenario.down.outages)


def test_link_that_was_used_up_has_no_slow_figure():
    figures = figures_of(measured(LIVE_SCENARIOS["L2"]))

    assert figures["utilisation_percent"] == pytest.approx(100, abs=0.1)
    assert (figures["reached_s"], figures["recovery_s"], figures["drain_s"]) == (0.5, 0.5, 0)
    assert (figures["queue_p95_ms"], figures["tail_drops"], figures["losses"]) == (10, 0, 0)


def test_silence_is_seen_in_gap_and_losses():
    scenario = LIVE_SCENARIOS["L7"]
    frames = [frame for frame in frames_of(scenario) if not 10_000 <= frame.drawn_ms - BEGAN_MS < 10_700]

    figures = figures_of(measured(scenario, decoded=frames))

    assert figures["longest_gap_s"] == pytest.approx(0.72)
    assert figures["age_recovery_s"] == pytest.approx(AGE_MS / 1_000)
    assert figures["losses"] == 140


def test_picture_that_does_not_come_back_is_frozen_until_the_end():
    scenario = LIVE_SCENARIOS["L2"]
    until_30_s = [frame for frame in frames_of(scenario) if frame.seen_ms < BEGAN_MS + 30_000]

    figures = figures_of(measured(scenario, decoded=until_30_s))

    assert figures["freezes"] == 1
    assert figures["freezes_s"] == pytest.approx(30, abs=0.02)


def test_viewer_that_reconnected_misses_the_goal_of_every_scenario(scenario):
    figures = figures_of(measured(scenario, reconnections=1))

    assert figures["reconnections"] == 1
    assert "reconnections" in missed(scenario.goals, figures)


def test_still_desktop_does_not_freeze():
    figures = figures_of(measured(LIVE_SCENARIOS["L8"], [BEGAN_MS + 6_000.0]))

    assert "freezes" not in figures


def test_rate_that_never_comes_back_is_none_even_when_others_do():
    scenario = LIVE_SCENARIOS["L2"]
    run = measured(scenario)
    packets = [packet for packet in run.log.down if packet.entered_us < BEGAN_US + 40_000_000]

    figures = figures_of(replace(run, log=PacketLog(BEGAN_US, packets, [])))

    assert figures["recovery_s"] is None


def test_old_picture_of_a_still_desktop_says_nothing_of_the_way():
    scenario = LIVE_SCENARIOS["L8"]
    old = Seen(99, 0, BEGAN_MS - 2_000.0, BEGAN_MS + 100.0)

    figures = figures_of(measured(scenario, [BEGAN_MS + 6_000.0], decoded=[old, *frames_of(scenario)]))

    assert figures["worst_age_s"] == AGE_MS / 1_000


def test_first_picture_of_a_moving_source_counts_although_it_waited_to_be_sent():
    scenario = LIVE_SCENARIOS["L1"]
    first = Seen(99, 0, BEGAN_MS - 30.0, BEGAN_MS + 120.0)

    figures = figures_of(measured(scenario, decoded=[first, *frames_of(scenario)[6:]]))

    assert (figures["first_frame_s"], figures["worst_age_s"]) == (0.12, 0.15)


def test_frame_rate_of_a_desktop_is_that_of_its_bursts():
    scenario = LIVE_SCENARIOS["L8"]
    press_ms = BEGAN_MS + 6_000.0
    moving = [frame for frame in frames_of(scenario) if press_ms <= frame.drawn_ms < press_ms + 3_000]

    figures = figures_of(measured(scenario, [press_ms], decoded=moving))

    assert (figures["fps_p50"], figures["fps_worst_second"]) == (50, 50)


def test_press_that_is_never_shown_takes_for_ever():
    scenario = LIVE_SCENARIOS["L9"]
    presses_ms = [BEGAN_MS + 1_000.0 * second for second in range(1, 20)]

    shown = figures_of(measured(scenario, presses_ms))
    unshown = figures_of(measured(scenario, presses_ms, presented=frames_of(scenario, presses_ms)[:900]))

    assert (shown["presses"], shown["presses_shown"]) == (19, 19)
    assert shown["key_to_glass_p99_ms"] == AGE_MS
    assert unshown["presses_shown"] == 17
    assert (unshown["key_to_glass_p50_ms"], unshown["key_to_glass_p99_ms"]) == (AGE_MS, None)


def test_size_is_full_only_where_every_picture_was():
    run = measured(LIVE_SCENARIOS["L1"])
    sizes = [(0.0, Resolution(640, 360)), (1.0, SIZE), (2.0, SIZE), (3.0, SIZE)]

    figures = figures_of(replace(run, observation=replace(run.observation, sizes=sizes)))

    assert figures["full_size_percent"] == 75


def test_trace_is_a_scenario_without_steps_and_goals():
    # Of the second half of each second nothing can be used but its end.
    trace = Trace((*range(0, 500, 3), 1_000))
    scenario = trace_scenario("hollow", trace)

    figures = figures_of(measured(scenario))

    assert (scenario.seconds, scenario.goals) == (1, ())
    assert figures["utilisation_percent"] is not None
    assert "drain_s" not in figures
    assert timeline_of(measured(scenario)).capacity


def test_run_without_pictures_has_figures_of_the_link_alone():
    figures = figures_of(measured(LIVE_SCENARIOS["L1"], decoded=[], presented=[]))

    assert figures["utilisation_percent"] is not None
    assert figures["worst_age_s"] is None
    assert "fps_p50" not in figures
