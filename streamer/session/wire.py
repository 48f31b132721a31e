"""The door through a stream socket: one JSON object per line, for a session in a process of its own.

`serve_door` stands on the session's side, `RemoteDoor` on the other; whoever uses the latter cannot tell it from the
session itself. Signaling messages travel as `protocol.signaling` writes them.
"""

import asyncio
import json
import logging
from dataclasses import asdict
from typing import Any

from streamer.errors import RemoteProtocolError
from streamer.protocol import signaling
from streamer.protocol.signaling import Answer, Bye, ByeCode, Candidate, EndOfCandidates, Offer
from streamer.session.door import Command, Door, Ended, Event, Join, Leave, Listener, Opened, Said, Say, Stop

logger = logging.getLogger(__name__)

# A signaling message of 64 KiB, escaped once more as a string of JSON.
MAX_LINE_BYTES = 256 * 1024


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
    kind, members = _members(line)
    try:
        match kind:
            case "Join":
                return Join(members["viewer"])
            case "Said":
                message = signaling.parse_from_viewer(members["message"])
                if isinstance(message, Answer | Candidate | EndOfCandidates):
                    return Said(members["viewer"], message)
            case "Leave":
                code = ByeCode(members["code"])
                return Leave(members["viewer"], code, members["reason"], may_return=members["may_return"])
            case "Stop":
                return Stop(members["reason"])
    except (KeyError, ValueError) as exc:
        raise RemoteProtocolError(f"{kind!r} is malformed: {exc}") from exc
    raise RemoteProtocolError(f"{kind!r} is not a command")


def parse_event(line: bytes) -> Event:
    """Return the event of a line.

    Raises:
        RemoteProtocolError: it is not an event.
    """
    kind, members = _members(line)
    try:
        match kind:
            case "Opened":
                return Opened(**members)
            case "Say":
                message = signaling.parse_from_server(members["message"])
                if isinstance(message, Offer | Bye):
                    return Say(members["viewer"], message)
            case "Ended":
                return Ended(**members)
    except (KeyError, TypeError) as exc:
        raise RemoteProtocolError(f"{kind!r} is malformed: {exc}") from exc
    raise RemoteProtocolError(f"{kind!r} is not an event")


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
        if self._opened is not None:
            listener(self._opened)

    async def run(self) -> None:
        """Pass events on until the session ends or its socket closes, which counts as a failure."""
        try:
            while not self._has_ended:
                line = await self._reader.readline()
                self._tell(parse_event(line) if line else Ended("its process is gone", is_failure=True))
        except (RemoteProtocolError, ValueError, ConnectionError) as exc:
            self._tell(Ended(f"its process cannot be understood: {exc}", is_failure=True))
        finally:
            self._writer.close()

    def _tell(self, event: Event) -> None:
        if isinstance(event, Opened):
            self._opened = event
        self._has_ended = isinstance(event, Ended)
        for listener in list(self._listeners):
            listener(event)


async def serve_door(door: Door, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Let the other end of a socket use `door`, until it hangs up or the session ends.

    Malformed lines end the service: the other end is a program of ours, and it is broken.
    """
    has_ended = asyncio.Event()

    def carry(event: Event) -> None:
        writer.write(serialize_event(event))
        if isinstance(event, Ended):
            has_ended.set()

    async def listen() -> None:
        while line := await reader.readline():
            door.submit(parse_command(line))

    door.subscribe(carry)
    waits = [asyncio.ensure_future(listen()), asyncio.ensure_future(has_ended.wait())]
    try:
        done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in done:
            wait.result()
        await writer.drain()
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
        writer.close()


def _line(value: Command | Event) -> bytes:
    members: dict[str, Any]
    if isinstance(value, Said | Say):
        members = {"viewer": value.viewer, "message": signaling.serialize(value.message)}
    else:
        members = asdict(value)
    return json.dumps({"type": type(value).__name__, **members}, separators=(",", ":")).encode() + b"\n"


def _members(line: bytes) -> tuple[str, dict[str, Any]]:
    try:
        members = json.loads(line)
    except (ValueError, RecursionError) as exc:
        raise RemoteProtocolError("a line is not JSON") from exc
    if not isinstance(members, dict) or not isinstance(members.get("type"), str):
        raise RemoteProtocolError("a line is not an object with a type")
    return members.pop("type"), members
