"""One Chromium per module: Playwright keeps an event loop running, which tests of other folders must not meet."""

from collections.abc import Iterator

import pytest

pytest.importorskip("playwright", reason="Playwright is not installed (pip install '.[bench]')")

from streamer.bench.browser import Chromium, chromium, find_chromium
from streamer.errors import ConfigError
from tests.fakes.tab import OpenTab, tabs


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    try:
        find_chromium()
    except ConfigError as exc:
        pytest.skip(str(exc))
    with chromium() as running:
        yield running


@pytest.fixture
def open_tab(browser: Chromium) -> Iterator[OpenTab]:
    with tabs(browser.browser) as opener:
        yield opener
