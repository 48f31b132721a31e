"""What the holder of the seat does, after transport is out of the way: differences, not totals.

The seat makes these from the messages of `input.py`; input backends and interactive sources carry them out.
"""

from dataclasses import dataclass
from typing import TypeAlias

# README.md, section Input.
_POSITION_UNITS = 65536


@dataclass(frozen=True, slots=True)
class PointerMove:
    """The pointer is at this place, in 1/65536 of the picture from its left and its upper edge."""

    x: int
    y: int

    def pixel(self, width_px: int, height_px: int) -> tuple[int, int]:
        """Return column and row of the pixel that this is in a picture of that size."""
        return self.x * width_px // _POSITION_UNITS, self.y * height_px // _POSITION_UNITS


@dataclass(frozen=True, slots=True)
class PointerShift:
    """A locked pointer moved by so many pixels."""

    dx_px: int
    dy_px: int


@dataclass(frozen=True, slots=True)
class WheelTurn:
    """The wheel turned, in 1/120 of a notch: positive is down and right, as in a W3C WheelEvent."""

    dx: int
    dy: int


@dataclass(frozen=True, slots=True)
class ButtonChange:
    """A pointer button went down or up, numbered as in W3C MouseEvent.button: 0 main, 1 middle, 2 secondary."""

    button: int
    is_down: bool


@dataclass(frozen=True, slots=True)
class KeyChange:
    """A key went down or up, named by its place: W3C KeyboardEvent.code."""

    code: str
    is_down: bool


@dataclass(frozen=True, slots=True)
class TextEntry:
    """Text was entered that no single key stands for: an input method, a paste."""

    text: str


InputAction: TypeAlias = PointerMove | PointerShift | WheelTurn | ButtonChange | KeyChange | TextEntry
