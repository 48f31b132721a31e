"""The viewer without a browser, as a process that a bench tells what to do."""

import json
import subprocess
import sys
import time
from types import TracebackType
from typing import Any, Self

from streamer.bench.rtp_clock import RtpClock
from streamer.bench.sight import Sight
from streamer.clock import SystemClock
from streamer.errors import SessionError

_STOP_TIMEOUT_S = 10


class ViewerProcess:
    """One viewer, until the block ends. It shares the machine's monotonic clock with the server.

    A blind one decodes nothing: there are totals to `collect`, and nothing to `measure`.
    """

    def __init__(self, url: str, *, is_blind: bool = False) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "streamer.bench.viewer", url, *(["--blind"] if is_blind else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.close()
            self._process.wait(_STOP_TIMEOUT_S)
        except (subprocess.TimeoutExpired, BrokenPipeError):
            self._process.kill()
            self._process.wait()
        finally:
            self._process.stdout.close()

    def join(self) -> None:
        """Come in; returns when a whole frame has arrived."""
        self._ask("join")

    def leave(self) -> None:
        """Say goodbye; `join` comes back as somebody new."""
        self._ask("leave")

    def collect(self) -> dict[str, Any]:
        """Return what has been received since the last call, and totals since `join`."""
        return self._ask("collect")

    def measure(self, seconds: float) -> Sight:
        """Return what is seen in the next seconds."""
        before = self._ask("restart")
        began_s = time.monotonic()
        time.sleep(seconds)
        after = self._ask("collect")
        clock = SystemClock()
        return Sight(
            seconds=time.monotonic() - began_s,
            offset_ms=0.0,
            decoded=after["rows"],
            unreadable=after["unreadable"],
            stages=after["stages"],
            rtp_clock=RtpClock.of(after["anchors"], (clock.wall_us() - clock.now_us()) / 1000),
            before=before["inbound"],
            after=after["inbound"],
        )

    def _ask(self, command: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(command + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise SessionError(f"the viewer process ended with status {self._process.wait()} at {command!r}")
        said: dict[str, Any] = json.loads(line)
        if "error" in said:
            raise SessionError(f"the viewer could not {command}: {said['error']}")
        return said
