"""Everything in the scene that stands still, drawn once.

The colours are deep and calm, so that what moves is what is seen; a grain of less than one level keeps the gradients
from showing bands.
"""

import numpy as np
import numpy.typing as npt

from streamer.sources._scene import shapes
from streamer.sources._scene.font import Font
from streamer.sources._scene.keyboard import KEYS
from streamer.sources._scene.layout import Layout, Rect
from streamer.sources._scene.pixels import Image, Rgb, blend

_Field = npt.NDArray[np.float32]

INK: Rgb = (236, 240, 255)
_TOP: Rgb = (9, 12, 30)
_BOTTOM: Rgb = (22, 16, 48)
# Centre and radius in picture heights from the upper left, and the light that is added there.
_AURORAS: tuple[tuple[float, float, float, Rgb], ...] = (
    (0.25, 0.55, 0.75, (4, 34, 52)),
    (1.25, 0.15, 0.80, (44, 12, 58)),
    (1.75, 0.90, 0.60, (8, 20, 56)),
)
_DOTS_APART = 40
_TITLE = "render streamer"
_HINT = "move \u00b7 click \u00b7 scroll \u00b7 type    the next frame answers"
_GRAIN_SEED = 1


def draw_backdrop(layout: Layout) -> Image:
    """Return the still part of the scene."""
    image = _sky(layout)
    _dots(image, layout)
    _header(image, layout)
    panel(image, layout, layout.keyboard)
    panel(image, layout, layout.mouse)
    _keys(image, layout)
    return image


def panel(image: Image, layout: Layout, rect: Rect) -> None:
    """Draw a pane of glass."""
    radius = layout.px(14)
    blend(image, rect.left, rect.top, shapes.box(rect.width, rect.height, radius), (6, 8, 20), 0.45)
    blend(image, rect.left, rect.top, shapes.frame(rect.width, rect.height, radius, layout.px(1)), INK, 0.13)


def _sky(layout: Layout) -> Image:
    width, height = layout.resolution.width_px, layout.resolution.height_px
    down: _Field = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    top, bottom = (np.array(colour[::-1], np.float32) for colour in (_TOP, _BOTTOM))
    light = top + (bottom - top) * down + np.zeros((height, width, 3), np.float32)
    across = np.arange(width, dtype=np.float32) / height
    for x, y, radius, colour in _AURORAS:
        distance = ((across[None] - x) ** 2 + (down[..., 0] - y) ** 2) / radius**2
        light += np.exp(-2.2 * distance)[..., None] * np.array(colour[::-1], np.float32)
    light += np.random.default_rng(_GRAIN_SEED).random((height, width, 1), np.float32) - 0.5
    image = np.full((height, width, 4), 255, np.uint8)
    image[..., :3] = np.clip(np.rint(light), 0, 255)
    return image


def _dots(image: Image, layout: Layout) -> None:
    """Draw a grid of points: a ruler for the eye."""
    dot = shapes.disc(max(0.6, 1.1 * layout.scale))
    middle, apart = dot.shape[0] // 2, _DOTS_APART * layout.scale
    top, bottom = layout.header_top, layout.keyboard.top
    for row in range(1, int(bottom / apart) + 1):
        for column in range(1, int(layout.resolution.width_px / apart) + 1):
            x, y = round(column * apart), round(row * apart)
            if top + layout.px(60) < y < bottom - layout.padding // 2 and not _is_under_dial(layout, x, y):
                blend(image, x - middle, y - middle, dot, INK, 0.16)


def _is_under_dial(layout: Layout, x: int, y: int) -> bool:
    return (x - layout.dial_x) ** 2 + (y - layout.dial_y) ** 2 < (layout.dial_radius * 1.1) ** 2


def _header(image: Image, layout: Layout) -> None:
    title = Font(22 * layout.scale, max(1.2, 2.6 * layout.scale))
    hint = Font(11 * layout.scale, max(1.0, 1.3 * layout.scale))
    blend(image, layout.margin, layout.header_top, title.line(_TITLE), INK, 0.95)
    blend(image, layout.margin, layout.header_top + layout.px(40), hint.line(_HINT), INK, 0.55)


def _keys(image: Image, layout: Layout) -> None:
    letters = Font(12 * layout.scale, max(1.0, 1.5 * layout.scale))
    words = Font(8.5 * layout.scale, max(0.9, 1.1 * layout.scale))
    radius = layout.px(6)
    for key in KEYS:
        rect = layout.key(key.left, key.row, key.width)
        blend(image, rect.left, rect.top, shapes.box(rect.width, rect.height, radius), INK, 0.055)
        blend(image, rect.left, rect.top, shapes.frame(rect.width, rect.height, radius, layout.px(1)), INK, 0.13)
        font = letters if len(key.label) == 1 else words
        label = font.line(key.label)
        x = rect.left + (rect.width - label.shape[1]) // 2
        y = rect.top + (rect.height - font.baseline_px) // 2 - layout.px(1)
        blend(image, x, y, label, INK, 0.62)
