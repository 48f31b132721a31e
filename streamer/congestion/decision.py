"""What a sender decides about its rate: one frozen value, replaced at every change.

Rules of this file: values only. Who decides is the estimator's business (estimator.py), who obeys the pacer's and the
allocator's.
"""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

# A frame of target / fps leaves within half a frame interval, headers included.
PACING_RATIO = 2.0
# Headers and resends take up to so much more than the video itself: what the user's rates need of the path.
OVERHEAD_RATIO = 1.1


@dataclass(frozen=True, slots=True)
class RateLimits:
    """What the user allows the video to take. The highest one is never exceeded."""

    min_bps: int
    start_bps: int
    max_bps: int


class Usage(StrEnum):
    """The delay detector's verdict on the path."""

    UNDER = "under"
    NORMAL = "normal"
    OVER = "over"


class Reason(StrEnum):
    """Why the estimate is what it is."""

    START = "start"
    GROWTH = "growth"
    HOLD = "hold"
    QUEUE = "queue"
    DRAINED = "drained"
    LOSS = "loss"
    PROBE = "probe"
    APPLICATION_LIMITED = "application-limited"
    COMPETITION = "competition"
    SILENCE = "silence"
    REMB = "remb"
    NO_FEEDBACK = "no-feedback"
    FIXED = "fixed"


@dataclass(frozen=True, slots=True)
class ProbeCluster:
    """A short burst that shows whether the path carries `rate_bps`: so many bytes at that rate."""

    number: int
    rate_bps: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Decision:
    """What holds from `at_us` on. `capacity_bps` is what the path passes at least, whether or not that may be used."""

    at_us: int
    estimate_bps: int
    target_bps: int
    pacing_bps: int
    in_flight_cap_bytes: int | None
    capacity_bps: int | None = None
    queue_us: int = 0
    rtt_us: int | None = None
    acked_bps: int = 0
    loss_ratio: float = 0.0
    usage: Usage = Usage.NORMAL
    is_application_limited: bool = False
    probe: ProbeCluster | None = None
    reason: Reason = Reason.START

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON knows them."""
        return asdict(self)
