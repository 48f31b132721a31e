import pytest

from streamer.bench.network.goals import at_least, at_most, goals_as_json, missed


@pytest.mark.parametrize(
    ("value", "is_met"), [(0.9, True), (1.0, True), (1.1, False), (None, False)], ids=["below", "at", "above", "never"]
)
def test_upper_bound(value, is_met):
    assert at_most("drain_s", 1.0).is_met({"drain_s": value}) is is_met


@pytest.mark.parametrize(("value", "is_met"), [(92.0, True), (91.9, False)])
def test_lower_bound(value, is_met):
    assert at_least("utilisation_percent", 92).is_met({"utilisation_percent": value}) is is_met


def test_figure_that_is_missing_misses_its_goal():
    goals = (at_most("drain_s", 1.0), at_least("fps", 58))

    assert missed(goals, {"fps": 60}) == ["drain_s"]


def test_goals_are_written_by_metric():
    goals = (at_most("drain_s", 1.0), at_least("fps", 58))

    assert goals_as_json(goals) == {"drain_s": {"at_most": 1.0}, "fps": {"at_least": 58}}
