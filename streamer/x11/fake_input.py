"""Press keys and buttons and move the pointer of a display (XTEST).

Requests are only queued: whoever sends a batch flushes once. Positions are pixels of the root window.
"""

import xcffib.xproto
import xcffib.xtest

from streamer.x11.connection import Connection

_KEY_PRESS, _KEY_RELEASE = 2, 3
_BUTTON_PRESS, _BUTTON_RELEASE = 4, 5
_MOTION = 6
_ABSOLUTE, _RELATIVE = 0, 1
_NOW = 0
_CORE_DEVICE = 0
# Coordinates of the protocol are signed 16-bit.
_MAX_SHIFT_PX = 0x7FFF


class FakeInput:
    """The keyboard and pointer of one connection's display. Used by the connection's thread."""

    def __init__(self, connection: Connection) -> None:
        self._xtest = connection.extension(xcffib.xtest, "XTEST")
        self._root = connection.root
        # So that a program which grabs the server cannot make the queue stand still.
        self._xtest.GrabControl(True)

    def key(self, keycode: int, *, is_down: bool) -> None:
        """Press or release a key."""
        self._send(_KEY_PRESS if is_down else _KEY_RELEASE, keycode)

    def button(self, number: int, *, is_down: bool) -> None:
        """Press or release a pointer button, as X numbers them."""
        self._send(_BUTTON_PRESS if is_down else _BUTTON_RELEASE, number)

    def move_to(self, x_px: int, y_px: int) -> None:
        """Put the pointer at a place."""
        self._send(_MOTION, _ABSOLUTE, x_px, y_px)

    def move_by(self, dx_px: int, dy_px: int) -> None:
        """Shift the pointer; programs that listen to raw motion see exactly this."""
        self._send(_MOTION, _RELATIVE, _bounded(dx_px), _bounded(dy_px))

    def _send(self, kind: int, detail: int, x_px: int = 0, y_px: int = 0) -> None:
        self._xtest.FakeInput(kind, detail, _NOW, self._root, x_px, y_px, _CORE_DEVICE)


def _bounded(shift_px: int) -> int:
    return max(-_MAX_SHIFT_PX, min(_MAX_SHIFT_PX, shift_px))
