"""A page on the far side of the link, observed from before its first picture."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from random import Random
from typing import Any

from playwright.sync_api import Page
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from streamer.bench.stamps import Seen, seen_frames
from streamer.bench.watched import FIRST_FRAME
from streamer.clock import Clock
from streamer.errors import SessionError
from streamer.media.frame import Resolution

_FIRST_FRAME_TIMEOUT_MS = 15_000
_NOW = "() => performance.timeOrigin + performance.now()"
# The exchange with the shortest way there and back decides; that of the best of so many is about a millisecond.
_CLOCK_EXCHANGES = 40
PRESS_LENGTH_S = 0.04
_US_PER_MS = 1_000


@dataclass(frozen=True, slots=True)
class Observation:
    """What the page saw. Instants are milliseconds of the machine's monotonic clock, that of server and link, too.

    `inbound` are the browser's counts since the last connection began.
    """

    decoded: list[Seen]
    presented: list[Seen]
    presses_ms: list[float]
    targets: list[tuple[float, int]]
    sizes: list[tuple[float, Resolution]]
    inbound: Mapping[str, Any]
    reconnections: int


class LiveViewer:
    """Opens the page of a server and reads what it shows. `page` is closed with it."""

    def __init__(self, page: Page, url: str, clock: Clock) -> None:
        self._page = page
        self._clock = clock
        page.goto(url, wait_until="commit")
        for package, name in (("streamer.bench", "reader.js"), (__package__, "probe.js")):
            page.evaluate(resources.files(package).joinpath(name).read_text(encoding="utf-8"))
        try:
            page.wait_for_function("streamerLive.hasTrack", timeout=_FIRST_FRAME_TIMEOUT_MS)
            page.evaluate("() => streamerLive.start()")
            page.wait_for_function(FIRST_FRAME, timeout=_FIRST_FRAME_TIMEOUT_MS)
        except PlaywrightTimeoutError as exc:
            raise SessionError(f"no picture came within {_FIRST_FRAME_TIMEOUT_MS / 1000:g} s") from exc

    def wait(self, seconds: float) -> None:
        """Let the page run."""
        self._page.wait_for_timeout(seconds * 1000)

    def press_button(self, size: Resolution, intervals_s: Sequence[float]) -> None:
        """Press the first button in the middle of the picture again and again, waiting so long before each time."""
        mouse = self._page.mouse
        mouse.move(size.width_px / 2, size.height_px / 2)
        self._repeat(mouse.down, mouse.up, intervals_s)

    def type(self, intervals_s: Sequence[float]) -> None:
        """Press a key again and again, waiting so long before each time."""
        keyboard = self._page.keyboard
        self._repeat(lambda: keyboard.down("a"), lambda: keyboard.up("a"), intervals_s)

    def collect(self) -> Observation:
        """Return what has been seen, and leave the server."""
        found = self._page.evaluate("() => streamerLive.collect()")
        offset_ms = self._offset_ms()
        self._page.context.close()
        return Observation(
            decoded=seen_frames(found["decoded"], offset_ms),
            presented=seen_frames(found["presented"], offset_ms),
            presses_ms=[at_ms + offset_ms for at_ms in found["presses"]],
            targets=[(at_ms + offset_ms, target_bps) for at_ms, target_bps in found["targets"]],
            sizes=[(at_ms + offset_ms, Resolution(*sides_px)) for at_ms, *sides_px in found["sizes"]],
            inbound=found["inbound"] or {},
            reconnections=found["reconnections"],
        )

    def _repeat(self, down: Callable[[], None], up: Callable[[], None], intervals_s: Sequence[float]) -> None:
        for interval_s in intervals_s:
            self.wait(interval_s)
            down()
            self.wait(PRESS_LENGTH_S)
            up()

    def _offset_ms(self) -> float:
        """Return the machine's monotonic clock minus the page's. Both run at the same rate."""
        exchanges: list[tuple[int, float]] = []
        for _ in range(_CLOCK_EXCHANGES):
            before_us = self._clock.now_us()
            page_ms = self._page.evaluate(_NOW)
            after_us = self._clock.now_us()
            exchanges.append((after_us - before_us, (before_us + after_us) / 2 / _US_PER_MS - page_ms))
        return min(exchanges)[1]


def random_intervals_s(shortest_s: float, longest_s: float, count: int) -> list[float]:
    """Return waiting times that meet every phase of source, link and screen; the same ones each time."""
    random = Random(1)
    return [random.uniform(shortest_s, longest_s) for _ in range(count)]
