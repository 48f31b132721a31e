"""The viewer without a browser, as a process that a bench tells what to do."""

import time
from typing import Any

from streamer.bench.line import Line
from streamer.bench.rtp_clock import RtpClock
from streamer.bench.sight import Sight
from streamer.clock import SystemClock
from streamer.errors import SessionError


class ViewerProcess(Line):
    """One viewer, until the block ends. It shares the machine's monotonic clock with the server.

    A blind one decodes nothing: there are totals to `collect`, and nothing to `measure`.
    """

    def __init__(self, url: str, *, is_blind: bool = False) -> None:
        super().__init__("streamer.bench.viewer", url, *(["--blind"] if is_blind else []))

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
        self.write(command)
        said = self.hear()
        if "error" in said:
            raise SessionError(f"the viewer could not {command}: {said['error']}")
        return said
