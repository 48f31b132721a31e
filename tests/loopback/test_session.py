"""A whole session over real connections: demo pictures, a real encoder, and stock aiortc as the viewers."""

import asyncio
import gc
import random
import threading
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from streamer.clock import SystemClock
from streamer.congestion.decision import RateLimits
from streamer.protocol import control
from streamer.protocol.control import Pause, Seat, Statistics, Stream
from streamer.protocol.input import Key, PointerTotals, serialize
from streamer.protocol.signaling import Answer, Bye, ByeCode, Offer
from streamer.session.door import Ended, Event, Join, Leave, Said, Say, Stop
from streamer.session.session import Session
from streamer.transport.base import CONTROL, KEYS, MOTION, PeerSettings
from streamer.transport.peer import RtcPeer
from tests.fakes.session import config
from tests.loopback.viewer import Viewer, until

# Joins and leaves; the first ones warm up what is made once.
_WARM_UP, _ROUNDS = 2, 20


class Visit:
    """One viewer in the session, from its name to its connection."""

    def __init__(self, rig: "Rig", name: str) -> None:
        self.name = name
        self._rig = rig
        self.viewer = Viewer()

    async def join(self) -> "Visit":
        before = len(self._rig.said_to(self.name))
        self._rig.session.submit(Join(self.name))
        await until(lambda: len(self._rig.said_to(self.name)) > before)
        offer = self._rig.said_to(self.name)[-1]
        assert isinstance(offer, Offer), offer
        answer = await self.viewer.answer(offer.sdp)
        self._rig.session.submit(Said(self.name, Answer(offer.generation, answer)))
        await until(lambda: len(self.viewer.channels) == 3 and self.viewer.pictures)
        return self

    def heard(self, kind: type) -> list:
        texts = [message for label, message in self.viewer.messages if label == CONTROL]
        return [message for message in map(control.parse_from_server, texts) if isinstance(message, kind)]

    def say(self, message) -> None:
        self.viewer.channels[CONTROL].send(control.serialize(message))

    async def leave(self, *, may_return: bool = False) -> None:
        self._rig.session.submit(Leave(self.name, ByeCode.LEFT, "the page was closed", may_return=may_return))
        await self.viewer.close()


class Rig:
    def __init__(self, **changes) -> None:
        changes = {"session": {"source": "demo", "size": "320x180", "fps": 30}, **changes}
        self.session = Session(config(**changes), self._make_peer, SystemClock())
        self.events: list[Event] = []
        self.session.subscribe(self.events.append)

    def said_to(self, name: str) -> list[Offer | Bye]:
        return [event.message for event in self.events if isinstance(event, Say) and event.viewer == name]

    def visit(self, name: str) -> Visit:
        return Visit(self, name)

    def _make_peer(self, observer, codecs, largest) -> RtcPeer:
        settings = PeerSettings(
            codecs=codecs,
            largest=largest,
            fps=30,
            rate_limits=RateLimits(min_bps=300_000, start_bps=1_000_000, max_bps=2_000_000),
        )
        return RtcPeer(settings, observer, SystemClock(), random.Random(3))


@asynccontextmanager
async def opened(**changes):
    rig = Rig(**changes)
    await rig.session.open()
    try:
        yield rig
    finally:
        await rig.session.close()


@pytest.fixture
async def rig():
    async with opened() as rig:
        yield rig


