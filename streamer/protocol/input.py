"""Input messages of a viewer: bytes of the channels `motion` and `keys` to values and back.

Owns the wire format of README.md, section Input, and the comparisons of its counters. Knows nothing of who may send
what at which moment, nor of rates: the seat does.

Rules of this file: every message is one frozen value; `parse` accepts exactly what `serialize` can produce; a byte too
many, an unknown flag and a value out of range are errors of the sender.
"""

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from streamer.errors import LocalProtocolError, RemoteProtocolError

# All limits are those of README.md, section Input.
MAX_MESSAGE_BYTES = 1200
MAX_CODE_BYTES = 32
MAX_TEXT_BYTES = 1024
MAX_ENTRY_BYTES = 32 * 1024
MAX_HELD_CODES = 32
MAX_RECAP_EVENTS = 32
MAX_BUTTON = 4
MAX_POSITION = 65535

_POINTER = 0x01
_POINTER_TOTALS = 0x02
_WHEEL_TOTALS = 0x03
_RECAP = 0x04
_KEY = 0x10
_BUTTON = 0x11
_TEXT = 0x12
_HELD = 0x13
_RELEASE_ALL = 0x14

_IS_DOWN = 0x01
_IS_LOCKED = 0x02
_HAS_MORE = 0x01
_ALL_BUTTONS = (1 << (MAX_BUTTON + 1)) - 1

_HEADER = struct.Struct("!BH")
_POSITION = struct.Struct("!BHHH")
_TOTALS = struct.Struct("!BHii")
_KEY_HEAD = struct.Struct("!BHBB")
_BUTTON_ALL = struct.Struct("!BHBBii")
_TEXT_HEAD = struct.Struct("!BHBH")
_HELD_HEAD = struct.Struct("!BHBB")
_RECAP_HEAD = struct.Struct("!BHIB")

_CODE = re.compile(rb"[A-Za-z0-9]{1,%d}" % MAX_CODE_BYTES)


@dataclass(frozen=True, slots=True)
class Pointer:
    """The absolute position of the pointer, in 1/65536 of the picture."""

    sequence: int
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class PointerTotals:
    """Running totals of locked-pointer movement in pixels, modulo 2^32, as signed numbers."""

    sequence: int
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class WheelTotals:
    """Running totals of the wheel in 1/120 of a notch, modulo 2^32, as signed numbers."""

    sequence: int
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Key:
    """A key went down or up, named by its W3C KeyboardEvent.code."""

    sequence: int
    code: str
    is_down: bool


@dataclass(frozen=True, slots=True)
class Button:
    """A pointer button went down or up. `x` and `y` are totals when the pointer is locked, else a position."""

    sequence: int
    button: int
    is_down: bool
    is_locked: bool
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Text:
    """Text was entered that no single key stands for; with `has_more`, the next message goes on with it."""

    sequence: int
    text: str
    has_more: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """Everything that is down: bit n of `buttons` is button n, `codes` are the keys."""

    sequence: int
    buttons: int
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReleaseAll:
    """Nothing is down any more."""

    sequence: int


Motion: TypeAlias = Pointer | PointerTotals | WheelTotals
KeysEvent: TypeAlias = Key | Button | Text | ReleaseAll


@dataclass(frozen=True, slots=True)
class Recap:
    """All events after the message that is `reach` numbers older, oldest first. The channel `keys` brings them, too."""

    sequence: int
    reach: int
    events: tuple[KeysEvent, ...]


MotionMessage: TypeAlias = Motion | Recap
KeysMessage: TypeAlias = KeysEvent | Held
InputMessage: TypeAlias = MotionMessage | KeysMessage


def is_newer(a: int, b: int) -> bool:
    """Return whether sequence number `a` comes after `b` (RFC 1982, 16 bits); at half the circle neither does."""
    return 0 < ((a - b) & 0xFFFF) < 1 << 15


