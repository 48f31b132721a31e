"""The door through a stream socket: one JSON object per line, for a session in a process of its own.

`serve_door` stands on the session's side, `RemoteDoor` on the other; whoever uses the latter cannot tell it from the
session itself. Signaling messages travel as `protocol.signaling` writes them.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from typing import Any, TypeVar

from streamer.errors import RemoteProtocolError
from streamer.protocol import signaling
from streamer.protocol.members import Members, parse_message, serialize_message
from streamer.protocol.signaling import Answer, Bye, ByeCode, Candidate, EndOfCandidates, Offer
from streamer.session.door import Command, Door, Ended, Event, Join, Leave, Listener, Opened, Said, Say, Stop

# A signaling message of 64 KiB, escaped once more as a string of JSON. Readers of these sockets need it as their limit.
MAX_LINE_BYTES = 256 * 1024
_MAX_NAME_BYTES = 256
_MAX_TEXT_BYTES = 64 * 1024
# The largest side that a picture can have in any codec of ours.
_MAX_SIDE_PX = 65536

_Value = TypeVar("_Value")


def serialize_command(command: Command) -> bytes:
    """Return a command as a line."""
    return _line(command)


def serialize_event(event: Event) -> bytes:
    """Return an event as a line."""
    return _line(event)


def parse_command(line: bytes) -> Command:
    """Return the command of a line.

    Raises:
        RemoteProtocolError: it is not a command.
    """
    return _parse(line, _COMMANDS)


def parse_event(line: bytes) -> Event:
    """Return the event of a line.

    Raises:
        RemoteProtocolError: it is not an event.
    """
    return _parse(line, _EVENTS)


class RemoteDoor:
    """A session's door at the other end of a socket. Event loop only."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._listeners: list[Listener] = []
        self._opened: Opened | None = None
        self._has_ended = False

    def submit(self, command: Command) -> None:
        if not self._has_ended:
            self._writer.write(serialize_command(command))

    def subscribe(self, listener: Listener) -> None:
        self._listeners.append(listener)
        if self._opened is not None and not self._has_ended:
            listener(self._opened)

    async def run(self) -> None:
        """Pass events on until the session ends or its socket closes, which counts as a failure."""
        try:
            while not self._has_ended:
                line = await _read_line(self._reader)
                self._tell(parse_event(line) if line else Ended("its process is gone", is_failure=True))
        except RemoteProtocolError as exc:
            self._tell(Ended(f"its process cannot be understood: {exc}", is_failure=True))
        finally:
            await _close(self._writer)

    def _tell(self, event: Event) -> None:
        if isinstance(event, Opened):
            self._opened = event
        self._has_ended = isinstance(event, Ended)
        for listener in list(self._listeners):
            listener(event)


async def serve_door(door: Door, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Let the other end of a socket use `door`, until it hangs up or the session ends.

    Raises:
        RemoteProtocolError: a line is no command: the other end is a program of ours, and it is broken.
    """
    has_ended = asyncio.Event()

    def carry(event: Event) -> None:
        # A door has no way to be left: when the other end has hung up, nobody hears this.
        if not writer.is_closing():
            writer.write(serialize_event(event))
        if isinstance(event, Ended):
            has_ended.set()

    async def listen() -> None:
        while line := await _read_line(reader):
            door.submit(parse_command(line))

    door.subscribe(carry)
    waits = [asyncio.ensure_future(listen()), asyncio.ensure_future(has_ended.wait())]
    try:
        done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in done:
            wait.result()
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
        await _close(writer)


async def _read_line(reader: asyncio.StreamReader) -> bytes:
    """Return the next line, or nothing when the other end has hung up."""
    try:
        return await reader.readline()
    except ValueError as exc:
        raise RemoteProtocolError("a line is too long") from exc
    except ConnectionError:
        return b""


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


def _line(value: Command | Event) -> bytes:
    members: dict[str, Any] = asdict(value)
    if isinstance(value, Said | Say):
        members["message"] = signaling.serialize(value.message)
    return serialize_message(_KINDS[type(value)], members, MAX_LINE_BYTES).encode() + b"\n"


def _parse(line: bytes, parsers: dict[str, Callable[[Members], _Value]]) -> _Value:
    try:
        text = line.decode()
    except UnicodeDecodeError as exc:
        raise RemoteProtocolError("a line is not UTF-8") from exc
    return parse_message(text, MAX_LINE_BYTES, parsers)


def _viewer(members: Members) -> str:
    return members.text("viewer", _MAX_NAME_BYTES)


def _reason(members: Members) -> str:
    return members.text("reason", _MAX_TEXT_BYTES)


def _parse_said(members: Members) -> Said:
    message = signaling.parse_from_viewer(members.text("message", signaling.MAX_MESSAGE_BYTES))
    if not isinstance(message, Answer | Candidate | EndOfCandidates):
        raise RemoteProtocolError("said: this message is the carrier's business")
    return Said(_viewer(members), message)


def _parse_leave(members: Members) -> Leave:
    code = members.text("code", _MAX_NAME_BYTES)
    if code not in frozenset(ByeCode):
        raise RemoteProtocolError(f"leave: unknown code {code!r}")
    return Leave(_viewer(members), ByeCode(code), _reason(members), may_return=members.boolean("may_return"))


def _parse_opened(members: Members) -> Opened:
    return Opened(
        source=members.text("source", _MAX_TEXT_BYTES),
        width_px=members.integer("width_px", 1, _MAX_SIDE_PX),
        height_px=members.integer("height_px", 1, _MAX_SIDE_PX),
        fps=members.number("fps"),
        encoder=members.text("encoder", _MAX_TEXT_BYTES),
    )


def _parse_say(members: Members) -> Say:
    message = signaling.parse_from_server(members.text("message", signaling.MAX_MESSAGE_BYTES))
    if not isinstance(message, Offer | Bye):
        raise RemoteProtocolError("say: this message is the carrier's business")
    return Say(_viewer(members), message)


_COMMANDS: dict[str, Callable[[Members], Command]] = {
    "join": lambda members: Join(_viewer(members)),
    "said": _parse_said,
    "leave": _parse_leave,
    "stop": lambda members: Stop(_reason(members)),
}
_EVENTS: dict[str, Callable[[Members], Event]] = {
    "opened": _parse_opened,
    "say": _parse_say,
    "ended": lambda members: Ended(_reason(members), is_failure=members.boolean("is_failure")),
}
_KINDS: dict[type[Command | Event], str] = {
    Join: "join",
    Said: "said",
    Leave: "leave",
    Stop: "stop",
    Opened: "opened",
    Say: "say",
    Ended: "ended",
}
