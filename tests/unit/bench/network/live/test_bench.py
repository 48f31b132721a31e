import json
from dataclasses import replace

import pytest

from streamer.bench.machine import Load
from streamer.bench.network.live.bench import result_of, run_live
from streamer.bench.network.live.packet_log import PacketLog
from streamer.bench.network.live.scenarios import LIVE_SCENARIOS
from streamer.errors import ConfigError
from tests.fakes.live_runs import frames_of, measured


def test_result_is_json_with_figures_beside_goals():
    scenario = LIVE_SCENARIOS["L4"]

    result = result_of(measured(scenario, decoded=frames_of(scenario)[:-500]))

    json.dumps(result, allow_nan=False)
    assert (result["name"], result["trusted"], result["distrust"]) == ("L4", True, [])
    assert result["goals"] == {
        "utilisation_after_5_s_percent": {"at_least": 85},
        "freezes": {"at_most": 0},
        "reconnections": {"at_most": 0},
    }
    assert result["metrics"]["freezes"] == 1
    assert not result["passed"]


def test_run_on_a_busy_machine_is_not_trusted():
    run = measured(LIVE_SCENARIOS["L1"])

    result = result_of(replace(run, load=Load(1.0, {}, idle_ratio=0.29, others_ratio=0.0)))

    assert result["distrust"] == ["the machine was idle 29% of the time, less than 30%"]
    assert not result["trusted"]


def test_run_over_a_link_that_was_late_is_not_trusted():
    run = measured(LIVE_SCENARIOS["L1"])
    packets = [packet._replace(delivered_us=packet.due_us + 2_500) for packet in run.log.down]

    result = result_of(replace(run, log=PacketLog(run.log.began_us, packets, [])))

    assert result["distrust"] == ["the link delivered packets up to 2.5 ms late (p99)"]


def test_scenario_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(ConfigError, match=r"'L3': with --live there are L1, L2, L4, L7, L8, L9"):
        run_live(["L1", "l3"])
