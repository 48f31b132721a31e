"""The contract of an encoder: one frame in, exactly one `EncodedFrame` out, at once.

A new target takes effect on the next frame and never causes a keyframe; `order.keyframe` gives one now, with parameter
sets in band. What a backend cannot do it declares in its `Capabilities`, and its callers spare it.

A backend is one file with `why_unavailable() -> str | None`, `capabilities() -> Capabilities`,
`create(settings: EncoderSettings) -> VideoEncoder`, `IS_HARDWARE = True` if a device does the work, and a pydantic
`Options` if it has keys of its own.
"""

from dataclasses import dataclass
from typing import Any, Protocol

from streamer.media.frame import (
    Capabilities,
    ColourDescription,
    EncodedFrame,
    EncodeOrder,
    MemoryKind,
    PixelFormat,
    Resolution,
    VideoFrame,
)


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """What an encoder is opened with. Another size or codec is another encoder; a rate is an order.

    So is other memory. `max_fps` is the highest frame rate an order will ask for, `max_target_bps` the highest rate.
    """

    codec: str
    resolution: Resolution
    format: PixelFormat
    colour: ColourDescription
    max_fps: float
    start_target_bps: int
    max_target_bps: int
    options: Any = None
    memory: MemoryKind = MemoryKind.HOST


class VideoEncoder(Protocol):
    """Owned by one rendition's thread, which makes every call but `capabilities`."""

    @property
    def capabilities(self) -> Capabilities: ...

    @property
    def description(self) -> str:
        """What encodes, for people: library, preset, and how rate changes are made."""

    def encode(self, frame: VideoFrame, order: EncodeOrder) -> EncodedFrame:
        """Encode one frame; the surface may be overwritten once this returns. Payloads are not set here.

        The first frame is a keyframe. `capture_us`, `number` and `input_number` are copied from the frame.

        Raises:
            UnfitError: the surface is not what the encoder was opened for. The next one may be.
            EncoderError: the library failed.
        """

    def close(self) -> None:
        """Give up the encoder. Harmless when called twice."""
