"""The members of one JSON object of the other side, read one by one with their types and limits.

Shared by signaling and control. Types are strict: a boolean is no integer, and 1.0 is no integer either. Errors name
the member and the kind of value found, never a string's text: it may be a secret.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeVar

from streamer.errors import LocalProtocolError, RemoteProtocolError

# The largest integer that a browser's numbers hold exactly: Number.MAX_SAFE_INTEGER of ECMA-262.
MAX_INTEGER = (1 << 53) - 1
# Enough for every name in the protocol; longer unknown types are cut when an error quotes them.
_MAX_QUOTED_CHARACTERS = 40

_KINDS = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", type(None): "null"}

_Value = TypeVar("_Value")


class Members:
    """The members of one object. Every method raises RemoteProtocolError for a member that is not as asked for."""

    __slots__ = ("_name", "_values")

    def __init__(self, name: str, values: dict[str, Any]) -> None:
        self._name = name
        self._values = values

    def text(self, name: str, max_bytes: int) -> str:
        """Return a string of at most `max_bytes` in UTF-8."""
        return self._checked_text(name, self._values.get(name), max_bytes)

    def optional_text(self, name: str, max_bytes: int) -> str | None:
        """Return the same, or None when the member is null or absent."""
        return None if self._values.get(name) is None else self.text(name, max_bytes)

    def integer(self, name: str, lowest: int = 0, highest: int = MAX_INTEGER) -> int:
        """Return an integer between `lowest` and `highest`, both included."""
        value = self._values.get(name)
        if type(value) is not int:
            self._refuse(name, value, "an integer")
        if not lowest <= value <= highest:
            raise RemoteProtocolError(f"{self._name}: {name} is not between {lowest} and {highest}")
        return value

    def optional_integer(self, name: str, lowest: int = 0, highest: int = MAX_INTEGER) -> int | None:
        """Return the same, or None when the member is null or absent."""
        return None if self._values.get(name) is None else self.integer(name, lowest, highest)

    def number(self, name: str) -> float:
        """Return a number that is no larger than `MAX_INTEGER` either way."""
        value = self._values.get(name)
        if type(value) is not int and type(value) is not float:
            self._refuse(name, value, "a number")
        if not -MAX_INTEGER <= value <= MAX_INTEGER:
            raise RemoteProtocolError(f"{self._name}: {name} is too large")
        return float(value)

    def optional_number(self, name: str) -> float | None:
        """Return the same, or None when the member is null or absent."""
        return None if self._values.get(name) is None else self.number(name)

    def boolean(self, name: str) -> bool:
        value = self._values.get(name)
        if type(value) is not bool:
            self._refuse(name, value, "a boolean")
        return value

    def object(self, name: str) -> "Members":
        """Return the members of an object inside this one."""
        return self._inner(name, self._values.get(name))

    def objects(self, name: str, max_count: int) -> "list[Members]":
        """Return the members of each object of a list."""
        return [self._inner(name, value) for value in self._list(name, max_count)]

    def texts(self, name: str, max_count: int, max_bytes: int) -> tuple[str, ...]:
        """Return a list of strings."""
        return tuple(self._checked_text(name, value, max_bytes) for value in self._list(name, max_count))

    def integers(self, name: str, max_count: int, max_name_bytes: int) -> dict[str, int]:
        """Return an object whose members are all integers."""
        inner = self.object(name)
        if len(inner._values) > max_count:  # noqa: SLF001 - the same class
            raise RemoteProtocolError(f"{self._name}: {name} has more than {max_count} members")
        keys = [self._checked_text(name, key, max_name_bytes) for key in inner._values]  # noqa: SLF001 - the same class
        return {key: inner.integer(key, -MAX_INTEGER) for key in keys}

    def _list(self, name: str, max_count: int) -> list[Any]:
        value = self._values.get(name)
        if not isinstance(value, list):
            self._refuse(name, value, "a list")
        if len(value) > max_count:
            raise RemoteProtocolError(f"{self._name}: {name} has more than {max_count} entries")
        return value

    def _inner(self, name: str, value: Any) -> "Members":
        if not isinstance(value, dict):
            self._refuse(name, value, "an object")
        return Members(f"{self._name}: {name}", value)

    def _checked_text(self, name: str, value: Any, max_bytes: int) -> str:
        if not isinstance(value, str):
            self._refuse(name, value, "a string")
        if _encoded_bytes(value) > max_bytes:
            raise RemoteProtocolError(f"{self._name}: {name} is longer than {max_bytes} bytes")
        return value

    def _refuse(self, name: str, value: Any, expected: str) -> NoReturn:
        found = "missing" if name not in self._values else _KINDS.get(type(value), "a number of another kind")
        raise RemoteProtocolError(f"{self._name}: {name} is {found}, not {expected}")


def parse_message(text: str, max_bytes: int, parsers: Mapping[str, Callable[[Members], _Value]]) -> _Value:
    """Return what the parser of the message's `type` makes of the JSON object in `text`.

    Raises:
        RemoteProtocolError: it is no JSON object, too long, or of a type without a parser, or that parser refuses it.
    """
    if len(text) > max_bytes or _encoded_bytes(text) > max_bytes:
        raise RemoteProtocolError(f"message is longer than {max_bytes} bytes")
    try:
        values = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as exc:
        # Besides malformed text: integers of thousands of digits and nesting beyond the interpreter's limit.
        raise RemoteProtocolError("message is not JSON") from exc
    if not isinstance(values, dict):
        raise RemoteProtocolError("message is not a JSON object")
    kind = values.get("type")
    if not isinstance(kind, str):
        raise RemoteProtocolError("message has no type")
    parser = parsers.get(kind)
    if parser is None:
        raise RemoteProtocolError(f"unknown message type {kind[:_MAX_QUOTED_CHARACTERS]!r}")
    return parser(Members(kind, values))


def serialize_message(kind: str, values: Mapping[str, Any], max_bytes: int) -> str:
    """Return the JSON object of `kind` with these members. It is pure ASCII.

    Raises:
        LocalProtocolError: a value has no JSON form, or the message is too long.
    """
    try:
        text = json.dumps({"type": kind, **values}, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as exc:
        raise LocalProtocolError(f"{kind} has no JSON form: {exc}") from exc
    if len(text) > max_bytes:
        raise LocalProtocolError(f"{kind} is longer than {max_bytes} bytes")
    return text


def _encoded_bytes(text: str) -> int:
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        # Half a surrogate pair, from an escape in JSON: no text that could be sent on or written down.
        raise RemoteProtocolError("text is not Unicode: it has half a surrogate pair") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
