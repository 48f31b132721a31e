"""Soft-edged shapes as coverage, drawn once: how much of each pixel a shape fills, 0 to 255."""

import numpy as np
import numpy.typing as npt

from streamer.sources._scene.pixels import Coverage

_Distance = npt.NDArray[np.float64]


def glow(radius_px: float, falloff: float = 2.5) -> Coverage:
    """Return a light that is brightest at its centre and ends at `radius_px`."""
    share = np.clip(1 - _from_centre(radius_px) / radius_px, 0, 1)
    return _to_coverage(share**falloff)


def disc(radius_px: float) -> Coverage:
    """Return a filled circle."""
    return _to_coverage(radius_px - _from_centre(radius_px + 1) + 0.5)


def orb(radius_px: float) -> Coverage:
    """Return a ball lit from the upper left."""
    distance_px = _from_centre(radius_px + 1)
    size_px = distance_px.shape[0]
    offset = (np.arange(size_px) - (size_px - 1) / 2) / radius_px
    light = 1 - 0.55 * np.hypot(offset[None] + 0.35, offset[:, None] + 0.4)
    return _to_coverage(np.clip(radius_px - distance_px + 0.5, 0, 1) * np.clip(light, 0.2, 1))


def ring(radius_px: float, weight_px: float, strength: float = 1.0) -> Coverage:
    """Return a circle with a bright line and a soft inside."""
    distance_px = _from_centre(radius_px + weight_px + 1)
    line = np.clip(weight_px / 2 - np.abs(distance_px - radius_px) + 0.5, 0, 1)
    inside = 0.25 * np.where(distance_px < radius_px, (distance_px / radius_px) ** 4, 0)
    return _to_coverage(np.maximum(line, inside) * strength)


def box(width_px: int, height_px: int, radius_px: float) -> Coverage:
    """Return a filled rectangle with round corners."""
    return _to_coverage(0.5 - _from_box(width_px, height_px, radius_px))


def frame(width_px: int, height_px: int, radius_px: float, weight_px: float) -> Coverage:
    """Return the outline of such a rectangle, drawn inside it."""
    inside_px = -_from_box(width_px, height_px, radius_px)
    return _to_coverage(np.minimum(inside_px + 0.5, weight_px - inside_px + 0.5))


def halo(width_px: int, height_px: int, radius_px: float, reach_px: int) -> Coverage:
    """Return such a rectangle, bright, with light around it that reaches `reach_px` beyond its edges."""
    outside_px = _from_box(width_px, height_px, radius_px, reach_px)
    around = 0.45 * np.clip(1 - outside_px / reach_px, 0, 1) ** 2
    return _to_coverage(np.where(outside_px < 0, 0.8, around))


def line(dx_px: float, dy_px: float, weight_px: float) -> Coverage:
    """Return a line with round ends from one corner of a box to the opposite one, for positive or negative `dx_px`."""
    margin_px = weight_px / 2 + 1
    columns = np.arange(int(abs(dx_px) + 2 * margin_px + 1)) - margin_px + 0.5
    rows = np.arange(int(abs(dy_px) + 2 * margin_px + 1))[:, None] - margin_px + 0.5
    x0, x1 = (0.0, dx_px) if dx_px >= 0 else (-dx_px, 0.0)
    y0, y1 = (0.0, dy_px) if dy_px >= 0 else (-dy_px, 0.0)
    length_squared = max(1e-9, dx_px**2 + dy_px**2)
    share = np.clip(((columns - x0) * (x1 - x0) + (rows - y0) * (y1 - y0)) / length_squared, 0, 1)
    distance_px = np.hypot(columns - x0 - share * (x1 - x0), rows - y0 - share * (y1 - y0))
    return _to_coverage(weight_px / 2 - distance_px + 0.5)


def _from_centre(reach_px: float) -> _Distance:
    size_px = 2 * int(np.ceil(reach_px)) + 1
    offset_px = np.arange(size_px) - (size_px - 1) / 2
    distance: _Distance = np.hypot(offset_px[None], offset_px[:, None])
    return distance


def _from_box(width_px: int, height_px: int, radius_px: float, margin_px: int = 0) -> _Distance:
    """Return the distance of every pixel centre from the outline, negative inside."""
    across = np.abs(np.arange(-margin_px, width_px + margin_px) + 0.5 - width_px / 2) - (width_px / 2 - radius_px)
    down = np.abs(np.arange(-margin_px, height_px + margin_px) + 0.5 - height_px / 2) - (height_px / 2 - radius_px)
    corner = np.hypot(np.maximum(across, 0)[None], np.maximum(down, 0)[:, None])
    distance: _Distance = corner + np.minimum(np.maximum(across[None], down[:, None]), 0) - radius_px
    return distance


def _to_coverage(share: _Distance) -> Coverage:
    return np.rint(np.clip(share, 0, 1) * 255).astype(np.uint8)
