"""Talk to the guardian: have programs started, hear of their end, have everything ended.

The wire format stands in guardian.py. Losing this process in any way closes the socket, and that is the signal.
"""

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streamer.errors import DesktopError

logger = logging.getLogger(__name__)

_BACKEND = "desktop"
_GUARDIAN = Path(__file__).with_name("guardian.py")
# A program's last output travels in a line; the guardian keeps 2000 bytes, each of which JSON may write as six.
_LINE_BYTES = 65536
# How long the guardian may take beyond the grace of the programs: the grace counts once for each, and for what is left.
_STOP_SPARE_S = 10.0
_PHASES = 4


@dataclass(frozen=True, slots=True)
class Exit:
    """How a program ended: its exit status, or the negative number of the signal that ended it."""

    name: str
    status: int
    tail: str

    @property
    def outcome(self) -> str:
        """How it ended, without what it wrote last: that is not for viewers to read."""
        how = f"status {self.status}" if self.status >= 0 else f"signal {_signal_name(-self.status)}"
        return f"{self.name} ended with {how}"

    def __str__(self) -> str:
        last_line = self.tail.rpartition("\n")[2].strip()
        return self.outcome + (f" ({last_line!r})" if last_line else "")


class Ward:
    """The programs of one desktop. Used on the event loop only."""

    def __init__(self, directory: Path, on_exit: Callable[[Exit], None], on_lost: Callable[[], None]) -> None:
        self._directory = directory
        self._on_exit = on_exit
        self._on_lost = on_lost
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._listener: asyncio.Task[None] | None = None
        self._answers: dict[tuple[str, str], asyncio.Future[Any]] = {}
        # Of the programs that run: the number of one that has ended may be somebody else's.
        self._pids: dict[str, int] = {}
        self._is_stopping = False

    async def open(self) -> None:
        """Start the guardian, which from now on owns the directory.

        Raises:
            DesktopError: it cannot be started.
        """
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                argv = [sys.executable, "-I", "-S", str(_GUARDIAN), str(theirs.fileno()), str(self._directory)]
                self._process = subprocess.Popen(  # noqa: S603, ASYNC220 - our own file; a few milliseconds
                    argv, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, start_new_session=True
                )
            self._reader, self._writer = await asyncio.open_unix_connection(sock=ours, limit=_LINE_BYTES)
        except OSError as exc:
            ours.close()
            raise DesktopError(_BACKEND, f"the guardian cannot be started: {exc.strerror}") from exc
        self._listener = asyncio.create_task(self._listen(self._reader), name="desktop guardian")

    async def start(self, name: str, argv: Sequence[str], env: Mapping[str, str], cwd: str) -> None:
        """Start a program in a session of its own.

        Raises:
            DesktopError: it cannot be executed.
        """
        await self._ask(name, argv, env, cwd, wants_ready=False)

    async def start_and_read(
        self, name: str, argv: Sequence[str], env: Mapping[str, str], cwd: str, timeout_ms: int
    ) -> str:
        """Start a program and return the line it writes to the descriptor that `{ready_fd}` in `argv` stands for.

        Raises:
            DesktopError: it cannot be executed, has ended, or has written nothing in time.
        """
        ready = self._expect("ready", name)
        await self._ask(name, argv, env, cwd, wants_ready=True)
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                text: str = await ready
        except TimeoutError:
            raise DesktopError(_BACKEND, f"{name} was not ready after {timeout_ms} ms") from None
        finally:
            self._answers.pop(("ready", name), None)
        return text

    async def close(self, grace_ms: int) -> None:
        """Have everything ended: SIGTERM, after `grace_ms` SIGKILL. Harmless when called twice."""
        self._is_stopping = True
        if self._listener is not None:
            if not self._listener.done():
                self._tell({"do": "stop", "grace_s": grace_ms / 1000})
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_PHASES * grace_ms / 1000 + _STOP_SPARE_S):
                    await asyncio.shield(self._listener)
            self._listener.cancel()
            await asyncio.gather(self._listener, return_exceptions=True)
            self._listener = None
        if self._writer is not None:
            self._writer.close()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()
            self._writer = None
        if self._process is not None:
            # The end of its socket was its last act; if not, the socket is closed by now and it is ending.
            await asyncio.to_thread(self._process.wait)
            self._process = None

    async def _ask(
        self, name: str, argv: Sequence[str], env: Mapping[str, str], cwd: str, *, wants_ready: bool
    ) -> None:
        started = self._expect("started", name)
        self._tell(
            {
                "do": "start",
                "name": name,
                "argv": list(argv),
                "env": dict(env),
                "cwd": cwd,
                "wants_ready": wants_ready,
            }
        )
        try:
            await started
        finally:
            self._answers.pop(("started", name), None)

    def _expect(self, event: str, name: str) -> asyncio.Future[Any]:
        future = asyncio.get_running_loop().create_future()
        # A program can fail before anybody waits for what it was to say.
        future.add_done_callback(_look_at)
        self._answers[event, name] = future
        return future

    def _tell(self, message: dict[str, Any]) -> None:
        if self._writer is None or self._listener is None or self._listener.done():
            raise DesktopError(_BACKEND, "the guardian is gone")
        self._writer.write(json.dumps(message).encode() + b"\n")

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        try:
            while line := await reader.readline():
                self._take(json.loads(line))
        except (ConnectionError, ValueError) as exc:
            logger.warning("the guardian cannot be understood because %s", exc)
        if not self._is_stopping:
            self._lose()

    def _take(self, message: dict[str, Any]) -> None:
        event, name = message["event"], message["name"]
        match event:
            case "started":
                self._pids[name] = message["pid"]
                self._answer(event, name, message["pid"])
            case "ready":
                # An empty line is the end of the pipe: the program is ending, and its status follows.
                if message["text"]:
                    self._answer(event, name, message["text"])
            case "failed":
                self._fail(name, f"{name} cannot be executed: {message['reason']}")
            case "exited":
                self._pids.pop(name, None)
                ended = Exit(name, message["status"], message["tail"])
                self._fail(name, str(ended))
                if not self._is_stopping:
                    self._on_exit(ended)

    def _answer(self, event: str, name: str, value: Any) -> None:
        future = self._answers.get((event, name))
        if future is not None and not future.done():
            future.set_result(value)

    def _fail(self, name: str, reason: str) -> None:
        for (_, who), future in self._answers.items():
            if who == name and not future.done():
                future.set_exception(DesktopError(_BACKEND, reason))

    def _lose(self) -> None:
        """The guardian was killed. Its direct children died with it; end what they led."""
        for pid in self._pids.values():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
        for (_, name), future in self._answers.items():
            if not future.done():
                future.set_exception(DesktopError(_BACKEND, f"the guardian is gone while {name} was starting"))
        self._on_lost()


def _look_at(future: asyncio.Future[Any]) -> None:
    if not future.cancelled():
        future.exception()


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)