def open_things() -> tuple[int, int, int, int]:
    gc.collect()
    files = [str(path.readlink()) for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
    pool = sum(thread.name.startswith("asyncio_") for thread in threading.enumerate())
    sockets = sum(name.startswith("socket:") for name in files)
    return len(asyncio.all_tasks()), threading.active_count() - pool, len(files), sockets


async def come_and_go(rig: Rig, count: int) -> None:
    for number in range(count):
        visit = await rig.visit(f"viewer {number}").join()
        await visit.leave()
    await until(lambda: not any(rendition.is_alive for rendition in rig.session._studio._renditions))


async def test_joins_and_leaves_leave_nothing_behind(rig):
    await come_and_go(rig, _WARM_UP)
    before = open_things()

    await come_and_go(rig, _ROUNDS)

    await until(lambda: open_things() == before)
    assert not rig.session._viewers
    assert not rig.session._away


async def test_viewer_sees_pictures_and_is_told_what_they_are(rig):
    visit = await rig.visit("ann").join()
    await until(lambda: visit.heard(Statistics))

    (size,) = set(visit.viewer.pictures)
    stream = visit.heard(Stream)[-1]
    statistics = visit.heard(Statistics)[-1]
    assert size == (stream.width_px, stream.height_px) == (320, 180)
    assert visit.heard(Seat)[-1] == Seat(is_holder=True, viewers=1)
    assert statistics.frames > 0
    assert {"convert", "encode", "packetize", "send"} <= set(statistics.stages_us)
    await visit.leave()


async def test_two_viewers_watch_and_the_seat_passes_on(rig):
    ann = await rig.visit("ann").join()
    bob = await rig.visit("bob").join()
    await until(lambda: bob.heard(Seat))
    as_watcher = bob.heard(Seat)[-1]

    await ann.leave()
    await until(lambda: bob.heard(Seat)[-1].is_holder)
    count = len(bob.viewer.pictures)
    await until(lambda: len(bob.viewer.pictures) > count)

    assert as_watcher == Seat(is_holder=False, viewers=2)
    await bob.leave()


async def test_viewer_comes_back_to_its_seat_on_a_new_connection(rig):
    ann = await rig.visit("ann").join()
    bob = await rig.visit("bob").join()
    await ann.leave(may_return=True)

    again = await rig.visit("ann").join()
    await until(lambda: again.heard(Seat))

    assert rig.said_to("ann")[-1].generation == 2
    assert again.heard(Seat)[-1].is_holder
    assert not bob.heard(Seat)[-1].is_holder
    await again.leave()
    await bob.leave()


async def test_hidden_viewer_goes_on_with_the_same_stream(rig):
    visit = await rig.visit("ann").join()
    visit.say(Pause(is_paused=True))
    await until(lambda: not rig.session._arrangement.renditions)
    count = len(visit.viewer.pictures)

    visit.say(Pause(is_paused=False))
    await until(lambda: len(visit.viewer.pictures) > count + 3)

    assert len({packet.ssrc for packet in visit.viewer.streams(96)}) == 1
    await visit.leave()


async def test_input_of_a_viewer_reaches_the_source(rig):
    visit = await rig.visit("ann").join()
    await until(lambda: visit.heard(Seat))

    visit.viewer.channels[MOTION].send(serialize(PointerTotals(1, 5, 5)))
    visit.viewer.channels[KEYS].send(serialize(Key(2, "KeyA", is_down=True)))

    await until(lambda: rig.session._seat.last_input() == 2)
    await visit.leave()


async def test_press_of_a_viewer_hastens_the_source(rig, monkeypatch):
    visit = await rig.visit("ann").join()
    await until(lambda: visit.heard(Seat))
    hastened = []
    source = rig.session._studio._devices.source
    monkeypatch.setattr(source, "hasten", lambda: hastened.append(rig.session._seat.last_input()))

    visit.viewer.channels[KEYS].send(serialize(Key(2, "KeyA", is_down=True)))

    await until(lambda: hastened == [2])
    await visit.leave()


async def test_malformed_message_closes_that_viewer_alone(rig):
    ann = await rig.visit("ann").join()
    bob = await rig.visit("bob").join()

    ann.viewer.channels[KEYS].send(b"\xff\xff\xff")
    await until(lambda: isinstance(rig.said_to("ann")[-1], Bye))
    count = len(bob.viewer.pictures)
    await until(lambda: len(bob.viewer.pictures) > count)

    assert rig.said_to("ann")[-1].code is ByeCode.PROTOCOL_ERROR
    await ann.viewer.close()
    await bob.leave()


async def test_viewer_that_vanishes_without_a_word_is_missed(rig):
    visit = await rig.visit("ann").join()

    await visit.viewer.close()
    await until(lambda: isinstance(rig.said_to("ann")[-1], Bye))

    bye = rig.said_to("ann")[-1]
    assert (bye.code, bye.retry) == (ByeCode.PEER_FAILED, True)


async def test_stop_while_viewers_watch_leaves_nothing_behind():
    before = open_things()
    async with opened() as rig:
        visits = [await rig.visit(name).join() for name in ("ann", "bob")]
        rig.session.submit(Stop("the lights go out"))
        await until(lambda: isinstance(rig.events[-1], Ended))
        for visit in visits:
            await visit.viewer.close()

    await until(lambda: open_things() == before)
    assert [rig.said_to(visit.name)[-1].code for visit in visits] == [ByeCode.SERVER_STOPPING] * 2
