"""One network, what runs over it, and what it must reach: a value that a simulation can be made from."""

from dataclasses import dataclass, field

from streamer.bench.network.content import MOVING, Content
from streamer.bench.network.cross_traffic import Transfers
from streamer.bench.network.goals import Goal
from streamer.bench.network.link import LinkSettings
from streamer.bench.network.receiver import ReceiverClock
from streamer.congestion.decision import RateLimits

# The user's maximum lies above every capacity here, unless a scenario says otherwise: it shall not be the limit.
DEFAULT_LIMITS = RateLimits(min_bps=300_000, start_bps=3_000_000, max_bps=50_000_000)


@dataclass(frozen=True, slots=True)
class Stream:
    """One of our own streams. `extra_delay_us` is what its way is longer than the shared link, in each direction.

    The sender's timers ring up to `timer_late_us` late. A stream that goes `backward` shares the backward link with the
    feedback of the others.
    """

    name: str = "ours"
    starts_at_us: int = 0
    pauses: tuple[tuple[int, int], ...] = ()
    content: Content = MOVING
    fps: float = 60.0
    limits: RateLimits = DEFAULT_LIMITS
    extra_delay_us: int = 0
    is_backward: bool = False
    timer_late_us: int = 0
    clock: ReceiverClock = field(default_factory=ReceiverClock)


@dataclass(frozen=True, slots=True)
class CrossTraffic:
    """One TCP-like flow on the forward link."""

    name: str = "cubic"
    starts_at_us: int = 0
    transfers: Transfers = field(default_factory=Transfers)


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is simulated.

    `event` is what happens to the network, from at_us to until_us, where figures about its aftermath are wanted.
    Goals are about the figures that metrics.py defines.
    """

    name: str
    title: str
    duration_us: int
    forward: LinkSettings
    backward: LinkSettings = field(default_factory=LinkSettings)
    streams: tuple[Stream, ...] = (Stream(),)
    cross: tuple[CrossTraffic, ...] = ()
    event: tuple[int, int] | None = None
    goals: tuple[Goal, ...] = ()
