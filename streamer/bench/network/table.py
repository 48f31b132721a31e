"""The table of a network bench: each goal beside what was reached, the worst of all seeds first."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from streamer.bench.network.goals import Goal
from streamer.bench.report import Result

# Figures that say how a run went where no goal asks for them.
_ALWAYS = ("mbps", "utilisation_percent", "queue_p95_ms", "delay_p95_ms", "late_percent", "freezes_per_min", "fps")


def print_goals(scenarios: Sequence[Result]) -> None:
    """Print a line for each goal, and for a few figures of scenarios without goals."""
    table = Table("scenario", "figure", "goal", "reached", "", box=None, pad_edge=False)
    for name in dict.fromkeys(each["name"] for each in scenarios):
        runs = [each for each in scenarios if each["name"] == name]
        for line in _lines(runs):
            table.add_row(*map(Text, line))
    Console().print(table)


def _lines(runs: Sequence[Result]) -> list[tuple[str, ...]]:
    """Return the lines of one scenario; the first one has its name."""
    goals = [Goal(metric, **bounds) for metric, bounds in runs[0]["goals"].items()]
    lines = [_goal_line(goal, [run["metrics"] for run in runs]) for goal in goals]
    if not goals:
        shown = [metric for metric in _ALWAYS if metric in runs[0]["metrics"]]
        lines = [(metric, "", _range([run["metrics"][metric] for run in runs]), "") for metric in shown]
    names = [runs[0]["name"]] + [""] * len(lines)
    return [(name, *line) for name, line in zip(names, lines, strict=False)]


def _goal_line(goal: Goal, metrics: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    bound = f"<= {goal.at_most:g}" if goal.at_most is not None else f">= {goal.at_least:g}"
    misses = sum(not goal.is_met(each) for each in metrics)
    verdict = "" if not misses else "MISSED" if len(metrics) == 1 else f"MISSED in {misses} of {len(metrics)}"
    return goal.metric, bound, _range([each.get(goal.metric) for each in metrics]), verdict


def _range(values: Sequence[float | None]) -> str:
    """Return one value, or the least and the most of several."""
    shown = ["never" if value is None else f"{value:g}" for value in values]
    if len(set(shown)) == 1:
        return shown[0]
    known = sorted(value for value in values if value is not None)
    parts = [f"{known[0]:g}", f"{known[-1]:g}"] if known else []
    return " to ".join(parts + (["never"] if None in values else []))
