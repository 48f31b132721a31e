"""A server in a process of its own, as a user would start it, for a measurement to look at from outside."""

import os
import re
import signal
import subprocess
import sys
from collections import deque
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Self

from streamer.errors import ConfigError

# A private desktop with its window manager takes well under two seconds; a cold disk may take more.
_START_TIMEOUT_S = 30
_STOP_TIMEOUT_S = 10
_ADDRESS = re.compile(r"https?://\S+")
_KEPT_LINES = 200


class ServedProcess:
    """`streamer serve` with the given arguments on a free port of loopback, until the block ends."""

    def __init__(self, *arguments: str, environment: dict[str, str] | None = None) -> None:
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._is_up = Event()
        self.url = ""
        command = [sys.executable, "-m", "streamer", "serve", "--port", "0", *arguments]
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=Path.cwd(),
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
        )
        self._watcher = Thread(target=self._watch, name="server output", daemon=True)
        self._watcher.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def description(self) -> str:
        """What the server says it streams, and with which encoder."""
        return next((line for line in self._lines if line.startswith("Streaming ")), "")

    @property
    def output(self) -> str:
        """The last lines that the server has printed."""
        return "\n".join(self._lines)

    def __enter__(self) -> Self:
        try:
            self._is_up.wait(_START_TIMEOUT_S)
        except (KeyboardInterrupt, SystemExit):
            # Nobody else would end the server: the block has not begun.
            self.stop()
            raise
        if not self.url:
            self.stop()
            raise ConfigError(f"the server did not start:\n{self.output}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> int:
        """End the server as Ctrl-C does and return its exit status."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        try:
            status = self._process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        self._watcher.join()
        return status

    def _watch(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._lines.append(line.rstrip())
                match = _ADDRESS.search(line)
                if match and not self.url:
                    self.url = match.group()
                    self._is_up.set()
        self._is_up.set()
