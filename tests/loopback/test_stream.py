"""`streamer.Stream` over real connections: its pictures arrive, what the viewer does comes back, and how it ends."""

import asyncio
import sys
import threading
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import numpy as np
import pytest

import streamer
from streamer.errors import SessionError
from streamer.protocol.actions import KeyChange
from streamer.protocol.input import Key, serialize
from streamer.protocol.signaling import Answer, ByeCode, Offer
from streamer.transport.base import KEYS
from tests.fakes.documents import example_of
from tests.fakes.failing_encoder import NAME, FailingEncoder
from tests.fakes.page import Page
from tests.fakes.program import REPOSITORY
from tests.loopback.viewer import Viewer, until

SETTINGS = {"video": {"encoder": "software", "codecs": ["vp8"]}}
KEY = Key(1, "KeyA", is_down=True)
# Of a channel: what a rate of 3 Mbit/s leaves of flat colours.
_TOLERANCE = 12

_FORGETFUL = """
import sys
import streamer

stream = streamer.Stream({"video": {"encoder": "software"}}, size="320x180", port=0)
print(stream.url, flush=True)
sys.stdin.readline()
"""


def opened(**video) -> streamer.Stream:
    return streamer.Stream({"video": {**SETTINGS["video"], **video}}, size="320x180", fps=30, port=0)


def flat(*colour: int, width_px: int = 320, height_px: int = 180) -> np.ndarray:
    return np.full((height_px, width_px, 3), colour, np.uint8)


@asynccontextmanager
async def visiting(url: str) -> AsyncIterator[tuple[Viewer, Page]]:
    """Enter as a browser does: by the page's socket, then over a real connection."""
    viewer = Viewer()
    async with Page(url) as page:
        await page.join()
        offer = await page.hear()
        assert isinstance(offer, Offer), offer
        await page.say(Answer(offer.generation, await viewer.answer(offer.sdp)))
        try:
            await until(lambda: len(viewer.channels) == 3)
            yield viewer, page
        finally:
            await viewer.close()


def shows(viewer: Viewer, colour: tuple[int, ...]) -> bool:
    if viewer.newest is None:
        return False
    picture = viewer.newest.to_ndarray(format="rgb24").reshape(-1, 3)
    return bool(np.abs(picture.mean(axis=0) - colour).max() <= _TOLERANCE)


@pytest.fixture
def stream():
    with opened() as stream:
        yield stream


async def test_pushed_pictures_arrive_in_their_colours_and_in_another_size(stream):
    stream.push(flat(200, 40, 40))

    async with visiting(stream.url) as (viewer, _):
        await until(lambda: shows(viewer, (200, 40, 40)))
        stream.push(flat(40, 40, 200))
        await until(lambda: shows(viewer, (40, 40, 200)))
        stream.push(flat(40, 200, 40, width_px=160, height_px=120))
        await until(lambda: shows(viewer, (40, 200, 40)))

    assert viewer.pictures[0] == (320, 180)
    assert viewer.pictures[-1] == (160, 120)


async def test_input_is_heard_in_the_thread_of_the_stream(stream):
    heard = []
    stream.on_input(lambda action: heard.append((action, threading.current_thread().name)))

    async with visiting(stream.url) as (viewer, _):
        viewer.channels[KEYS].send(serialize(KEY))
        await until(lambda: heard)

    assert heard[0] == (KeyChange("KeyA", is_down=True), "stream")


async def test_input_may_close_the_stream(stream):
    stream.on_input(lambda _: stream.close())

    async with visiting(stream.url) as (viewer, page):
        viewer.channels[KEYS].send(serialize(KEY))
        bye = await page.hear_bye()

    await until(lambda: not stream.is_open)
    assert (bye.code, bye.reason) == (ByeCode.SERVER_STOPPING, "the server stops")


async def test_failure_of_the_session_is_raised_by_push_and_by_the_end_of_the_block(monkeypatch):
    failing = FailingEncoder.install(monkeypatch, is_hardware=False)
    reason = "the session ended because .*the GPU was lost"
    stream = opened(encoder=NAME)
    stream.push(flat(0, 0, 0))

    async with visiting(stream.url):
        failing.fails = lambda _: True
        stream.push(flat(200, 200, 200))
        await until(lambda: not stream.is_open)

    with pytest.raises(SessionError, match=reason):
        stream.push(flat(0, 0, 0))
    with pytest.raises(SessionError, match=reason), stream:
        stream.close()


async def test_viewers_of_a_program_that_forgets_to_close_hear_a_goodbye():
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _FORGETFUL, cwd=REPOSITORY, stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    url = (await program.stdout.readline()).decode().strip()

    async with visiting(url) as (_, page):
        program.stdin.write_eof()
        bye = await page.hear_bye()
        _, errors = await program.communicate()

    assert (bye.code, bye.retry) == (ByeCode.SERVER_STOPPING, True)
    assert (program.returncode, errors) == (0, b"")


async def test_example_of_the_readme_shows_its_pictures_and_hears_its_viewer(monkeypatch):
    streams: list[streamer.Stream] = []
    printed: list[object] = []

    def open_stream(**keys) -> streamer.Stream:
        streams.append(real(SETTINGS, port=0, **keys))
        return streams[0]

    real: Callable[..., streamer.Stream] = streamer.Stream
    monkeypatch.setattr(streamer, "Stream", open_stream)
    program = threading.Thread(target=exec, args=(example_of("README.md", "numpy"), {"print": printed.append}))
    program.start()
    await until(lambda: printed)

    async with visiting(streams[0].url) as (viewer, _):
        await until(lambda: len(viewer.pictures) > 3)
        viewer.channels[KEYS].send(serialize(KEY))
        await until(lambda: len(printed) > 1)
    streams[0].close()
    program.join()

    assert viewer.pictures[0] == (1280, 720)
    assert printed[:2] == [f"Open {streams[0].url} in a browser.", KeyChange("KeyA", is_down=True)]
