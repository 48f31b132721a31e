"""Where the parts of the scene lie, for every size of picture.

The plan is drawn for 1280x720 and scaled to what fits; what remains of a wider or taller picture goes to the open space
between the header and the panels, where the ball flies.
"""

from dataclasses import dataclass

from streamer.media.frame import Resolution
from streamer.sources._scene.keyboard import ROWS, WIDTH

_PLAN_WIDTH, _PLAN_HEIGHT = 1280, 720
# All in pixels of the plan.
_MARGIN = 40
_KEY = 42
_KEY_GAP = 4
_PANEL_PADDING = 20
_TEXT_LINE = 48
_DIAL_RADIUS = 88
_HEADER_TOP = 44
_BALL_RADIUS = 17
_COURT_TOP = 118


@dataclass(frozen=True, slots=True)
class Rect:
    """A part of the picture in pixels."""

    left: int
    top: int
    width: int
    height: int

    @property
    def right(self) -> int:
        return self.left + self.width

    @property
    def bottom(self) -> int:
        return self.top + self.height

    def holds(self, x: int, y: int) -> bool:
        return self.left <= x <= self.right and self.top <= y <= self.bottom


class Layout:
    """The places of all parts at one resolution."""

    def __init__(self, resolution: Resolution) -> None:
        self.resolution = resolution
        width, height = resolution.width_px, resolution.height_px
        self.scale = min(width / _PLAN_WIDTH, height / _PLAN_HEIGHT)
        self.margin = self.px(_MARGIN)
        self.key_pitch = self.px(_KEY)
        self.key_gap = self.px(_KEY_GAP)
        padding = self.px(_PANEL_PADDING)
        keyboard_height = round(ROWS * self.key_pitch) + 2 * padding + self.px(_TEXT_LINE)
        panels_top = height - self.margin - keyboard_height
        keyboard_width = round(WIDTH * self.key_pitch) + 2 * padding
        self.padding = padding
        self.keyboard = Rect(self.margin, panels_top, keyboard_width, keyboard_height)
        self.text_line = Rect(
            self.keyboard.left + padding,
            panels_top + padding,
            keyboard_width - 2 * padding,
            self.px(_TEXT_LINE) - padding,
        )
        self.keys_top = panels_top + padding + self.px(_TEXT_LINE)
        mouse_left = self.keyboard.right + padding
        self.mouse = Rect(mouse_left, panels_top, width - self.margin - mouse_left, keyboard_height)
        self.header_top = self.px(_HEADER_TOP)
        self.dial_radius = self.px(_DIAL_RADIUS)
        self.dial_x = width - self.margin - self.dial_radius
        self.dial_y = self.header_top + self.dial_radius
        self.ball_radius = self.px(_BALL_RADIUS)
        self.court = self._court()

    def px(self, plan_px: float) -> int:
        """Return a length of the plan in this picture, at least one pixel."""
        return max(1, round(plan_px * self.scale))

    def key(self, left: float, row: int, width: float) -> Rect:
        """Return the face of a key from its place on the keyboard in key units."""
        x = self.keyboard.left + self.padding + round(left * self.key_pitch)
        right = self.keyboard.left + self.padding + round((left + width) * self.key_pitch)
        return Rect(x, self.keys_top + row * self.key_pitch, right - x - self.key_gap, self.key_pitch - self.key_gap)

    def _court(self) -> Rect:
        """The space that the centre of the ball may reach."""
        left, top = self.margin + self.ball_radius, self.px(_COURT_TOP) + self.ball_radius
        right = self.dial_x - self.dial_radius - self.margin - self.ball_radius
        bottom = self.keyboard.top - self.padding - self.ball_radius
        return Rect(left, top, max(1, right - left), max(1, bottom - top))
