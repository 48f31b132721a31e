"""The first picture of each source, and what can be read from its pixels."""

import shutil

import pytest

from streamer.bench.served import ServedProcess
from tests.fakes.program import served
from tests.fakes.tab import SIZE, OpenTab
from tests.fakes.xvfb import WITHOUT_XVFB

pytestmark = pytest.mark.browser

# A picture, and not one colour: the demo's is dark, that of a terminal almost all white.
_LEAST_CONTRAST = 40


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("--source", "demo"), id="demo"),
        pytest.param(("--source", "pattern"), id="pattern"),
        pytest.param(("--app", "xterm -fa Monospace -e cat"), id="app", marks=pytest.mark.x11),
    ],
)
def test_first_frame_of_each_source_is_seen(arguments: tuple[str, ...], open_tab: OpenTab) -> None:
    if "--app" in arguments and shutil.which("Xvfb") is None:
        pytest.skip(WITHOUT_XVFB)
    tab = open_tab()
    with served(*arguments, "--size", str(SIZE)) as server:
        tab.watch(server.url)

        tab.wait_for_pixels(lambda picture: int(picture.max()) - int(picture.min()) > _LEAST_CONTRAST)
        assert tab.pixels().shape == (SIZE.height_px, SIZE.width_px, 3)
        assert tab.page.evaluate("() => performance.getEntriesByName('first-frame').length") == 1


def test_stamp_can_be_read_from_the_pixels_and_moves_on(pattern: ServedProcess, open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.watch(pattern.url)

    first = tab.stamp()
    tab.wait_for_frames(5)
    second = tab.stamp()

    assert first is not None
    assert second is not None
    assert (second.frame_number - first.frame_number) % (1 << 16) in range(1, 1000)
    assert second.time_100us > first.time_100us


def test_stamp_names_the_last_input(pattern: ServedProcess, open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.control(pattern.url)
    before = tab.stamp()

    tab.page.keyboard.press("KeyA")

    assert before is not None
    tab.wait_for_pixels(lambda _: (stamp := tab.stamp()) is not None and stamp.input_number != before.input_number)


def test_picture_fits_a_window_of_another_shape(pattern: ServedProcess, open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.page.set_viewport_size({"width": 400, "height": 600})
    tab.watch(pattern.url)

    shown = tab.shown()

    # 640 by 360 in 400 by 600 is 225 pixels high, in the middle; the rest is the dark of the page.
    assert shown.shape == (600, 400, 3)
    assert int(shown[450:].max()) < 40
    assert int(shown[200:400].max()) > 150
