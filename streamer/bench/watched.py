"""A page of the measured server with the reader in it: what it saw in a stretch of time, as raw rows."""

import time
from dataclasses import dataclass
from importlib import resources
from random import Random
from typing import Any

from playwright.sync_api import Page
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from streamer.errors import SessionError
from streamer.media.frame import Resolution

_FIRST_FRAME_TIMEOUT_MS = 15_000
_FIRST_FRAME = "() => performance.getEntriesByName('first-frame').length > 0"
# Clicks at random distances meet every phase of the source's and the screen's frames.
_CLICK_INTERVAL_S = (0.09, 0.15)
_CLICK_LENGTH_S = 0.03


@dataclass(frozen=True, slots=True)
class Sight:
    """What the page collected. Rows are documented in `stamps.py`; `inbound` has the statistics of begin and end."""

    seconds: float
    offset_ms: float
    decoded: list[list[float]]
    presented: list[list[float]]
    unreadable: int
    buttons: list[list[float]]
    stages: list[dict[str, Any]]
    before: dict[str, Any]
    after: dict[str, Any]

    def per_second(self, member: str) -> float:
        """Return by how much a counter of the browser's went up each second."""
        return float(self.after.get(member, 0) - self.before.get(member, 0)) / self.seconds

    def mean(self, total: str, count: str) -> float | None:
        """Return the growth of one counter divided by that of another."""
        counted = self.after.get(count, 0) - self.before.get(count, 0)
        return float(self.after.get(total, 0) - self.before.get(total, 0)) / counted if counted else None


class Watched:
    """A page that shows a server's stream."""

    def __init__(self, page: Page, url: str, size: Resolution) -> None:
        self._page = page
        self._size = size
        page.goto(url)
        try:
            page.wait_for_function(_FIRST_FRAME, timeout=_FIRST_FRAME_TIMEOUT_MS)
        except PlaywrightTimeoutError as exc:
            raise SessionError(f"no picture came within {_FIRST_FRAME_TIMEOUT_MS / 1000:g} s") from exc
        page.evaluate(resources.files(__package__).joinpath("reader.js").read_text(encoding="utf-8"))

    def start(self, *, reads_decoded: bool) -> None:
        """Begin to read stamps."""
        self._page.evaluate("(readsDecoded) => streamerBench.start(readsDecoded)", reads_decoded)

    def wait(self, seconds: float) -> None:
        """Let the page run."""
        self._page.wait_for_timeout(seconds * 1000)

    def measure(self, seconds: float) -> Sight:
        """Return what is seen in the next seconds."""
        return self._observe(lambda: self.wait(seconds))

    def click(self, count: int) -> Sight:
        """Click so often into the middle of the picture, and return what is seen meanwhile."""
        random = Random(1)

        def clicks() -> None:
            mouse = self._page.mouse
            mouse.move(self._size.width_px / 2, self._size.height_px / 2)
            self.wait(0.3)
            for _ in range(count):
                mouse.down()
                self.wait(_CLICK_LENGTH_S)
                mouse.up()
                self.wait(random.uniform(*_CLICK_INTERVAL_S))
            self.wait(0.3)

        return self._observe(clicks)

    def _observe(self, meanwhile: Any) -> Sight:
        before = self._page.evaluate("() => streamerBench.restart().then(() => streamerBench.inbound())")
        began_s = time.monotonic()
        meanwhile()
        seconds = time.monotonic() - began_s
        found = self._page.evaluate("() => streamerBench.collect()")
        if found["clock"] is None:
            raise SessionError("the page could not map its clock to the server's")
        return Sight(
            seconds=seconds,
            offset_ms=found["clock"],
            decoded=found["decoded"]["rows"],
            presented=found["presented"],
            unreadable=found["decoded"]["unreadable"] + found["presentedUnreadable"],
            buttons=found["buttons"],
            stages=[second["stages_us"] for second in found["stages"] if second],
            before=before or {},
            after=found["inbound"] or {},
        )
