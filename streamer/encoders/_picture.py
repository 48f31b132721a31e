"""Show a surface in host memory to an encoder, without copying it where its planes lie one behind the other.

Encoders take a picture as one block of rows: packed pixels, or Y and then the chroma planes, each as wide as its rows.
That is how converters hand pictures over. A surface with padding between rows, with planes in different places, or with
its chroma interleaved where the encoder wants it apart, is gathered into a block of our own first.
"""

from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from streamer.encoders._ffmpeg import FORMAT_NAMES
from streamer.errors import UnfitError
from streamer.media.frame import MemoryKind, PixelFormat, Plane, Resolution, Surface
from streamer.media.planes import plane_shapes, why_planes_unfit

Block = NDArray[np.uint8]

MEMORY: tuple[MemoryKind, ...] = (MemoryKind.HOST,)


def check_surface(
    name: str,
    surface: Surface,
    resolution: Resolution,
    formats: tuple[PixelFormat, ...],
    memory: tuple[MemoryKind, ...] = MEMORY,
) -> None:
    """Hold a surface against what an encoder of backend `name` was opened for.

    Raises:
        UnfitError: it is something else; says what would be right.
    """
    if surface.memory not in memory:
        raise UnfitError(name, f"a surface in {surface.memory} memory; accepted is {' or '.join(memory)}")
    if surface.format not in formats:
        raise UnfitError(name, f"a surface of format {surface.format}; accepted is {' or '.join(formats)}")
    if surface.resolution != resolution:
        raise UnfitError(name, f"a surface of {surface.resolution}; accepted is {resolution}")
    reason = why_planes_unfit(surface)
    if reason is not None:
        raise UnfitError(name, reason)


class Pictures:
    """Makes PyAV frames of surfaces that `check_surface` lets pass. Used by one thread."""

    def __init__(self, target: PixelFormat, resolution: Resolution) -> None:
        self._blocks = Blocks(target, resolution)
        self._name = FORMAT_NAMES[target]

    def wrap(self, surface: Surface) -> av.VideoFrame:
        """Return a frame over the surface's memory, or over a copy that stands until the next call."""
        return av.VideoFrame.from_numpy_buffer(self._blocks.block(surface), self._name)


class Blocks:
    """Makes blocks of surfaces that `check_surface` lets pass. Used by one thread."""

    def __init__(self, target: PixelFormat, resolution: Resolution) -> None:
        self._target = target
        self._shapes = plane_shapes(target, resolution)
        self._own: Block | None = None

    def block(self, surface: Surface) -> Block:
        """Return the picture's rows in the surface's memory, or in a copy that stands until the next call."""
        block = self._adjacent(surface) if surface.format == self._target else None
        return self._gather(surface) if block is None else block

    @property
    def _row_bytes(self) -> int:
        return self._shapes[0][1]

    def _adjacent(self, surface: Surface) -> Block | None:
        """Return the planes as one block if that is how they lie in memory."""
        first = surface.planes[0].buffer
        whole = None if first is None else _exporter(first)
        if first is None or whole is None:
            return None
        start = begin = _address(first) - int(whole.ctypes.data)
        for plane, (rows, width_bytes) in zip(surface.planes, self._shapes, strict=True):
            if plane.buffer is None or plane.pitch_bytes != width_bytes:
                return None
            if _address(plane.buffer) - whole.ctypes.data != begin:
                return None
            begin += rows * width_bytes
        if start < 0 or begin > whole.size:
            return None
        block: Block = whole[start:begin].reshape(-1, self._row_bytes)
        return block

    def _gather(self, surface: Surface) -> Block:
        if self._own is None:
            size_bytes = sum(rows * width_bytes for rows, width_bytes in self._shapes)
            self._own = np.empty((size_bytes // self._row_bytes, self._row_bytes), np.uint8)
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
