import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

from streamer.bench.network import command as bench
from streamer.bench.network.capacity import Trace
from streamer.bench.network.goals import at_most
from streamer.bench.network.metrics import measure
from streamer.bench.network.scenarios import SCENARIOS
from streamer.bench.network.simulation import simulate
from streamer.congestion.estimator import make_estimator
from streamer.congestion.path_estimator import PathEstimator
from streamer.errors import ConfigError

_S = 1_000_000


@pytest.fixture
def _short(monkeypatch):
    """Let all scenarios be over soon, with one goal that is easily met."""
    for name, scenario in SCENARIOS.items():
        goals = (at_most("freezes_per_min", 60),)
        monkeypatch.setitem(SCENARIOS, name, replace(scenario, duration_us=1 * _S, event=None, goals=goals))


def _run(*arguments):
    return CliRunner().invoke(bench.command, arguments)


@pytest.mark.parametrize(
    ("names", "selected"),
    [
        ("S1", ["S1"]),
        ("s2b, S1", ["S2b", "S1"]),
        ("S2", ["S2"]),
        ("S9", ["S9a", "S9b", "S9c", "S9d", "S9e"]),
        ("S1,S1", ["S1"]),
        ("all", list(SCENARIOS)),
    ],
)
def test_scenarios_are_selected_by_name(names, selected):
    assert [scenario.name for scenario in bench.select(names)] == selected


def test_unknown_scenario_is_refused_with_those_that_there_are():
    with pytest.raises(ConfigError, match=r"'S99'.*S1, S2"):
        bench.select("S1,S99")


@pytest.mark.usefixtures("_short")
def test_command_writes_what_it_found(tmp_path):
    result = _run("--scenario", "S1,S9a", "--seeds", "2", "--json", str(tmp_path / "found.json"))

    assert result.exit_code == 0, result.output
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["passed"]
    assert [(each["name"], each["seed"]) for each in found["scenarios"]] == [
        *(("S1", 1), ("S1", 2)),
        *(("S9a", 1), ("S9a", 2)),
    ]
    assert all(
        set(each) == {"name", "title", "seed", "metrics", "goals", "passed"} and each["passed"]
        for each in found["scenarios"]
    )
    assert found["scenarios"][0]["goals"] == {"freezes_per_min": {"at_most": 60}}


@pytest.mark.usefixtures("_short")
def test_same_seed_writes_the_same_figures(tmp_path):
    for name in ("one", "other"):
        _run("--scenario", "S4", "--seed", "7", "--json", str(tmp_path / name))

    one, other = (json.loads((tmp_path / name).read_text())["scenarios"] for name in ("one", "other"))
    assert one == other


@pytest.mark.usefixtures("_short")
def test_missed_goal_is_status_1(monkeypatch):
    monkeypatch.setitem(SCENARIOS, "S1", replace(SCENARIOS["S1"], goals=(at_most("queue_p95_ms", 0),)))

    result = _run("--scenario", "S1")

    assert result.exit_code == 1
    assert "MISSED" in result.output


def test_trace_is_a_scenario_of_its_own(tmp_path):
    (tmp_path / "lte.down").write_text("\n".join(map(str, range(1, 1001))))

    result = _run("--trace", str(tmp_path / "lte.down"), "--json", str(tmp_path / "found.json"))

    assert result.exit_code == 0
    (found,) = json.loads((tmp_path / "found.json").read_text())["scenarios"]
    assert found["name"] == "lte.down"
    assert found["goals"] == {}
    assert "utilisation_percent" in found["metrics"]


def test_long_trace_is_run_for_a_minute(tmp_path):
    (tmp_path / "trace").write_text("1\n500000")

    scenario = bench.trace_scenario(tmp_path / "trace")

    assert scenario.duration_us == 60 * _S
    assert scenario.forward.capacity == Trace((1, 500_000))


@pytest.mark.usefixtures("_short")
def test_picture_is_drawn(tmp_path):
    result = _run("--scenario", "S1", "--plot", str(tmp_path / "plot.png"))

    assert (tmp_path / "plot.png").is_file(), result.output


def test_another_estimator_can_be_put_in():
    assert bench.load_estimator("streamer.congestion.path_estimator:PathEstimator") is PathEstimator
    assert bench.load_estimator(None) is make_estimator


@pytest.mark.parametrize("name", ["nowhere:factory", "streamer.errors:nothing", "streamer.errors", "streamer:__doc__"])
def test_estimator_that_is_none_is_refused(name):
    with pytest.raises(ConfigError, match="--estimator"):
        bench.load_estimator(name)


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_goals_are_about_figures_that_there_are(scenario):
    # Long enough for every step and event to be in it, too short for anything to be reached.
    brief = replace(scenario, duration_us=200_000, event=scenario.event and (100_000, 150_000))

    figures = measure(brief, simulate(brief, 1))

    assert {goal.metric for goal in scenario.goals} - set(figures) <= {"recovery_s", "drain_s"}
