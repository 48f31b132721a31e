"""Put small pictures into a large BGRA one, cut at its edges, without allocating more than the small one needs.

Rules of this file: every function clips, so that callers may draw anywhere; light is added and saturates at white.
"""

import colorsys
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

# Height, width, 4: blue, green, red and a byte that nobody reads.
Image: TypeAlias = npt.NDArray[np.uint8]
Coverage: TypeAlias = npt.NDArray[np.uint8]
# 256 colours, one for each intensity, each as the four bytes of a pixel.
Ramp: TypeAlias = npt.NDArray[np.uint32]
Rgb: TypeAlias = tuple[int, int, int]

_LEVELS = 256


def from_hue(degrees: float, saturation: float = 0.75, brightness: float = 1.0) -> Rgb:
    """Return the colour at an angle of the colour wheel."""
    red, green, blue = colorsys.hsv_to_rgb(degrees % 360 / 360, saturation, brightness)
    return round(red * 255), round(green * 255), round(blue * 255)


@lru_cache(maxsize=1024)
def ramp(colour: Rgb, strength: float = 1.0, whiteness: float = 0.0) -> Ramp:
    """Return the colours from nothing to `colour`; `whiteness` bleaches the upper end like an overexposed light."""
    share = np.linspace(0, 1, _LEVELS)[:, None] * strength
    pixels = share * np.array(colour[::-1], float) * (1 - whiteness * share) + 255 * whiteness * share * share
    packed = np.zeros((_LEVELS, 4), np.uint8)
    packed[:, :3] = np.clip(np.rint(pixels), 0, 255)
    table: Ramp = packed.view(np.uint32).reshape(-1)
    # It is shared by all who ask for these colours.
    table.flags.writeable = False
    return table


def tint(intensity: Coverage, colours: Ramp) -> Image:
    """Return a picture in which every intensity has become its colour."""
    return colours[intensity].view(np.uint8).reshape(*intensity.shape, 4)


def add(image: Image, left: int, top: int, light: Image) -> None:
    """Add light with its upper left corner at a place."""
    cut = _cut(image, left, top, light.shape[0], light.shape[1])
    if cut is None:
        return
    target, rows, columns = cut
    # White minus what is there is the most that fits: three passes over bytes; a wider type takes twice that.
    room = np.bitwise_not(target)
    np.minimum(room, light[rows, columns], out=room)
    np.add(target, room, out=target)


def paste(image: Image, left: int, top: int, picture: Image) -> None:
    """Replace what is at a place."""
    cut = _cut(image, left, top, picture.shape[0], picture.shape[1])
    if cut is not None:
        target, rows, columns = cut
        np.copyto(target, picture[rows, columns])


def blend(image: Image, left: int, top: int, coverage: Coverage, colour: Rgb, opacity: float = 1.0) -> None:
    """Paint a colour through a stencil. For what is drawn once: it is several times slower than `add`."""
    cut = _cut(image, left, top, coverage.shape[0], coverage.shape[1])
    if cut is None:
        return
    target, rows, columns = cut
    share = (coverage[rows, columns, None] * (opacity / 255)).astype(np.float32)
    mixed = target[..., :3] * (1 - share) + np.array(colour[::-1], np.float32) * share
    target[..., :3] = np.rint(mixed)


def _cut(image: Image, left: int, top: int, height: int, width: int) -> tuple[Image, slice, slice] | None:
    """Return the part of `image` that a picture of that size covers there, and which of its rows and columns."""
    image_height, image_width = image.shape[:2]
    first_row, first_column = max(0, -top), max(0, -left)
    last_row, last_column = min(height, image_height - top), min(width, image_width - left)
    if first_row >= last_row or first_column >= last_column:
        return None
    target = image[top + first_row : top + last_row, left + first_column : left + last_column]
    return target, slice(first_row, last_row), slice(first_column, last_column)
