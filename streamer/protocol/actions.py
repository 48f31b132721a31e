"""What the holder of the seat does, after transport is out of the way: differences, not totals.

The seat makes these from the messages of `input.py`; input backends and interactive sources carry them out. Positions
are in 1/65536 of the picture, measured at pixel centres: 0 is the left or top edge, 65535 the right or bottom one.
"""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class PointerMove:
    """The pointer is at this place of the picture."""

    x: int
    y: int


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
