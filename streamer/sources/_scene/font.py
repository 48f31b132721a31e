"""Draw text from the strokes of `glyphs.py`, so that it is sharp at every size and needs no font file.

All characters take the same width. Text comes as coverage: how much of each pixel is ink, 0 to 255.
"""

from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from streamer.sources._scene.glyphs import STROKES, UNKNOWN

Coverage = npt.NDArray[np.uint8]
_Points = npt.NDArray[np.floating]

# In grid steps: the advance from one character to the next, and the rows from the top of a capital to a descender.
_ADVANCE, _COLUMNS = 6, 4
_CAPITAL_ROWS, _ROWS = 6, 8
# How far from a corner its rounding begins, in grid steps; corners sharper than this cosine keep a small one.
_ROUNDING, _SHARP_ROUNDING, _SHARP_COSINE = 1.3, 0.25, -0.3
_ROUNDING_POINTS = 5
# A dot as thin as a stroke looks too light.
_DOT_RATIO = 1.3


class Font:
    """One size and weight. Glyphs are drawn when they are first needed and kept."""

    def __init__(self, capital_px: float, weight_px: float) -> None:
        self._step_px = capital_px / _CAPITAL_ROWS
        self._half_weight_px = weight_px / 2
        self._margin_px = int(np.ceil(self._half_weight_px + 1))
        self.advance_px = round(_ADVANCE * self._step_px)
        self.height_px = round(_ROWS * self._step_px) + 2 * self._margin_px
        self.baseline_px = round(_CAPITAL_ROWS * self._step_px) + self._margin_px
        # By their strokes.
        self._glyphs: dict[str, Coverage] = {}

    def glyph(self, character: str) -> Coverage:
        """Return one character, `advance_px` wide and `height_px` high."""
        # One for all characters without strokes of their own, since viewers type what they like.
        strokes = "" if character == " " else STROKES.get(character, UNKNOWN)
        found = self._glyphs.get(strokes)
        if found is None:
            found = self._glyphs[strokes] = self._draw(strokes)
        return found

    def line(self, text: str) -> Coverage:
        """Return a line of text."""
        return np.hstack([self.glyph(character) for character in text] or [self.glyph(" ")])

    def _draw(self, strokes: str) -> Coverage:
        shape = (self.height_px, self.advance_px)
        left_px = (self.advance_px - _COLUMNS * self._step_px) / 2
        columns_px: _Points = np.arange(self.advance_px, dtype=np.float64) + 0.5 - left_px
        rows_px: _Points = np.arange(self.height_px, dtype=np.float64) + 0.5 - self._margin_px
        distance_px = np.full(shape, np.inf)
        for stroke in strokes.split():
            points = _rounded(stroke) * self._step_px
            if len(stroke) == 2:  # noqa: PLR2004 - one point
                distance = _distance(columns_px, rows_px, points[0], points[0])
                np.minimum(distance_px, distance - (_DOT_RATIO - 1) * self._half_weight_px, out=distance_px)
                continue
            for start, end in pairwise(points):
                np.minimum(distance_px, _distance(columns_px, rows_px, start, end), out=distance_px)
        coverage = np.clip(self._half_weight_px - distance_px + 0.5, 0, 1)
        return (coverage * 255).astype(np.uint8)


def _distance(columns: _Points, rows: _Points, start: _Points, end: _Points) -> _Points:
    """Return how far every pixel is from the segment between two points."""
    dx, dy = end - start
    length_squared = dx * dx + dy * dy
    across, down = columns - start[0], rows[:, None] - start[1]
    share = np.clip((across * dx + down * dy) / length_squared, 0, 1) if length_squared else 0.0
    distance: _Points = np.hypot(across - share * dx, down - share * dy)
    return distance


@lru_cache(maxsize=512)
def _rounded(stroke: str) -> _Points:
    """Return the points of a stroke, in grid steps, with its corners replaced by small curves."""
    is_closed = stroke.endswith("z")
    digits = stroke.removesuffix("z")
    points = np.array([(int(digits[i]), int(digits[i + 1])) for i in range(0, len(digits), 2)], float)
    if len(points) == 1:
        return np.vstack([points, points])
    if is_closed:
        middle = (points[0] + points[1]) / 2
        points = np.vstack([middle, points[1:], points[0], middle])
    pieces = [points[:1]]
    for before, corner, after in zip(points[:-2], points[1:-1], points[2:], strict=True):
        pieces.append(_corner(before, corner, after))
    return np.vstack([*pieces, points[-1:]])


def _corner(before: _Points, corner: _Points, after: _Points) -> _Points:
    inward, outward = before - corner, after - corner
    inward_length, outward_length = np.hypot(*inward), np.hypot(*outward)
    if not inward_length or not outward_length:
        return corner[None]
    cosine = -float(inward @ outward) / (inward_length * outward_length)
    rounding = _SHARP_ROUNDING if cosine < _SHARP_COSINE else _ROUNDING
    rounding = min(rounding, inward_length / 2, outward_length / 2)
    start, end = corner + inward * rounding / inward_length, corner + outward * rounding / outward_length
    share = np.linspace(0, 1, _ROUNDING_POINTS)[:, None]
    curve: _Points = (1 - share) ** 2 * start + 2 * share * (1 - share) * corner + share**2 * end
    return curve
