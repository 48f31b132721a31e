"""The host memory that converters read and write: checks of what comes in, one buffer for what goes out.

Rules of this file: numpy ends here and in the backends; what leaves a converter are memoryviews.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from streamer.converters.base import ConverterSettings
from streamer.errors import ConverterError, Unavailable
from streamer.media.frame import ColourDescription, MemoryKind, PixelFormat, Plane, Resolution, Surface, VideoFrame
from streamer.media.planes import PIXEL_BYTES, plane_shapes, why_planes_unfit

Block = NDArray[np.uint8]

YUV_FORMATS = (PixelFormat.NV12, PixelFormat.I420)
_MEMORY: tuple[MemoryKind, ...] = (MemoryKind.HOST,)


class Picture:
    """One picture in memory of our own: a contiguous buffer, its planes as arrays and as a surface."""

    def __init__(self, pixel_format: PixelFormat, resolution: Resolution, colour: ColourDescription) -> None:
        shapes = plane_shapes(pixel_format, resolution)
        self.block: Block = np.zeros(sum(rows * width_bytes for rows, width_bytes in shapes), np.uint8)
        self.planes: list[Block] = []
        whole, begin, planes = self.block.data, 0, []
        for rows, width_bytes in shapes:
            end = begin + rows * width_bytes
            self.planes.append(self.block[begin:end].reshape(rows, width_bytes))
            planes.append(Plane(width_bytes, whole[begin:end], int(self.block.ctypes.data) + begin))
            begin = end
        self.surface = Surface(MemoryKind.HOST, pixel_format, resolution, tuple(planes), colour)

    def carry(self, frame: VideoFrame) -> VideoFrame:
        """Return `frame` with this picture in place of its own."""
        return replace(frame, surface=self.surface)


def check_pair(backend: str, settings: ConverterSettings, inputs: tuple[PixelFormat, ...]) -> None:
    """Raise `Unavailable` if a backend that reads `inputs` and writes 4:2:0 cannot do this pair."""
    if MemoryKind.CUDA in (settings.input_memory, settings.output_memory):
        raise Unavailable(backend, "reads and writes host memory alone")
    if settings.input_format not in inputs:
        raise Unavailable(backend, f"does not read {settings.input_format}; it reads {', '.join(inputs)}")
    if settings.output_format not in YUV_FORMATS:
        raise Unavailable(backend, f"does not write {settings.output_format}; it writes {', '.join(YUV_FORMATS)}")
    if not _is_even(settings.output_resolution):
        raise Unavailable(backend, f"does not write pictures of {settings.output_resolution}; sizes must be even")
    if settings.input_format in YUV_FORMATS and not _is_even(settings.input_resolution):
        raise Unavailable(backend, f"does not read {settings.input_format} of {settings.input_resolution}: it is odd")
    if not settings.input_resolution.pixels:
        raise Unavailable(backend, f"does not read pictures of {settings.input_resolution}")


def check_surface(backend: str, settings: ConverterSettings, surface: Surface) -> None:
    """Raise `ConverterError` if a surface is not what the settings promised, or does not hold what it says."""
    if surface.memory not in _MEMORY:
        raise ConverterError(backend, f"a surface in {surface.memory} memory; accepted is {' or '.join(_MEMORY)}")
    if surface.format != settings.input_format or surface.resolution != settings.input_resolution:
        came = f"{surface.format} of {surface.resolution}"
        raise ConverterError(
            backend, f"{came} came; accepted is {settings.input_format} of {settings.input_resolution}"
        )
    reason = why_planes_unfit(surface)
    if reason is not None:
        raise ConverterError(backend, reason)


def rows_of(surface: Surface) -> list[Block]:
    """Return the planes of a checked surface as arrays of rows, over the same memory."""
    arrays = []
    for plane, (rows, width_bytes) in zip(
        surface.planes, plane_shapes(surface.format, surface.resolution), strict=True
    ):
        assert plane.buffer is not None
        flat = np.frombuffer(plane.buffer, np.uint8)
        strides = (plane.pitch_bytes, 1)
        arrays.append(np.lib.stride_tricks.as_strided(flat, (rows, width_bytes), strides, writeable=False))
    return arrays


def pixels_of(surface: Surface) -> Block:
    """Return a checked surface of packed RGB as an array of rows, pixels and channels, over the same memory."""
    channels = PIXEL_BYTES[surface.format]
    (rows,) = rows_of(surface)
    shape = (surface.resolution.height_px, surface.resolution.width_px, channels)
    return np.lib.stride_tricks.as_strided(rows, shape, (rows.strides[0], channels, 1), writeable=False)


def _is_even(resolution: Resolution) -> bool:
    return resolution.pixels > 0 and resolution.width_px % 2 == 0 and resolution.height_px % 2 == 0
