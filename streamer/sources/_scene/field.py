"""A field of slow sparks that make way for the pointer: the picture lives even when nobody touches it."""

import numpy as np
import numpy.typing as npt

from streamer.sources._scene.layout import Layout
from streamer.sources._scene.painter import Colours, Painter

_Vector = npt.NDArray[np.float32]

_SPARKS = 90
_SEED = 7
# Pixels of the plan, and shares of speed per frame.
_DRIFT = 0.35
_REACH = 120.0
_PUSH = 2.2
_CALM = 0.94
_SIZE = 2.2


class SparkField:
    """The positions of the sparks. Belongs to the capture thread."""

    def __init__(self, layout: Layout) -> None:
        generator = np.random.default_rng(_SEED)
        top, bottom = layout.header_top, layout.keyboard.top
        self._first: _Vector = np.array([0, top], np.float32)
        self._size: _Vector = np.array([layout.resolution.width_px, max(1, bottom - top)], np.float32)
        self._scale = np.float32(layout.scale)
        self._place: _Vector = self._first + generator.random((_SPARKS, 2), np.float32) * self._size
        depth = generator.random((_SPARKS, 1), np.float32)
        angle = generator.random((_SPARKS, 1), np.float32) * np.float32(2 * np.pi)
        self._drift: _Vector = np.hstack([np.cos(angle), np.sin(angle)]) * (0.3 + depth) * (_DRIFT * self._scale)
        self._speed: _Vector = np.zeros_like(self._drift)
        grey = (60 + 110 * depth).astype(np.uint32)
        self._colours: Colours = ((grey + 18) | (grey << 8) | ((grey * 3 // 4) << 16) | np.uint32(0xFF << 24))[
            :, 0
        ].astype(np.uint32)
        self._side_px = max(1, round(_SIZE * layout.scale))
        size = layout.resolution
        self._last: npt.NDArray[np.intp] = np.array([[size.width_px], [size.height_px]]) - self._side_px

    def step(self, pointer: tuple[int, int] | None) -> None:
        """Let every spark drift on by one frame, away from the pointer if it is near."""
        if pointer is not None:
            away = self._place - np.array(pointer, np.float32)
            distance = np.hypot(away[:, :1], away[:, 1:]) + np.float32(1)
            push = np.clip(1 - distance / (_REACH * self._scale), 0, 1) ** 2
            self._speed += away / distance * push * (_PUSH * self._scale)
        self._speed *= np.float32(_CALM)
        self._place = (self._place - self._first + self._speed + self._drift) % self._size + self._first

    def draw(self, painter: Painter) -> None:
        """Put every spark into the picture."""
        x, y = self._place.T.astype(np.intp).clip(0, self._last)
        painter.points(x, y, self._side_px, self._colours)
