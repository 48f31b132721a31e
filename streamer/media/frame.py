"""The values that flow from a source to a viewer, and the wishes that flow back.

Rules of this file: frozen values only, no behaviour beyond what derives from their own fields, no library types. A
surface names its memory by kind and address, so that GPU memory needs no new type.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from streamer.media.trace import FrameTrace


class MemoryKind(StrEnum):
    """Where the pixels of a surface live."""

    HOST = "host"
    CUDA = "cuda"


class PixelFormat(StrEnum):
    """Order of the bytes in memory, lowest address first. The fourth byte of BGRA and RGBA is ignored."""

    BGRA = "bgra"
    RGBA = "rgba"
    BGR24 = "bgr24"
    RGB24 = "rgb24"
    NV12 = "nv12"
    I420 = "i420"


@dataclass(frozen=True, slots=True, order=True)
class Resolution:
    """Width and height of a picture in pixels."""

    width_px: int
    height_px: int

    def __str__(self) -> str:
        return f"{self.width_px}x{self.height_px}"

    @property
    def pixels(self) -> int:
        return self.width_px * self.height_px

    def fits_in(self, other: "Resolution") -> bool:
        return self.width_px <= other.width_px and self.height_px <= other.height_px


@dataclass(frozen=True, slots=True)
class ColourDescription:
    """How samples become colours: code points of ITU-T H.273, tables 2 to 4, and the range of the samples."""

    primaries: int
    transfer: int
    matrix: int
    is_full_range: bool


# The matrix that libyuv's and OpenCV's plain conversions apply: BT.601 limited range over sRGB-like sources.
BT601_LIMITED = ColourDescription(primaries=1, transfer=1, matrix=6, is_full_range=False)
BT709_LIMITED = ColourDescription(primaries=1, transfer=1, matrix=1, is_full_range=False)
# RGB surfaces: sRGB primaries and transfer, identity matrix, full range.
SRGB_FULL = ColourDescription(primaries=1, transfer=13, matrix=0, is_full_range=True)


@dataclass(frozen=True, slots=True)
class Plane:
    """One plane of a surface: its address, its bytes if the host can read them, and the distance between two rows."""

    pitch_bytes: int
    buffer: memoryview | None = None
    pointer: int | None = None


@dataclass(frozen=True, slots=True)
class Surface:
    """The memory that a picture lives in. It says nothing of who owns that memory: the source or converter does.

    Host planes of one surface are rows of `pitch_bytes` bytes: one plane for packed RGB, Y and interleaved UV for NV12,
    Y, U and V for I420. CUDA planes lie the same way and have a `pointer` instead of a buffer; `device` is the ordinal
    of the GPU, and `stream` the handle of the stream that last wrote the memory, None if nothing is under way.
    """

    memory: MemoryKind
    format: PixelFormat
    resolution: Resolution
    planes: tuple[Plane, ...]
    colour: ColourDescription
    device: int | None = None
    stream: int | None = None


@dataclass(frozen=True, slots=True)
class VideoFrame:
    """One picture that is not encoded yet.

    `number` counts the frames of the source. `input_number` is the low byte of the sequence number of the last input
    message that had been applied when the picture was captured.
    """

    surface: Surface
    capture_us: int
    number: int
    input_number: int = 0


@dataclass(frozen=True, slots=True)
class EncodedFrame:
    """One access unit (H.264, H.265), temporal unit (AV1) or frame (VP8), its RTP payloads planned once for all."""

    codec: str
    data: bytes
    is_keyframe: bool
    capture_us: int
    resolution: Resolution
    number: int = 0
    input_number: int = 0
    payloads: tuple[bytes, ...] = ()
    trace: FrameTrace = field(default_factory=FrameTrace)


@dataclass(frozen=True, slots=True)
class EncodeOrder:
    """What the next frame shall be like. It travels with the frame: there are no setters on an encoder."""

    target_bps: int
    fps: float
    keyframe: bool = False
    max_frame_bytes: int | None = None
    is_refinement: bool = False
    lost_capture_us: int | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """What one subscriber would like to receive. Frozen, so any thread may read it.

    `keyframe` stays true until a keyframe captured after the request has been offered. `backlog_us` is how long what
    waits in the pacer takes to leave.
    """

    target_bps: int
    fps: float
    max_resolution: Resolution
    max_frame_bytes: int | None = None
    backlog_us: int = 0
    keyframe: bool = False
    lost_capture_us: int | None = None


class Subscriber(Protocol):
    """Whoever takes encoded frames: a viewer's video, a recorder, a relay."""

    def offer(self, frame: EncodedFrame) -> None:
        """Take the next frame of the rendition. Called on the event loop; must not block."""

    def wish(self) -> Wish:
        """Return what this subscriber would like next. Callable from any thread."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an encoder can do. Its callers spare it what it cannot; the contract tests follow it."""

    codecs: tuple[str, ...]
    # Accepted surface formats, the cheapest first.
    formats: tuple[PixelFormat, ...]
    memory: tuple[MemoryKind, ...]
    max_resolution: Resolution
    is_hardware: bool
    rate_change_needs_keyframe: bool = False
    # How often a second rate, frame rate and frame limit may change; None: with every frame.
    max_rate_changes_per_s: int | None = None
    # Whether one frame can be made larger (`is_refinement`) or smaller (`max_frame_bytes`) than those around it. Where
    # not, averages follow the order.
    steers_single_frames: bool = True
    # The largest delta frame and the largest keyframe, as multiples of target_bps / fps.
    max_delta_ratio: float = 1.5
    max_keyframe_ratio: float = 3.0


# A call that hands a function to the event loop from any thread.
Post = Callable[[Callable[[], None]], None]
