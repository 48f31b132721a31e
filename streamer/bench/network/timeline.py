"""What happened over time in one run, simulated or real, as the plot shows it."""

from dataclasses import dataclass, field

from streamer.bench.network.capacity import Capacity, Steps
from streamer.bench.network.link import Fate, LinkSettings
from streamer.bench.network.metrics import LATE_US, UNDER_WAY_US
from streamer.bench.network.rates import Arrivals
from streamer.bench.network.recording import LinkRecord, Recording, StreamRecord
from streamer.bench.network.scenario import Scenario

# (s, value) in the order of time.
Curve = list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Timeline:
    """One run. Rates are in bit/s, delays in ms, times in seconds from its beginning.

    `frames` is (captured_s, delay_ms) per stream, None for a frame that was never complete; `late_ms` is the delay
    above which a frame is late. `events` are (s, what) to be marked: steps, keyframes, outages.
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


# Six frames at 60 fps: short enough to show a reaction, long enough not to show each frame.
_WINDOW_US = 100_000
# A plot is some two thousand pixels wide; the worst packet of each span is what matters.
_QUEUE_SPANS = 1_500
_US_PER_S = 1_000_000


def timeline_of(scenario: Scenario, recording: Recording) -> Timeline:
    """Return what happened in a simulated run."""
    end_us = recording.duration_us
    rates: dict[str, Curve] = {}
    for stream in recording.streams:
        prefix = f"{stream.name}: " if len(recording.streams) > 1 else ""
        rates[f"{prefix}received"] = Arrivals(stream.received_at_us, stream.received_bytes).curve(end_us, _WINDOW_US)
        rates[f"{prefix}target"] = [(each.at_us / _US_PER_S, each.target_bps) for each in stream.moments]
    for cross in recording.cross:
        rates[cross.name] = Arrivals(cross.received_at_us, cross.received_bytes).curve(end_us, _WINDOW_US)
    base_us = scenario.forward.delay_us + min(stream.extra_delay_us for stream in scenario.streams)
    return Timeline(
        name=scenario.name,
        title=f"{scenario.name}: {scenario.title}",
        duration_s=end_us / _US_PER_S,
        capacity=capacity_curve(scenario.forward.capacity, end_us),
        rates=rates,
        queue=_queue_curve(recording.forward, end_us),
        frames={stream.name: _delays(stream, end_us) for stream in recording.streams},
        late_ms=(base_us + LATE_US) / 1000,
        drops_s=[at_us / _US_PER_S for at_us, fate in recording.forward.drops if fate is not Fate.LOST],
        events=_events(scenario, recording),
    )


def _delays(stream: StreamRecord, end_us: int) -> list[tuple[float, float | None]]:
    """Return the delay of each frame, without those that were on their way at the end."""
    delays: list[tuple[float, float | None]] = []
    for frame in stream.frames:
        done_us = frame.completed_at_us
        if done_us is not None:
            delays.append((frame.capture_us / _US_PER_S, (done_us - frame.capture_us) / 1000))
        elif frame.capture_us <= end_us - UNDER_WAY_US:
            delays.append((frame.capture_us / _US_PER_S, None))
    return delays


def capacity_curve(capacity: Capacity | None, end_us: int) -> Curve:
    """Return the capacity: its steps, or the mean over short spans of a trace."""
    if capacity is None:
        return []
    if isinstance(capacity, Steps):
        steps = [(at_us / _US_PER_S, float(rate_bps)) for at_us, rate_bps in capacity.steps if at_us < end_us]
        return [*steps, (end_us / _US_PER_S, steps[-1][1])]
    starts_us = range(0, end_us - _WINDOW_US + 1, _WINDOW_US)
    return [
        (at_us / _US_PER_S, capacity.carried_bytes(at_us, at_us + _WINDOW_US) * 8 * _US_PER_S / _WINDOW_US)
        for at_us in starts_us
    ]


def _queue_curve(record: LinkRecord, end_us: int) -> Curve:
    """Return the longest delay in the queue of each span."""
    span_us = max(1, end_us // _QUEUE_SPANS)
    worst_us: dict[int, int] = {}
    for entered_us, departed_us in zip(record.entered_at_us, record.departed_at_us, strict=True):
        span = entered_us // span_us
        worst_us[span] = max(worst_us.get(span, 0), departed_us - entered_us)
    return [(span * span_us / _US_PER_S, queue_us / 1000) for span, queue_us in sorted(worst_us.items())]


def _events(scenario: Scenario, recording: Recording) -> list[tuple[float, str]]:
    events = [
        (frame.capture_us / _US_PER_S, "keyframe")
        for stream in recording.streams
        for frame in stream.frames[1:]
        if frame.is_keyframe
    ]
    events += _changes(scenario.forward, "") + _changes(scenario.backward, "back ")
    return sorted(events)


def _changes(link: LinkSettings, prefix: str) -> list[tuple[float, str]]:
    delays = [(at_us / _US_PER_S, f"{prefix}{delay_us // 1000} ms") for at_us, delay_us in link.delay_steps]
    outages = [(from_us / _US_PER_S, f"{prefix}outage") for from_us, _ in link.outages]
    return delays + outages
