"""Keep stencils on the GPU, side by side in one texture, so that one call draws any number of them.

Each is uploaded when it is first drawn and stays. When the texture is full, one twice as high takes its place.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Stencil = npt.NDArray[np.uint8]
Place = tuple[int, int]


class Atlas:
    """Stencils of one context. Used by the thread that draws, while the context is current."""

    def __init__(self, context: Any, width_px: int, height_px: int) -> None:
        self._context = context
        self._width_px, self._height_px = width_px, height_px
        self.texture = context.texture((width_px, height_px), 1, alignment=1)
        # By identity; each stencil is held, so that its identity stays its own.
        self._places: dict[int, tuple[Stencil, Place]] = {}
        self._left_px = self._top_px = self._row_px = 0

    def place(self, stencil: Stencil) -> Place:
        """Return column and row of a stencil in the texture."""
        found = self._places.get(id(stencil))
        if found is None:
            found = self._places[id(stencil)] = stencil, self._add(stencil)
        return found[1]

    def release(self) -> None:
        """Give up the texture."""
        self.texture.release()

    def _add(self, stencil: Stencil) -> Place:
        height_px, width_px = stencil.shape
        if self._left_px + width_px > self._width_px:
            self._left_px, self._top_px, self._row_px = 0, self._top_px + self._row_px, 0
        while self._top_px + height_px > self._height_px:
            self._grow()
        place = self._left_px, self._top_px
        self._upload(stencil, place)
        self._left_px += width_px
        self._row_px = max(self._row_px, height_px)
        return place

    def _grow(self) -> None:
        self._height_px *= 2
        self.texture.release()
        self.texture = self._context.texture((self._width_px, self._height_px), 1, alignment=1)
        for stencil, place in self._places.values():
            self._upload(stencil, place)

    def _upload(self, stencil: Stencil, place: Place) -> None:
        height_px, width_px = stencil.shape
        self.texture.write(np.ascontiguousarray(stencil), (*place, width_px, height_px), alignment=1)
