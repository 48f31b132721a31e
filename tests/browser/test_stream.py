"""A Python program that streams its own pictures: the example of the README, as a user runs and ends it."""

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from streamer.protocol.actions import KeyChange
from tests.fakes.documents import example_of
from tests.fakes.program import REPOSITORY
from tests.fakes.tab import OpenTab, Rgb

pytestmark = pytest.mark.browser

# The example, on a port that nobody else has.
_PROGRAM = """
import functools

import streamer

streamer.Stream = functools.partial(streamer.Stream, port=0)
"""
_LIMIT_S = 30
# Of a channel: more than what an encoder leaves of flat colours.
_CHANGE = 20


@pytest.fixture
def program() -> Iterator["subprocess.Popen[str]"]:
    example = _PROGRAM + example_of("README.md", "numpy")
    command = [sys.executable, "-u", "-c", example]
    with subprocess.Popen(
        command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        yield running
        running.kill()


def redness(picture: Rgb) -> float:
    return float(picture[..., 0].mean())


def test_program_shows_its_pictures_hears_its_viewer_and_ends_with_ctrl_c(
    program: "subprocess.Popen[str]", open_tab: OpenTab
) -> None:
    assert program.stdout is not None
    tab = open_tab()
    lines = iter(program.stdout.readline, "")

    tab.control(next(lines).split()[1])
    first = tab.pixels()
    tab.wait_for_pixels(lambda now: abs(redness(now) - redness(first)) > _CHANGE)
    tab.page.keyboard.press("KeyA")
    keys = (line.strip() for line in lines if line.startswith("KeyChange"))
    heard = [next(keys), next(keys)]
    program.send_signal(signal.SIGINT)
    _, errors = program.communicate(timeout=_LIMIT_S)

    assert first.shape == (720, 1280, 3)
    assert first[..., 1:].mean() < _CHANGE
    assert heard == [str(KeyChange("KeyA", is_down=is_down)) for is_down in (True, False)]
    assert errors.endswith("KeyboardInterrupt\n")
    assert program.returncode == -signal.SIGINT
