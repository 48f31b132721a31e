"""Own the surfaces of one source, and know which of them somebody still reads.

Rules of this file: a surface is free, or taken until it is released exactly once; only a taken surface may be written,
and only by whoever took it. Sources keep no other record of who holds what. Surfaces in host memory are allocated here,
those on a GPU in `cuda/surface.py`. Pacing and drawing live elsewhere.
"""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Generic, Protocol, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from streamer.errors import ConfigError, LocalProtocolError
from streamer.media.frame import BT601_LIMITED, SRGB_FULL, MemoryKind, PixelFormat, Plane, Resolution, Surface
from streamer.media.planes import PIXEL_BYTES, plane_shapes

Pixels: TypeAlias = npt.NDArray[np.uint8]

# One being encoded, one kept for the next viewer, one captured and waiting, one being drawn.
_SURFACES = 4
# A cache line, and the widest vector that the colour converters load: aligned rows spare them their slow path.
_ALIGNMENT_BYTES = 64


@dataclass(frozen=True, slots=True, eq=False)
class Canvas:
    """One surface and the arrays that share its memory.

    Packed formats have one array of height, width and channels; NV12 has Y and interleaved UV, I420 has Y, U and V,
    each of rows and bytes.
    """

    surface: Surface
    arrays: tuple[Pixels, ...]


class Owner(Protocol):
    """Whatever keeps the memory of a surface."""

    @property
    def surface(self) -> Surface: ...


C = TypeVar("C", bound=Owner)


class Ring(Generic[C]):
    """The surfaces of one source, allocated once. Callable from any thread."""

    def __init__(
        self,
        make: Callable[[PixelFormat, Resolution], C],
        pixel_format: PixelFormat,
        resolution: Resolution,
        surfaces: int = _SURFACES,
    ) -> None:
        self._lock = Lock()
        self._make = make
        self._surfaces = surfaces
        self._is_closed = False
        self._taken: dict[int, C] = {}
        self._format = pixel_format
        self._resolution = resolution
        self._free = [make(pixel_format, resolution) for _ in range(surfaces)]

    @property
    def resolution(self) -> Resolution:
        return self._resolution

    def take(self) -> C | None:
        """Return a surface that nobody reads, to be drawn on, or None while all are in use."""
        with self._lock:
            if not self._free:
                return None
            canvas = self._free.pop(0)
            self._taken[id(canvas.surface)] = canvas
            return canvas

    def release(self, surface: Surface) -> None:
        """Take `surface` back.

        Raises:
            LocalProtocolError: it is not out: it was released before, or belongs to another source.
        """
        with self._lock:
            canvas = self._taken.pop(id(surface), None)
            if canvas is None:
                raise LocalProtocolError(f"a surface of {surface.resolution} was released that is not in use")
            if not self._is_closed and (surface.format, surface.resolution) == (self._format, self._resolution):
                self._free.append(canvas)

    def reshape(self, pixel_format: PixelFormat, resolution: Resolution) -> None:
        """Give out surfaces of another form from now on; those in use are forgotten when they are released."""
        with self._lock:
            if self._is_closed or (pixel_format, resolution) == (self._format, self._resolution):
                return
            # All or nothing: a ring that knows its new form must not hold surfaces of the old one.
            made = [self._make(pixel_format, resolution) for _ in range(self._surfaces)]
            self._format, self._resolution, self._free = pixel_format, resolution, made

    def close(self) -> None:
        """Forget every surface; the memory of those in use lives until their holders are done."""
        with self._lock:
            self._is_closed = True
            self._free.clear()


class SurfaceRing(Ring[Canvas]):
    """A ring in host memory."""

    def __init__(self, pixel_format: PixelFormat, resolution: Resolution, surfaces: int = _SURFACES) -> None:
        super().__init__(allocate, pixel_format, resolution, surfaces)


def allocate(pixel_format: PixelFormat, resolution: Resolution) -> Canvas:
    """Return a black surface in host memory, its planes one after the other without gaps.

    Raises:
        ConfigError: the format halves the colour resolution and a side is odd.
    """
    is_packed = pixel_format in PIXEL_BYTES
    if not is_packed and (resolution.width_px % 2 or resolution.height_px % 2):
        raise ConfigError(f"resolution {resolution} is odd: {pixel_format} needs an even width and height")
    shapes = plane_shapes(pixel_format, resolution)
    memory = _aligned(sum(rows * width_bytes for rows, width_bytes in shapes))
    arrays: list[Pixels] = []
    begin = 0
    for rows, width_bytes in shapes:
        end = begin + rows * width_bytes
        arrays.append(memory[begin:end].reshape(rows, width_bytes))
        begin = end
    surface = Surface(
        memory=MemoryKind.HOST,
        format=pixel_format,
        resolution=resolution,
        planes=tuple(_plane(array) for array in arrays),
        colour=SRGB_FULL if is_packed else BT601_LIMITED,
    )
    if is_packed:
        pixels = arrays[0].reshape(resolution.height_px, resolution.width_px, PIXEL_BYTES[pixel_format])
        return Canvas(surface, (pixels,))
    for array, black in zip(arrays, (16, 128, 128), strict=False):
        array.fill(black)
    return Canvas(surface, tuple(arrays))


def _aligned(size_bytes: int) -> Pixels:
    memory = np.empty(size_bytes + _ALIGNMENT_BYTES, np.uint8)
    # Filled at once: the first frame shall not pay for the page faults.
    memory.fill(0)
    skip_bytes = -memory.ctypes.data % _ALIGNMENT_BYTES
    return memory[skip_bytes : skip_bytes + size_bytes]


def _plane(array: Pixels) -> Plane:
    return Plane(pitch_bytes=array.strides[0], buffer=array.reshape(-1).data, pointer=array.ctypes.data)