def total_difference(new: int, old: int) -> int:
    """Return how far a running total went from `old` to `new`, which are numbers modulo 2^32, as a signed number."""
    return ((new - old + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)


def parse(data: bytes) -> InputMessage:
    """Return the message that `data` is.

    Raises:
        RemoteProtocolError: `data` is not exactly one well-formed message.
    """
    if not _HEADER.size <= len(data) <= MAX_MESSAGE_BYTES:
        raise RemoteProtocolError(f"input message of {len(data)} bytes")
    parser = _PARSERS.get(data[0])
    if parser is None:
        raise RemoteProtocolError(f"unknown input message type {data[0]:#04x}")
    try:
        return parser(data)
    except (struct.error, IndexError) as exc:
        raise RemoteProtocolError(f"input message of type {data[0]:#04x} has {len(data)} bytes") from exc


def serialize(message: InputMessage) -> bytes:
    """Return the bytes of `message`.

    Raises:
        LocalProtocolError: a member is out of the range that the protocol gives it.
    """
    try:
        data = _serialize(message)
        parse(data)
    except (struct.error, ValueError, RemoteProtocolError) as exc:
        raise LocalProtocolError(f"{message!r} cannot be sent: {exc}") from exc
    return data


def _parse_pointer(data: bytes) -> Pointer:
    return Pointer(*_POSITION.unpack(data)[1:])


def _parse_pointer_totals(data: bytes) -> PointerTotals:
    return PointerTotals(*_TOTALS.unpack(data)[1:])


def _parse_wheel_totals(data: bytes) -> WheelTotals:
    return WheelTotals(*_TOTALS.unpack(data)[1:])


def _parse_key(data: bytes) -> Key:
    _, sequence, flags, _ = _KEY_HEAD.unpack_from(data)
    _check_flags(flags, _IS_DOWN)
    code, end = _parse_code(data, _KEY_HEAD.size - 1)
    _check_end(data, end)
    return Key(sequence, code, flags == _IS_DOWN)


def _parse_button(data: bytes) -> Button:
    _, sequence, button, flags, x, y = _BUTTON_ALL.unpack(data)
    _check_flags(flags, _IS_DOWN | _IS_LOCKED)
    if button > MAX_BUTTON:
        raise RemoteProtocolError(f"button {button} is above {MAX_BUTTON}")
    is_locked = bool(flags & _IS_LOCKED)
    if not is_locked and not (0 <= x <= MAX_POSITION and 0 <= y <= MAX_POSITION):
        raise RemoteProtocolError(f"position {x}, {y} is outside the picture")
    return Button(sequence, button, bool(flags & _IS_DOWN), is_locked, x, y)


def _parse_text(data: bytes) -> Text:
    _, sequence, flags, length = _TEXT_HEAD.unpack_from(data)
    _check_flags(flags, _HAS_MORE)
    if not 1 <= length <= MAX_TEXT_BYTES:
        raise RemoteProtocolError(f"text of {length} bytes")
    end = _TEXT_HEAD.size + length
    _check_end(data, end)
    try:
        return Text(sequence, data[_TEXT_HEAD.size : end].decode(), flags == _HAS_MORE)
    except UnicodeDecodeError as exc:
        raise RemoteProtocolError(f"text is not UTF-8: {exc.reason}") from exc


def _parse_held(data: bytes) -> Held:
    _, sequence, buttons, count = _HELD_HEAD.unpack_from(data)
    _check_flags(buttons, _ALL_BUTTONS)
    if count > MAX_HELD_CODES:
        raise RemoteProtocolError(f"{count} keys are held")
    codes = []
    end = _HELD_HEAD.size
    for _ in range(count):
        code, end = _parse_code(data, end)
        codes.append(code)
    _check_end(data, end)
    return Held(sequence, buttons, tuple(codes))


def _parse_release_all(data: bytes) -> ReleaseAll:
    return ReleaseAll(_HEADER.unpack(data)[1])


def _parse_recap(data: bytes) -> Recap:
    _, sequence, reach, count = _RECAP_HEAD.unpack_from(data)
    if count > MAX_RECAP_EVENTS:
        raise RemoteProtocolError(f"{count} events are repeated")
    events = []
    end = _RECAP_HEAD.size
    # How far back the next event may lie: within reach, after the one before it, and where serial numbers compare.
    limit = min(reach, 1 << 15)
    for _ in range(count):
        event, end = _parse_event(data, end)
        distance = (sequence - event.sequence) & 0xFFFF
        if not 0 < distance < limit:
            raise RemoteProtocolError(f"event {event.sequence} is out of place in recap {sequence}")
        limit = distance
        events.append(event)
    _check_end(data, end)
    return Recap(sequence, reach, tuple(events))


def _parse_event(data: bytes, at: int) -> tuple[KeysEvent, int]:
    """Return the event whose length byte is at `at`, and where it ends."""
    end = at + 1 + data[at]
    event = data[at + 1 : end]
    parser = _EVENT_PARSERS.get(event[0])
    if parser is None:
        raise RemoteProtocolError(f"message of type {event[0]:#04x} in a recap")
    return parser(event), end


def _parse_code(data: bytes, at: int) -> tuple[str, int]:
    """Return the code whose length byte is at `at`, and where it ends."""
    end = at + 1 + data[at]
    code = data[at + 1 : end]
    if _CODE.fullmatch(code) is None:
        raise RemoteProtocolError(f"{code!r} is not the code of a key")
    return code.decode("ascii"), end


def _check_flags(flags: int, known: int) -> None:
    if flags & ~known:
        raise RemoteProtocolError(f"unknown flags {flags & ~known:#04x}")


def _check_end(data: bytes, end: int) -> None:
    if end != len(data):
        raise RemoteProtocolError(f"input message of type {data[0]:#04x} has {len(data)} bytes, not {end}")


_EVENT_PARSERS: dict[int, Callable[[bytes], KeysEvent]] = {
    _KEY: _parse_key,
    _BUTTON: _parse_button,
    _TEXT: _parse_text,
    _RELEASE_ALL: _parse_release_all,
}
_PARSERS: dict[int, Callable[[bytes], InputMessage]] = {
    _POINTER: _parse_pointer,
    _POINTER_TOTALS: _parse_pointer_totals,
    _WHEEL_TOTALS: _parse_wheel_totals,
    _RECAP: _parse_recap,
    _HELD: _parse_held,
    **_EVENT_PARSERS,
}


def _serialize(message: InputMessage) -> bytes:  # noqa: PLR0911 - one return for each message type
    match message:
        case Pointer(sequence, x, y):
            return _POSITION.pack(_POINTER, sequence, x, y)
        case PointerTotals(sequence, x, y):
            return _TOTALS.pack(_POINTER_TOTALS, sequence, x, y)
        case WheelTotals(sequence, x, y):
            return _TOTALS.pack(_WHEEL_TOTALS, sequence, x, y)
        case Key(sequence, code, is_down):
            return _HEADER.pack(_KEY, sequence) + bytes((is_down,)) + _code_bytes(code)
        case Button(sequence, button, is_down, is_locked, x, y):
            flags = is_down * _IS_DOWN | is_locked * _IS_LOCKED
            return _BUTTON_ALL.pack(_BUTTON, sequence, button, flags, x, y)
        case Text(sequence, text, has_more):
            encoded = text.encode()
            return _TEXT_HEAD.pack(_TEXT, sequence, has_more * _HAS_MORE, len(encoded)) + encoded
        case Held(sequence, buttons, codes):
            return _HELD_HEAD.pack(_HELD, sequence, buttons, len(codes)) + b"".join(map(_code_bytes, codes))
        case Recap(sequence, reach, events):
            repeated = [_serialize(event) for event in events]
            head = _RECAP_HEAD.pack(_RECAP, sequence, reach, len(repeated))
            return head + b"".join(bytes((len(event),)) + event for event in repeated)
        case _:
            return _HEADER.pack(_RELEASE_ALL, message.sequence)


def _code_bytes(code: str) -> bytes:
    encoded = code.encode("ascii")
    return bytes((len(encoded),)) + encoded
