"""A stamped test card: a coloured texture that pans across the picture, for measuring.

It asks for bits: blocks of 8x8 pixels with a grain that differs from frame to frame, so that an encoder fills its
target (8.1 Mbit/s of 9 with libx264, ultrafast, at 1280x720 and 59.7 frames per second; without the grain 2.1). It
costs little: the texture is prepared and each frame copies a window of it, in the format that software encoders take,
so that no converter is needed.
"""

import numpy as np
import numpy.typing as npt

from streamer.media.frame import PixelFormat, Resolution, VideoFrame
from streamer.sources._ring import Pixels, SurfaceRing
from streamer.sources._stamping import draw_stamp
from streamer.sources._ticker import Ticker
from streamer.sources.base import SourceSettings

_SEED = 1
_BLOCK_PX = 8
# The texture repeats after this many pixels, so that panning never ends.
_PERIOD_PX = 256
# Even steps per frame keep luma and chroma together.
_PAN_PX = (4, 2)
_MEAN_LUMA, _BLOCK_LUMA, _BLOCK_CHROMA = 126, 40, 24
# The grain, and how many grains take turns: more than the references that an encoder looks back to.
_GRAIN_LUMA, _GRAINS = 8, 4

_Texture = npt.NDArray[np.int16]


def why_unavailable() -> str | None:
    """Return None: it needs nothing."""
    return None


def create(settings: SourceSettings) -> "PatternSource":
    """Prepare the test card.

    Raises:
        ConfigError: a side of the resolution is odd.
    """
    return PatternSource(settings)


class PatternSource:
    """The test card, paced by its own clock. `hasten`, `release` and `wake` from any thread, the rest from one."""

    def __init__(self, settings: SourceSettings) -> None:
        self._settings = settings
        self._ring = SurfaceRing(PixelFormat.I420, settings.resolution)
        self._ticker = Ticker(settings.clock, settings.fps)
        self._grains, self._chroma = _textures(settings.resolution)
        self._number = 0

    @property
    def resolution(self) -> Resolution:
        return self._settings.resolution

    def grab(self, timeout_us: int) -> VideoFrame | None:
        if not self._ticker.wait(timeout_us):
            return None
        canvas = self._ring.take()
        if canvas is None:
            return None
        frame = VideoFrame(
            canvas.surface, self._settings.clock.now_us(), self._number, self._settings.last_input() & 0xFF
        )
        self._draw(canvas.arrays)
        draw_stamp(canvas, frame)
        self._number += 1
        return frame

    def release(self, frame: VideoFrame) -> None:
        self._ring.release(frame.surface)

    def hasten(self) -> None:
        self._ticker.hasten()

    def wake(self) -> None:
        self._ticker.wake()

    def close(self) -> None:
        self._ring.close()

    def _draw(self, planes: tuple[Pixels, ...]) -> None:
        left, top = (self._number * step_px % _PERIOD_PX for step_px in _PAN_PX)
        textures = (self._grains[self._number % _GRAINS], *self._chroma)
        for plane, texture, shrink in zip(planes, textures, (1, 2, 2), strict=True):
            rows, columns = plane.shape
            np.copyto(plane, texture[top // shrink :, left // shrink :][:rows, :columns])


def _textures(resolution: Resolution) -> tuple[list[Pixels], list[Pixels]]:
    """Return lumas that differ in their grain, and the chroma planes, each one period larger than the picture."""
    generator = np.random.default_rng(_SEED)
    blocks = _MEAN_LUMA + _tile(generator, _PERIOD_PX // _BLOCK_PX, _BLOCK_LUMA)
    grains = [
        generator.integers(-_GRAIN_LUMA, _GRAIN_LUMA, blocks.shape, np.int16, endpoint=True) for _ in range(_GRAINS)
    ]
    lumas = [_repeat(blocks + grain, resolution.width_px, resolution.height_px) for grain in grains]
    chromas = [128 + _tile(generator, _PERIOD_PX // _BLOCK_PX, _BLOCK_CHROMA, _BLOCK_PX // 2) for _ in range(2)]
    return lumas, [_repeat(chroma, resolution.width_px // 2, resolution.height_px // 2) for chroma in chromas]


def _tile(generator: np.random.Generator, blocks: int, amplitude: int, block_px: int = _BLOCK_PX) -> _Texture:
    values = generator.integers(-amplitude, amplitude, (blocks, blocks), np.int16, endpoint=True)
    return values.repeat(block_px, axis=0).repeat(block_px, axis=1)


def _repeat(tile: _Texture, width_px: int, height_px: int) -> Pixels:
    """Return enough of an endless `tile` for a window of that size at every offset within it."""
    sides_px = zip((height_px, width_px), tile.shape, strict=True)
    return np.tile(tile.astype(np.uint8), [-(-(size_px + side_px) // side_px) for size_px, side_px in sides_px])
