"""The contract of a converter: colour and scale in one step, into memory that the converter owns.

A backend is one file with `why_unavailable() -> str | None` and `create(settings: ConverterSettings) -> Converter`.
"""

from dataclasses import dataclass
from typing import Protocol

from streamer.media.frame import BT601_LIMITED, ColourDescription, MemoryKind, PixelFormat, Resolution, VideoFrame


@dataclass(frozen=True, slots=True)
class ConverterSettings:
    """From what to what. `create` raises `Unavailable` for a pair that the backend does not do.

    Output sizes are even: 4:2:0 has one chroma sample for two by two pixels. Sizes of packed RGB input may be odd.
    A 4:2:0 input keeps its colours as they are: `input_colour` says what they mean, and RGB does not need it.
    """

    input_format: PixelFormat
    input_resolution: Resolution
    output_format: PixelFormat
    output_resolution: Resolution
    input_colour: ColourDescription = BT601_LIMITED
    input_memory: MemoryKind = MemoryKind.HOST
    output_memory: MemoryKind = MemoryKind.HOST
    # The GPU of either memory that is CUDA's.
    device: int | None = None


class Converter(Protocol):
    """Owned by one rendition's thread."""

    @property
    def colour(self) -> ColourDescription:
        """The colour description of the output: what this backend really applies."""

    def convert(self, frame: VideoFrame) -> VideoFrame:
        """Return the frame in the output format and resolution, valid until the next call.

        All planes of the output are parts of one contiguous block with no padding between rows.

        Raises:
            ConverterError: the surface is not what the settings promised.
        """

    def close(self) -> None:
        """Give up the output memory. Harmless when called twice."""
