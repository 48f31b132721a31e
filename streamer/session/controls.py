"""One viewer's keyboard and pointer: from the messages of the wire to actions.

Running totals become differences, late motion is dropped, and what is held down is known, so that everything can be let
go when the viewer falls silent. Sans-IO: time is handed in. Whether the actions count is the seat's business.
"""

from streamer.errors import RemoteProtocolError
from streamer.protocol.actions import (
    ButtonChange,
    InputAction,
    KeyChange,
    PointerMove,
    PointerShift,
    TextEntry,
    WheelTurn,
)
from streamer.protocol.input import (
    Button,
    Held,
    InputMessage,
    Key,
    Pointer,
    PointerTotals,
    ReleaseAll,
    Text,
    WheelTotals,
    is_newer,
    total_difference,
)

# The page says what is held every 100 ms; five of those missing mean that it cannot be heard any more.
HELD_TIMEOUT_US = 500_000
# No keyboard needs more keys at once; a page that holds more is broken.
_MAX_HELD_KEYS = 32
_MAX_POSITION = 65_535


class _Totals:
    """A running total in two directions, and how much of it has been applied."""

    __slots__ = ("_last_sequence", "x", "y")

    def __init__(self) -> None:
        self.x = 0
        self.y = 0
        self._last_sequence: int | None = None

    def advance(self, sequence: int, x: int, y: int) -> tuple[int, int]:
        """Return the difference to the last total; nothing for a message older than the last one."""
        if self._last_sequence is not None and not is_newer(sequence, self._last_sequence):
            return 0, 0
        difference = total_difference(x, self.x), total_difference(y, self.y)
        self.x, self.y, self._last_sequence = x, y, sequence
        return difference


class Controls:
    """The state of one viewer's input, from the opening of its channels to their end."""

    def __init__(self) -> None:
        self._keys: dict[str, None] = {}
        self._buttons: dict[int, None] = {}
        self._pointer_totals = _Totals()
        self._wheel_totals = _Totals()
        self._last_pointer_sequence: int | None = None
        self._last_button_sequence: int | None = None
        self._expires_at_us: int | None = None

    @property
    def expires_at_us(self) -> int | None:
        """When everything must be released unless the viewer is heard before; None while nothing is held."""
        return self._expires_at_us

    def take(self, message: InputMessage, now_us: int) -> list[InputAction]:
        """Return what the message asks for, in order.

        Raises:
            RemoteProtocolError: the viewer holds more keys than there are.
        """
        match message:
            case Pointer():
                actions = self._pointer(message)
            case PointerTotals():
                actions = self._shift(message.sequence, message.x, message.y)
            case WheelTotals():
                dx, dy = self._wheel_totals.advance(message.sequence, message.x, message.y)
                actions = [WheelTurn(dx, dy)] if dx or dy else []
            case Button():
                actions = self._button(message)
            case Key():
                actions = self._key(message.code, is_down=message.is_down)
            case Text():
                actions = [TextEntry(message.text)]
            case Held():
                actions = self._reconcile(message)
            case ReleaseAll():
                actions = self.release()
        self._expires_at_us = now_us + HELD_TIMEOUT_US if self._keys or self._buttons else None
        return actions

    def release(self) -> list[InputAction]:
        """Return the actions that let go of everything, and forget what was held."""
        ups: list[InputAction] = [ButtonChange(button, is_down=False) for button in self._buttons]
        ups += [KeyChange(code, is_down=False) for code in reversed(self._keys)]
        self._keys.clear()
        self._buttons.clear()
        self._expires_at_us = None
        return ups

    def _pointer(self, message: Pointer) -> list[InputAction]:
        if self._is_late(message.sequence, self._last_pointer_sequence):
            return []
        self._last_pointer_sequence = message.sequence
        return [PointerMove(message.x, message.y)]

    def _is_late(self, sequence: int, last: int | None) -> bool:
        """Motion from before the last button or before newer motion would move the pointer back."""
        return any(other is not None and not is_newer(sequence, other) for other in (last, self._last_button_sequence))

    def _shift(self, sequence: int, x: int, y: int) -> list[InputAction]:
        dx, dy = self._pointer_totals.advance(sequence, x, y)
        return [PointerShift(dx, dy)] if dx or dy else []

    def _button(self, message: Button) -> list[InputAction]:
        self._last_button_sequence = message.sequence
        if message.is_locked:
            actions = self._shift(message.sequence, message.x, message.y)
        else:
            actions = [PointerMove(_clamp(message.x), _clamp(message.y))]
        if message.is_down == (message.button in self._buttons):
            return actions
        if message.is_down:
            self._buttons[message.button] = None
        else:
            del self._buttons[message.button]
        return [*actions, ButtonChange(message.button, message.is_down)]

    def _key(self, code: str, *, is_down: bool) -> list[InputAction]:
        if is_down == (code in self._keys):
            return []
        if is_down:
            if len(self._keys) >= _MAX_HELD_KEYS:
                raise RemoteProtocolError(f"more than {_MAX_HELD_KEYS} keys are held")
            self._keys[code] = None
        else:
            del self._keys[code]
        return [KeyChange(code, is_down)]

    def _reconcile(self, message: Held) -> list[InputAction]:
        """Release what the viewer does not hold any more. What we lack is not pressed: its moment has passed."""
        lost_buttons = [button for button in self._buttons if not message.buttons >> button & 1]
        lost_keys = [code for code in self._keys if code not in message.codes]
        actions: list[InputAction] = []
        for button in lost_buttons:
            del self._buttons[button]
            actions.append(ButtonChange(button, is_down=False))
        for code in lost_keys:
            actions += self._key(code, is_down=False)
        return actions


def _clamp(position: int) -> int:
    return min(max(position, 0), _MAX_POSITION)
