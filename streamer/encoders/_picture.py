"""Show a surface in host memory to PyAV, without copying it where its planes lie one behind the other.

PyAV takes a 4:2:0 picture as one block of rows: Y, then the chroma planes, each as wide as its rows. That is how
converters hand pictures over. A surface with padding between rows, with planes in different places, or with its chroma
interleaved where the encoder wants it apart, is gathered into a block of our own first.
"""

from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from streamer.media.frame import MemoryKind, PixelFormat, Plane, Resolution, Surface
from streamer.media.planes import plane_shapes, why_planes_unfit

Block = NDArray[np.uint8]

MEMORY: tuple[MemoryKind, ...] = (MemoryKind.HOST,)
_LIBRARY_NAMES = {PixelFormat.NV12: "nv12", PixelFormat.I420: "yuv420p"}


def why_unfit(surface: Surface, resolution: Resolution, formats: tuple[PixelFormat, ...]) -> str | None:
    """Return what is wrong with a surface, and what would be right; None if it can be encoded."""
    if surface.memory not in MEMORY:
        return f"a surface in {surface.memory} memory; accepted is {' or '.join(MEMORY)}"
    if surface.format not in formats:
        return f"a surface of format {surface.format}; accepted is {' or '.join(formats)}"
    if surface.resolution != resolution:
        return f"a surface of {surface.resolution}; accepted is {resolution}"
    return why_planes_unfit(surface)


class Pictures:
    """Makes PyAV frames of surfaces that `why_unfit` has nothing against. Used by one thread."""

    def __init__(self, target: PixelFormat, resolution: Resolution) -> None:
        self._target = target
        self._resolution = resolution
        self._own: Block | None = None

    def wrap(self, surface: Surface) -> av.VideoFrame:
        """Return a frame over the surface's memory, or over a copy that stands until the next call."""
        block = self._adjacent(surface) if surface.format == self._target else None
        if block is None:
            block = self._gather(surface)
        return av.VideoFrame.from_numpy_buffer(block, _LIBRARY_NAMES[self._target])

    def _adjacent(self, surface: Surface) -> Block | None:
        """Return the planes as one block if that is how they lie in memory."""
        shapes = plane_shapes(surface.format, surface.resolution)
        first = surface.planes[0].buffer
        whole = None if first is None else _exporter(first)
        if first is None or whole is None:
            return None
        start = begin = _address(first) - int(whole.ctypes.data)
        for plane, (rows, width_bytes) in zip(surface.planes, shapes, strict=True):
            if plane.buffer is None or plane.pitch_bytes != width_bytes:
                return None
            if _address(plane.buffer) - whole.ctypes.data != begin:
                return None
            begin += rows * width_bytes
        if start < 0 or begin > whole.size:
            return None
        block: Block = whole[start:begin].reshape(-1, self._resolution.width_px)
        return block

    def _gather(self, surface: Surface) -> Block:
        if self._own is None:
            rows = self._resolution.height_px * 3 // 2
            self._own = np.empty((rows, self._resolution.width_px), np.uint8)
        shapes = plane_shapes(surface.format, surface.resolution)
        planes = [_rows(plane, *shape) for plane, shape in zip(surface.planes, shapes, strict=True)]
        if surface.format != self._target:
            planes = _rearrange(planes, surface.format)
        flat, begin = self._own.reshape(-1), 0
        for plane in planes:
            flat[begin : begin + plane.size].reshape(plane.shape)[:] = plane
            begin += plane.size
        return self._own


def _exporter(buffer: memoryview) -> Block | None:
    """Return all the memory that `buffer` is a part of, if that is one run of bytes."""
    exporter: Any = buffer.obj
    try:
        return np.frombuffer(exporter, np.uint8)
    except (TypeError, ValueError, BufferError):
        return None


def _address(buffer: memoryview) -> int:
    return int(np.frombuffer(buffer, np.uint8).ctypes.data)


def _rows(plane: Plane, rows: int, width_bytes: int) -> Block:
    assert plane.buffer is not None
    flat = np.frombuffer(plane.buffer, np.uint8)
    return np.lib.stride_tricks.as_strided(flat, (rows, width_bytes), (plane.pitch_bytes, 1), writeable=False)


def _rearrange(planes: list[Block], pixel_format: PixelFormat) -> list[Block]:
    """Return the planes of the other 4:2:0 format."""
    if pixel_format == PixelFormat.NV12:
        luma, chroma = planes
        return [luma, chroma[:, 0::2], chroma[:, 1::2]]
    luma, blue, red = planes
    return [luma, np.stack((blue, red), axis=-1).reshape(blue.shape[0], -1)]
