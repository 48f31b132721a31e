"""What a simulation remembers of a run, for figures and plots. Values only; what they mean is metrics.py's."""

from array import array
from dataclasses import dataclass, field

from streamer.bench.network.link import Fate


@dataclass(slots=True)
class FrameRecord:
    """One encoded frame. `completed_at_us` is when it could be decoded: it and all that it depends on had arrived."""

    capture_us: int
    size_bytes: int
    is_keyframe: bool
    completed_at_us: int | None = None


def _numbers() -> "array[int]":
    return array("q")


@dataclass(slots=True)
class LinkRecord:
    """Every packet that one direction carried or dropped, in columns."""

    entered_at_us: "array[int]" = field(default_factory=_numbers)
    departed_at_us: "array[int]" = field(default_factory=_numbers)
    sizes_bytes: "array[int]" = field(default_factory=_numbers)
    drops: list[tuple[int, Fate]] = field(default_factory=list)

    def carried(self, entered_at_us: int, departed_at_us: int, size_bytes: int) -> None:
        """Take note of a packet that arrived."""
        self.entered_at_us.append(entered_at_us)
        self.departed_at_us.append(departed_at_us)
        self.sizes_bytes.append(size_bytes)

    def dropped(self, now_us: int, fate: Fate) -> None:
        """Take note of a packet that did not get through."""
        self.drops.append((now_us, fate))


@dataclass(slots=True)
class Moment:
    """What the controller of one stream said when a frame was captured."""

    at_us: int
    estimate_bps: int
    target_bps: int
    backlog_us: int


@dataclass(slots=True)
class StreamRecord:
    """One of our own streams.

    Received bytes are those on the link, headers included, without padding, which nobody has any use for.
    """

    name: str
    starts_at_us: int
    fps: float
    frames: list[FrameRecord] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    skipped_at_us: list[int] = field(default_factory=list)
    received_at_us: "array[int]" = field(default_factory=_numbers)
    received_bytes: "array[int]" = field(default_factory=_numbers)
    sent_packets: int = 0
    resent_packets: int = 0
    padding_bytes: int = 0
    keyframe_requests: int = 0

    def received(self, now_us: int, size_bytes: int) -> None:
        """Take note of a packet of this stream, resent ones included."""
        self.received_at_us.append(now_us)
        self.received_bytes.append(size_bytes)


@dataclass(slots=True)
class CrossRecord:
    """Traffic that is not ours: what arrived of it."""

    name: str
    received_at_us: "array[int]" = field(default_factory=_numbers)
    received_bytes: "array[int]" = field(default_factory=_numbers)

    def received(self, now_us: int, size_bytes: int) -> None:
        """Take note of a packet."""
        self.received_at_us.append(now_us)
        self.received_bytes.append(size_bytes)


@dataclass(slots=True)
class Recording:
    """One run of one scenario."""

    duration_us: int
    forward: LinkRecord = field(default_factory=LinkRecord)
    backward: LinkRecord = field(default_factory=LinkRecord)
    streams: list[StreamRecord] = field(default_factory=list)
    cross: list[CrossRecord] = field(default_factory=list)
