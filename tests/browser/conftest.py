"""One Chromium per module: Playwright keeps an event loop running, which tests of other folders must not meet."""

from collections.abc import Iterator

import pytest

pytest.importorskip("playwright", reason="Playwright is not installed (pip install '.[bench]')")

from streamer.bench.browser import Chromium, chromium, find_chromium
from streamer.bench.served import ServedProcess
from streamer.errors import ConfigError
from tests.fakes.program import served
from tests.fakes.staged import Stage, staged
from tests.fakes.tab import SIZE, OpenTab, tabs


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


@pytest.fixture(scope="module")
def pattern() -> Iterator[ServedProcess]:
    """A server of the test pattern, of the size of a tab."""
    with served("--source", "pattern", "--size", str(SIZE)) as running:
        yield running


@pytest.fixture(scope="module")
def running_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("stage"), "--size", str(SIZE)) as running:
        yield running


@pytest.fixture
def stage(running_stage: Stage) -> Stage:
    """A program that writes down what it is told, from the beginning of the test on."""
    running_stage.restart()
    return running_stage
