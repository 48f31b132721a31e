"""What is on the screen, as far as an encoder's output shows it: how often it changes, and how much is new then."""

from bisect import bisect_right
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phase:
    """From `at_us` on, a new picture every so many frame intervals, None for a still screen.

    `size_ratio` is how much of the bits that it may have a new picture takes: 1 is a game, little is a blinking cursor.
    """

    at_us: int
    size_ratio: float = 1.0
    every_frames: int | None = 1


@dataclass(frozen=True, slots=True)
class Content:
    """Phases in order, the first at 0; they begin again after `period_us` where that is given."""

    phases: tuple[Phase, ...]
    period_us: int | None = None

    def phase(self, at_us: int) -> Phase:
        """Return what holds at an instant."""
        if self.period_us is not None:
            at_us %= self.period_us
        return self.phases[bisect_right(self.phases, at_us, key=lambda phase: phase.at_us) - 1]


MOVING = Content((Phase(0),))
