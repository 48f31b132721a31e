"""What the moving parts of the scene draw with: light through stencils and points, over a backdrop that stands still.

The parts know nothing of where that ends up: in a picture in memory, which is here, or on a GPU (`_gl/painter.py`).
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from streamer.sources._scene.font import Font
from streamer.sources._scene.pixels import Coverage, Image, Rgb, add, ramp, tint

Places = npt.NDArray[np.intp]
# One pixel each: blue, green, red and a byte that nobody reads, lowest address first.
Colours = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Tone:
    """The colour of light. `whiteness` bleaches where it is strongest, as an overexposed light is."""

    colour: Rgb
    strength: float = 1.0
    whiteness: float = 0.0


class Painter(Protocol):
    """One picture. Points come first and hide what is under them; light is added to what is there."""

    def points(self, x: Places, y: Places, side_px: int, colours: Colours) -> None:
        """Draw squares with their upper left corners at places that lie inside the picture."""

    def light(self, left: int, top: int, stencil: Coverage, tone: Tone) -> None:
        """Add light through a stencil with its upper left corner at a place, cut at the edges of the picture.

        A stencil is kept by the one who draws and never changes: painters may remember it.
        """


class ImagePainter:
    """Paints into arrays in memory."""

    def __init__(self, image: Image, backdrop: Image) -> None:
        np.copyto(image, backdrop)
        self._image = image

    def points(self, x: Places, y: Places, side_px: int, colours: Colours) -> None:
        width_px = self._image.shape[1]
        rows, columns = np.divmod(np.arange(side_px * side_px), side_px)
        pixels = self._image.reshape(-1).view(np.uint32)
        pixels[(y * width_px + x)[:, None] + rows * width_px + columns] = colours[:, None]

    def light(self, left: int, top: int, stencil: Coverage, tone: Tone) -> None:
        add(self._image, left, top, tint(stencil, ramp(tone.colour, tone.strength, tone.whiteness)))


def write(painter: Painter, font: Font, text: str, left: int, top: int, tone: Tone) -> None:
    """Write a line of text."""
    for index, character in enumerate(text):
        painter.light(left + index * font.advance_px, top, font.glyph(character), tone)
