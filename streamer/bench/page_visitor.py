"""A page that comes and goes: the viewer of a soak with a browser."""

from playwright.sync_api import Page
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from streamer.bench.browser import Chromium
from streamer.bench.watched import FIRST_FRAME
from streamer.errors import SessionError
from streamer.media.frame import Resolution

_JOIN_TIMEOUT_MS = 15_000
_PRESENTED = "() => document.querySelector('render-stream').player.video.getVideoPlaybackQuality().totalVideoFrames"


class PageVisitor:
    """Each `join` is a page in a fresh profile."""

    def __init__(self, browser: Chromium, url: str, size: Resolution) -> None:
        self._browser = browser
        self._url = url
        self._size = size
        self._page: Page | None = None
        self._frames = 0
        self.pid = browser.pid

    def join(self) -> None:
        self._page = self._browser.new_page(self._size)
        self._frames = 0
        self._page.goto(self._url)
        try:
            self._page.wait_for_function(FIRST_FRAME, timeout=_JOIN_TIMEOUT_MS)
        except PlaywrightTimeoutError as exc:
            raise SessionError(f"no picture came within {_JOIN_TIMEOUT_MS / 1000:g} s") from exc

    def leave(self) -> None:
        if self._page is not None:
            self._page.context.close()
            self._page = None

    def frames(self) -> int:
        assert self._page is not None
        before, self._frames = self._frames, int(self._page.evaluate(_PRESENTED))
        return self._frames - before
