"""A program of ours as a process of its own that a bench speaks with, line by line."""

import json
import subprocess
import sys
from types import TracebackType
from typing import Any, Self

from streamer.errors import SessionError

_STOP_TIMEOUT_S = 10


class Line:
    """A program of ours that is spoken to line by line, until the block ends."""

    def __init__(self, *arguments: str) -> None:
        self._name = arguments[0]
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            # What could not be said is tried once more here.
            self._process.stdin.close()
            self._process.wait(_STOP_TIMEOUT_S)
        except (subprocess.TimeoutExpired, BrokenPipeError):
            self._process.kill()
            self._process.wait()
        finally:
            self._process.stdout.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    def say(self, said: dict[str, Any]) -> None:
        """Send one object."""
        self.write(json.dumps(said))

    def write(self, line: str) -> None:
        """Send one line."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as exc:
            raise SessionError(f"{self._name} has ended before its time") from exc

    def hear(self) -> dict[str, Any]:
        """Return the next object."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SessionError(f"{self._name} ended with status {self._process.wait()} before its time")
        heard: dict[str, Any] = json.loads(line)
        return heard
