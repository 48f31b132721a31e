"""A page of the measured server with the reader in it: what it saw in a stretch of time."""

import time
from collections.abc import Callable
from importlib import resources
from random import Random

from playwright.sync_api import Page
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from streamer.bench.rtp_clock import RtpClock
from streamer.bench.sight import Sight
from streamer.clock import SystemClock
from streamer.errors import SessionError
from streamer.media.frame import Resolution

_FIRST_FRAME_TIMEOUT_MS = 15_000
FIRST_FRAME = "() => performance.getEntriesByName('first-frame').length > 0"
# Clicks at random distances meet every phase of the source's and the screen's frames.
_CLICK_INTERVAL_S = (0.09, 0.15)
_CLICK_LENGTH_S = 0.03
# The pointer's way to the middle, and the answer to the last click.
_SETTLE_S = 0.3


class Watched:
    """A page that shows a server's stream. `page` is closed with it."""

    def __init__(self, page: Page, url: str, size: Resolution) -> None:
        self._page = page
        self._size = size
        page.goto(url)
        try:
            page.wait_for_function(FIRST_FRAME, timeout=_FIRST_FRAME_TIMEOUT_MS)
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
        return self.observe(lambda: self.wait(seconds))

    def click(self, count: int) -> Sight:
        """Click so often into the middle of the picture, and return what is seen meanwhile."""
        random = Random(1)

        def clicks() -> None:
            mouse = self._page.mouse
            mouse.move(self._size.width_px / 2, self._size.height_px / 2)
            self.wait(_SETTLE_S)
            for _ in range(count):
                mouse.down()
                self.wait(_CLICK_LENGTH_S)
                mouse.up()
                self.wait(random.uniform(*_CLICK_INTERVAL_S))
            self.wait(_SETTLE_S)

        return self.observe(clicks)

    def observe(self, meanwhile: Callable[[], None]) -> Sight:
        """Return what is seen while `meanwhile` runs."""
        before = self._page.evaluate("() => streamerBench.restart().then(() => streamerBench.inbound())")
        began_s = time.monotonic()
        meanwhile()
        seconds = time.monotonic() - began_s
        found = self._page.evaluate("() => streamerBench.collect()")
        if found["clock"] is None:
            raise SessionError("the page could not map its clock to the server's")
        clock = SystemClock()
        return Sight(
            seconds=seconds,
            offset_ms=found["clock"],
            decoded=found["decoded"]["rows"],
            presented=found["presented"],
            unreadable=found["decoded"]["unreadable"] + found["presentedUnreadable"],
            buttons=found["buttons"],
            stages=[second["stages_us"] for second in found["stages"] if second],
            rtp_clock=RtpClock.of(found["anchors"], (clock.wall_us() - clock.now_us()) / 1000),
            before=before or {},
            after=found["inbound"] or {},
        )

    def close(self) -> None:
        """Leave the server."""
        self._page.context.close()
