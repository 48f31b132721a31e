"""What a scenario must reach, as data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Metrics = Mapping[str, float | int | None]


@dataclass(frozen=True, slots=True)
class Goal:
    """Bounds of one figure. A figure that is missing, or that was never reached, misses its goal."""

    metric: str
    at_most: float | None = None
    at_least: float | None = None

    def is_met(self, metrics: Metrics) -> bool:
        """Return whether the figure lies within the bounds."""
        value = metrics.get(self.metric)
        if value is None:
            return False
        return (self.at_most is None or value <= self.at_most) and (self.at_least is None or value >= self.at_least)

    def as_json(self) -> dict[str, float]:
        """Return the bounds that there are."""
        bounds = {"at_most": self.at_most, "at_least": self.at_least}
        return {name: bound for name, bound in bounds.items() if bound is not None}


def at_most(metric: str, bound: float) -> Goal:
    """Return an upper bound of a figure."""
    return Goal(metric, at_most=bound)


def at_least(metric: str, bound: float) -> Goal:
    """Return a lower bound of a figure."""
    return Goal(metric, at_least=bound)


def goals_as_json(goals: Sequence[Goal]) -> dict[str, dict[str, float]]:
    """Return the goals by metric."""
    return {goal.metric: goal.as_json() for goal in goals}


def missed(goals: Sequence[Goal], metrics: Metrics) -> list[str]:
    """Return the metrics whose goals are not met."""
    return [goal.metric for goal in goals if not goal.is_met(metrics)]
