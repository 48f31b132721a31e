"""Pictures of moving noise, in host memory: what encoders are tried and measured with before they are relied on."""

import functools

import numpy as np

from streamer.media.frame import BT601_LIMITED, PixelFormat, Resolution, VideoFrame
from streamer.media.planes import host_surface

_CELL_PX, _PAN_PX = 8, 6
# Of the texture; the strongest noise that still fits on top of it is 57.
_DARKEST, _BRIGHTEST = 40, 200
_GREY = 128


def moving(resolution: Resolution, number: int, noise: int = 10) -> VideoFrame:
    """Return a panning texture under `noise` steps of luma: it always has more to say than a rate allows."""
    rows, columns = resolution.height_px, resolution.width_px
    block = np.full((rows * 3 // 2, columns), _GREY, np.uint8)
    block[:rows] = np.roll(_texture(resolution), _PAN_PX * number, axis=1)
    block[:rows] += np.random.default_rng(number).integers(0, noise, (rows, columns), np.uint8)
    surface = host_surface(memoryview(block.tobytes()), PixelFormat.NV12, resolution, BT601_LIMITED)
    return VideoFrame(surface, capture_us=number + 1, number=number)


@functools.lru_cache(maxsize=1)
def _texture(resolution: Resolution) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    rows, columns = -(-resolution.height_px // _CELL_PX), -(-resolution.width_px // _CELL_PX)
    cells = np.random.default_rng(0).integers(_DARKEST, _BRIGHTEST, (rows, columns), np.uint8)
    whole = cells.repeat(_CELL_PX, axis=0).repeat(_CELL_PX, axis=1)
    return whole[: resolution.height_px, : resolution.width_px]
