"""What happened over time in one run, simulated or real, as the plot shows it."""

from dataclasses import dataclass, field

# (s, value) in the order of time.
Curve = list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Timeline:
    """One run. Rates are in bit/s, delays in ms, times in seconds from its beginning.

    `frames` is (captured_s, delay_ms) per stream, None for a frame that was never complete; `late_ms` is the delay above
    which a frame is late. `events` are (s, what) to be marked: steps, keyframes, outages.
    """

    name: str
    title: str
    duration_s: float
    capacity: Curve
    rates: dict[str, Curve]
    queue: Curve
    frames: dict[str, list[tuple[float, float | None]]]
    late_ms: float | None = None
    drops_s: list[float] = field(default_factory=list)
    events: list[tuple[float, str]] = field(default_factory=list)
