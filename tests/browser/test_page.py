"""The page as a browser meets it: what it loads, what it asks for, and that nothing of it goes wrong."""

import numpy as np
import pytest

from streamer.bench.served import ServedProcess
from tests.fakes.program import served
from tests.fakes.tab import SIZE, OpenTab, Rgb

pytestmark = pytest.mark.browser


def test_page_loads_under_its_policy_and_asks_nobody_else(pattern: ServedProcess, open_tab: OpenTab) -> None:
    tab = open_tab()

    tab.watch(pattern.url)

    origin = pattern.url.rstrip("/").removeprefix("http://")
    assert tab.errors == []
    assert tab.violations() == []
    assert {request.split("://")[1].split("/")[0] for request in tab.requests} == {origin}


def test_demo_answers_the_pointer(open_tab: OpenTab) -> None:
    with served("--source", "demo", "--size", str(SIZE)) as running:
        tab = open_tab()
        tab.control(running.url)
        tab.move(100, 100)
        before = tab.pixels()[80:120, 480:520].astype(int)

        def has_glow(picture: Rgb) -> bool:
            return bool(np.abs(picture[80:120, 480:520].astype(int) - before).max() > 60)

        tab.wait_for_frames(30)
        # What moves by itself there shall not be taken for an answer.
        assert not has_glow(tab.pixels())

        tab.move(500, 100)

        tab.wait_for_pixels(has_glow)
