"""What the live link does while a real stream goes through it, and what is to be reached: data."""

from dataclasses import dataclass, replace
from enum import Enum

from streamer.bench.network.capacity import Capacity, Steps, Trace, constant
from streamer.bench.network.goals import Goal
from streamer.bench.network.link import LinkSettings

_US_PER_S = 1_000_000
# How long the picture moves after a press.
BURST_S = 3.0
_MAX_TRACE_S = 60
_DELAY_US = 20_000
_QUEUE_US = 200_000
# Feedback and input take a small part of it.
_UP = LinkSettings(capacity=constant(10_000_000), delay_us=_DELAY_US, queue_us=_QUEUE_US)


class Activity(Enum):
    """What is streamed, and what the viewer does."""

    WATCH = "a picture that moves all the time is watched"
    BURSTS = "a still desktop that moves for a while after each press of a button"
    TYPING = "a still terminal in which a key is pressed now and then"


@dataclass(frozen=True, slots=True)
class LiveScenario:
    """One run. Time 0 is when the first media goes into the link. The link's time ends after `seconds`."""

    name: str
    title: str
    seconds: float
    down: LinkSettings
    goals: tuple[Goal, ...]
    up: LinkSettings = _UP
    activity: Activity = Activity.WATCH

    @property
    def capacity(self) -> Capacity:
        """What the link carries downwards."""
        assert self.down.capacity is not None
        return self.down.capacity

    @property
    def steps(self) -> tuple[tuple[int, int], ...]:
        """The rates of the link downwards: (at_us, rate_bps); none where it follows a trace."""
        return self.capacity.steps if isinstance(self.capacity, Steps) else ()


def _link(*steps: tuple[float, int]) -> LinkSettings:
    """Return a link with these rates from these seconds on."""
    capacity = Steps(tuple((round(at_s * _US_PER_S), rate_bps) for at_s, rate_bps in steps))
    return LinkSettings(capacity=capacity, delay_us=_DELAY_US, queue_us=_QUEUE_US)


_8_MBPS = _link((0, 8_000_000))
_SILENCE_US = (10 * _US_PER_S, 10 * _US_PER_S + 700_000)

# Nothing that these links do is a reason to give a connection up.
_ONE_CONNECTION = Goal("reconnections", at_most=0)

_SCENARIOS = (
    LiveScenario(
        "L1",
        "8 Mbit/s",
        30,
        _8_MBPS,
        (
            Goal("reached_s", at_most=3.0),
            Goal("utilisation_after_5_s_percent", at_least=88),
            Goal("queue_p95_ms", at_most=20.0),
            Goal("on_screen_p50_ms", at_most=42.0),
            Goal("on_screen_p95_ms", at_most=60.0),
            Goal("full_size_percent", at_least=100),
        ),
    ),
    LiveScenario(
        "L2",
        "8, then 2, then 8 Mbit/s",
        60,
        _link((0, 8_000_000), (20, 2_000_000), (40, 8_000_000)),
        (
            Goal("drain_s", at_most=1.5),
            Goal("tail_drops", at_most=80),
            Goal("worst_age_s", at_most=0.5),
            Goal("freezes", at_most=1),
            Goal("freezes_s", at_most=0.5),
            Goal("recovery_s", at_most=4.0),
        ),
    ),
    LiveScenario(
        "L4",
        "8 Mbit/s with 2 % loss",
        30,
        replace(_8_MBPS, loss_ratio=0.02),
        (Goal("utilisation_after_5_s_percent", at_least=85), Goal("freezes", at_most=0)),
    ),
    LiveScenario(
        "L7",
        "8 Mbit/s with 700 ms of silence",
        30,
        replace(_8_MBPS, outages=(_SILENCE_US,)),
        (
            Goal("longest_gap_s", at_most=0.8),
            Goal("recovery_s", at_most=1.0),
            Goal("age_recovery_s", at_most=1.0),
        ),
        up=replace(_UP, outages=(_SILENCE_US,)),
    ),
    LiveScenario(
        "L8",
        "8 Mbit/s, a desktop that is still and moves in bursts",
        30,
        _8_MBPS,
        (Goal("worst_age_s", at_most=0.15), Goal("fps_worst_second", at_least=50)),
        activity=Activity.BURSTS,
    ),
    LiveScenario(
        "L9",
        "8 Mbit/s with 2 % loss, typing in a still terminal",
        60,
        replace(_8_MBPS, loss_ratio=0.02),
        (Goal("key_to_glass_p99_ms", at_most=150),),
        up=replace(_UP, loss_ratio=0.02),
        activity=Activity.TYPING,
    ),
)


def trace_scenario(name: str, trace: Trace) -> LiveScenario:
    """Return the scenario that a trace makes: its first minute, and nothing to be reached."""
    link = LinkSettings(capacity=trace, delay_us=_DELAY_US, queue_us=_QUEUE_US)
    seconds = min(_MAX_TRACE_S, trace.period_us / _US_PER_S)
    return LiveScenario(name, f"trace {name}", seconds, link, ())


LIVE_SCENARIOS = {each.name: replace(each, goals=(*each.goals, _ONE_CONNECTION)) for each in _SCENARIOS}
