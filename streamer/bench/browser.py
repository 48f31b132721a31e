"""A headless Chromium of its own profile, driven by Playwright: the viewer of the benches.

`CHROMIUM` names another one than the system's. Playwright's own browsers are not used: what is measured should be what
people have.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from streamer.errors import ConfigError, SessionError
from streamer.media.frame import Resolution

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ARGUMENTS = (
    "--headless=new",
    # A container has no user namespaces to build a sandbox from; only pages of our own are opened.
    "--no-sandbox",
    "--no-first-run",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Otherwise a page in the background is slowed down, and headless pages count as that now and then.
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
)


@dataclass(frozen=True, slots=True)
class Chromium:
    """A running browser and the process at the root of its tree."""

    browser: Browser
    pid: int

    def new_page(self, size: Resolution) -> Page:
        """Open a page in a fresh profile whose window has the size of the picture.

        The content security policy is lifted: the bench's reader brings a worker of its own.
        """
        context: BrowserContext = self.browser.new_context(
            viewport={"width": size.width_px, "height": size.height_px}, bypass_csp=True, ignore_https_errors=True
        )
        return context.new_page()


def find_chromium() -> str:
    """Return the path of the browser.

    Raises:
        ConfigError: there is none.
    """
    named = os.environ.get("CHROMIUM")
    if named:
        if shutil.which(named) is None:
            raise ConfigError(f"CHROMIUM is {named!r}, which is not a program; name the path of a Chromium")
        return named
    for name in _NAMES:
        path = shutil.which(name)
        if path is not None:
            return path
    raise ConfigError("no Chromium is installed; install the package chromium, or name one with CHROMIUM")


@contextmanager
def chromium(*arguments: str) -> Iterator[Chromium]:
    """Run a browser for the length of the block, with these arguments on top of those of every bench.

    Raises:
        SessionError: the browser ended, or a page did not do what it was told.
    """
    path = find_chromium()
    with sync_playwright() as playwright:
        before = _children()
        browser = playwright.chromium.launch(executable_path=path, headless=False, args=[*_ARGUMENTS, *arguments])
        started = [process for process in _children() - before if "playwright" not in process.name()]
        try:
            yield Chromium(browser, _root_of(started).pid)
        except PlaywrightError as exc:
            raise SessionError(f"the browser failed: {exc.message.splitlines()[0]}") from exc
        finally:
            browser.close()


def _children() -> set[psutil.Process]:
    return set(psutil.Process().children(recursive=True))


def _root_of(processes: list[psutil.Process]) -> psutil.Process:
    """Return the process whose parent is not one of them."""
    pids = {process.pid for process in processes}
    return next(process for process in processes if process.ppid() not in pids)
