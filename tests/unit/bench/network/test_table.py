from streamer.bench.network.table import print_goals


def _run(seed, metrics, goals):
    return {"name": "S0", "seed": seed, "metrics": metrics, "goals": goals, "passed": True}


def _lines(capsys, *runs):
    print_goals(runs)
    return [line.split() for line in capsys.readouterr().out.splitlines()[1:]]


def test_table_shows_each_goal_and_what_was_reached(capsys):
    goals = {"drain_s": {"at_most": 0.8}, "fps": {"at_least": 58}}

    lines = _lines(capsys, _run(1, {"drain_s": 0.7, "fps": 50}, goals))

    assert lines == [["S0", "drain_s", "<=", "0.8", "0.7"], ["fps", ">=", "58", "50", "MISSED"]]


def test_table_shows_the_range_over_seeds(capsys):
    goals = {"drain_s": {"at_most": 0.8}}
    runs = [_run(seed, {"drain_s": drain_s}, goals) for seed, drain_s in enumerate((0.7, 0.9, None, 0.5))]

    (line,) = _lines(capsys, *runs)

    assert " ".join(line) == "S0 drain_s <= 0.8 0.5 to 0.9 to never MISSED in 2 of 4"


def test_scenario_without_goals_shows_how_it_went(capsys):
    lines = _lines(capsys, _run(1, {"mbps": 8.2, "jain": 1.0, "fps": 60}, {}))

    assert lines == [["S0", "mbps", "8.2"], ["fps", "60"]]
