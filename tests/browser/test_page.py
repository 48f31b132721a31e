"""The page as people meet it: it loads under its policy, shows the stream, carries input, and says what is wrong."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from streamer.bench.served import ServedProcess
from tests.fakes.program import served
from tests.fakes.refusals import without_codec
from tests.fakes.tab import SIZE, OpenTab, Rgb
from tests.fakes.xvfb import wait_for

pytestmark = pytest.mark.browser

_TOKEN = "a-secret-of-32-characters-or-so."


@pytest.fixture(scope="module")
def pattern() -> Iterator[ServedProcess]:
    with served("--source", "pattern", "--size", str(SIZE)) as running:
        yield running


def test_page_loads_under_its_policy_and_asks_nobody_else(pattern: ServedProcess, open_tab: OpenTab) -> None:
    tab = open_tab()

    tab.watch(pattern.url)

    origin = pattern.url.rstrip("/").removeprefix("http://")
    assert tab.errors == []
    assert tab.violations() == []
    assert {request.split("://")[1].split("/")[0] for request in tab.requests} == {origin}


def test_stamp_can_be_read_from_the_pixels_and_moves_on(pattern: ServedProcess, open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.watch(pattern.url)

    first = tab.stamp()
    tab.wait_for_frames(5)
    second = tab.stamp()

    assert first is not None
    assert second is not None
    assert second.frame_number != first.frame_number


def test_second_viewer_watches_until_the_first_one_leaves(pattern: ServedProcess, open_tab: OpenTab) -> None:
    first, second = open_tab(), open_tab()

    first.control(pattern.url)
    second.watch(pattern.url)
    second.wait_for_seat(is_holder=False)
    first.page.goto("about:blank")

    second.wait_for_seat(is_holder=True)


def test_demo_answers_a_click_on_the_screen(open_tab: OpenTab) -> None:
    with served("--source", "demo", "--size", str(SIZE)) as running:
        tab = open_tab()
        tab.control(running.url)
        tab.move(100, 100)
        before = tab.pixels()[80:120, 480:520].astype(int)

        tab.move(500, 100)

        def has_glow(picture: Rgb) -> bool:
            return bool(np.abs(picture[80:120, 480:520].astype(int) - before).max() > 60)

        tab.wait_for_pixels(has_glow)


@pytest.mark.x11
def test_typed_text_arrives_in_a_real_terminal_and_is_seen(open_tab: OpenTab, tmp_path: Path) -> None:
    diary = tmp_path / "typed"
    program = f"xterm -e sh -c 'cat > {diary}'"
    with served("--app", program, "--size", str(SIZE)) as running:
        tab = open_tab()
        tab.control(running.url)
        tab.page.mouse.click(200, 200)
        before = tab.pixels().astype(int)

        tab.page.keyboard.type("hello from the browser\n", delay=15)

        wait_for(lambda: diary.exists() and diary.read_text() == "hello from the browser\n")
        tab.wait_for_pixels(lambda picture: bool(np.abs(picture.astype(int) - before).max() > 100))


def test_wrong_token_is_refused_in_words_and_not_tried_again(open_tab: OpenTab) -> None:
    with served("--source", "pattern", "--size", str(SIZE), environment={"STREAMER__SERVER__TOKEN": _TOKEN}) as running:
        address = running.url.split("#")[0]
        refused, admitted = open_tab(), open_tab()

        refused.open(f"{address}#token=another-secret-of-the-same-size")
        refused.wait_until("player.view.state === 'stopped'")
        admitted.watch(f"{address}#token={_TOKEN}")

        assert "token" in refused.notice().lower()
        assert "token" not in admitted.page.url


def test_vp8_is_streamed_when_h264_is_refused(pattern: ServedProcess, open_tab: OpenTab) -> None:
    tab = open_tab(without_codec("h264"))

    tab.watch(pattern.url)
    tab.wait_until("player.stream?.codec === 'vp8'")
    tab.wait_for_frames(5)

    assert tab.stamp() is not None
