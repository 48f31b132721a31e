"""One viewer's keyboard and pointer: from the messages of the wire to actions.

Running totals become differences, late motion is dropped, and what is held down is known, so that everything can be let
go when the viewer falls silent. Sans-IO: time is handed in. Whether the actions count is the seat's business.
"""

from streamer.errors import RemoteProtocolError
from streamer.media.timeline import Unwrapper
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
    MAX_ENTRY_BYTES,
    Button,
    Held,
    InputMessage,
    Key,
    KeysMessage,
    Motion,
    Pointer,
    PointerTotals,
    Recap,
    ReleaseAll,
    Text,
    WheelTotals,
    total_difference,
)

# The page says what is held every 100 ms; five of those missing mean that it cannot be heard any more.
HELD_TIMEOUT_US = 500_000
# No keyboard needs more keys at once; a page that holds more is broken.
_MAX_HELD_KEYS = 32
_MAX_POSITION = 65_535
_SEQUENCE_BITS = 16
_SEQUENCE_MASK = (1 << _SEQUENCE_BITS) - 1


class _Totals:
    """A running total in two directions, and how much of it has been applied."""

    __slots__ = ("_last_index", "x", "y")

    def __init__(self) -> None:
        self.x = 0
        self.y = 0
        self._last_index: int | None = None

    def advance(self, index: int, x: int, y: int) -> tuple[int, int]:
        """Return the difference to the last total; nothing for a message older than the last one."""
        if self._last_index is not None and index <= self._last_index:
            return 0, 0
        difference = total_difference(x, self.x), total_difference(y, self.y)
        self.x, self.y, self._last_index = x, y, index
        return difference


class _Entry:
    """A text that comes in pieces."""

    __slots__ = ("_bytes", "_pieces")

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._bytes = 0

    def add(self, message: Text) -> str | None:
        """Return the whole text if this was its last piece.

        Raises:
            RemoteProtocolError: it is longer than a text may be.
        """
        self._pieces.append(message.text)
        self._bytes += len(message.text.encode())
        if self._bytes > MAX_ENTRY_BYTES:
            raise RemoteProtocolError(f"a text of more than {MAX_ENTRY_BYTES} bytes is entered")
        if message.has_more:
            return None
        whole = "".join(self._pieces)
        self.forget()
        return whole

    def forget(self) -> None:
        self._pieces.clear()
        self._bytes = 0


class Controls:
    """The state of one viewer's input, from the opening of its channels to their end."""

    def __init__(self) -> None:
        self._keys: dict[str, None] = {}
        self._buttons: dict[int, None] = {}
        self._entry = _Entry()
        self._pointer_totals = _Totals()
        self._wheel_totals = _Totals()
        # One index for all kinds: one that pauses for half a circle of the sequence is not late when it goes on.
        self._indexes = Unwrapper(_SEQUENCE_BITS)
        self._newest_index: int | None = None
        # Up to here every event is applied, whichever channel brought it. Numbers start at one.
        self._settled_index = 0
        # Of the newest position and of the last button, whichever came later.
        self._last_place_index: int | None = None
        self._expires_at_us: int | None = None

    @property
    def newest_sequence(self) -> int:
        """The sequence number of the newest message; 0 before the first one."""
        return (self._newest_index or 0) & _SEQUENCE_MASK

    @property
    def expires_at_us(self) -> int | None:
        """When everything must be released unless the viewer is heard before; None while nothing is held."""
        return self._expires_at_us

    def take(self, message: InputMessage, now_us: int) -> list[InputAction]:
        """Return what the message asks for, in order.

        Events arrive on one channel in order and in recaps on another: whichever comes first is applied, once.

        Raises:
            RemoteProtocolError: the viewer holds more keys than there are, or enters too long a text.
        """
        index = self._indexes.unwrap(message.sequence)
        is_motion = isinstance(message, Motion)
        if not is_motion and not self._goes_on(message, index):
            return []
        self._newest_index = index if self._newest_index is None else max(self._newest_index, index)
        actions = self._actions(message, index)
        if not self._keys and not self._buttons:
            self._expires_at_us = None
        elif not is_motion:
            # Motion says nothing of whether a key's release could be heard. A recap would have had it.
            self._expires_at_us = now_us + HELD_TIMEOUT_US
        return actions

    def release(self) -> list[InputAction]:
        """Return the actions that let go of everything, and forget what was held."""
        ups: list[InputAction] = [ButtonChange(button, is_down=False) for button in self._buttons]
        ups += [KeyChange(code, is_down=False) for code in reversed(self._keys)]
        self._keys.clear()
        self._buttons.clear()
        self._expires_at_us = None
        return ups

    def _goes_on(self, message: InputMessage, index: int) -> bool:
        """Return whether no event is missing between the last applied one and the message, which is not motion."""
        if index <= self._settled_index:
            return False
        # The channel of keys leaves nothing out; a recap says how far back it leaves nothing out.
        return not isinstance(message, Recap) or index - message.reach <= self._settled_index

    def _actions(self, message: InputMessage, index: int) -> list[InputAction]:
        match message:
            case Pointer():
                return self._pointer(message, index)
            case PointerTotals():
                return self._shift(index, message.x, message.y)
            case WheelTotals():
                dx, dy = self._wheel_totals.advance(index, message.x, message.y)
                return [WheelTurn(dx, dy)] if dx or dy else []
            case Recap():
                return self._repeated(message)
            case _:
                return self._applied(message, index)

    def _repeated(self, message: Recap) -> list[InputAction]:
        actions: list[InputAction] = []
        for event in message.events:
            index = self._indexes.unwrap(event.sequence)
            if index > self._settled_index:
                actions += self._applied(event, index)
        return actions

    def _applied(self, message: KeysMessage, index: int) -> list[InputAction]:
        self._settled_index = index
        if not isinstance(message, Text):
            # Part of a text is worse than nothing of it.
            self._entry.forget()
        match message:
            case Button():
                return self._button(message, index)
            case Key():
                return self._key(message.code, is_down=message.is_down)
            case Text():
                text = self._entry.add(message)
                return [] if text is None else [TextEntry(text)]
            case Held():
                return self._reconcile(message)
            case ReleaseAll():
                return self.release()

    def _pointer(self, message: Pointer, index: int) -> list[InputAction]:
        # Motion from before the last button or before newer motion would move the pointer back.
        if self._last_place_index is not None and index <= self._last_place_index:
            return []
        self._last_place_index = index
        return [PointerMove(message.x, message.y)]

    def _shift(self, index: int, x: int, y: int) -> list[InputAction]:
        dx, dy = self._pointer_totals.advance(index, x, y)
        return [PointerShift(dx, dy)] if dx or dy else []

    def _button(self, message: Button, index: int) -> list[InputAction]:
        self._last_place_index = index if self._last_place_index is None else max(index, self._last_place_index)
        if message.is_locked:
            actions = self._shift(index, message.x, message.y)
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
