"""Renditions whose encoder does not return from a picture."""

from dataclasses import dataclass

import pytest

from streamer.protocol.control import Stream
from streamer.protocol.signaling import ByeCode
from streamer.session.door import Ended, Leave
from streamer.session.stalls import LOOKS, Stalls
from tests.fakes.failing_encoder import NAME, FailingEncoder
from tests.fakes.session import frames, open_session
from tests.fakes.waiting import until


@dataclass(eq=False)
class Worker:
    picture_at_work: int | None = 1


def test_rendition_that_stays_at_a_picture_is_named_once():
    stalls, worker = Stalls(), Worker()

    named = [stalls.look([worker]) for _ in range(3 * LOOKS)]

    assert named == [[]] * (LOOKS - 1) + [[worker]] + [[]] * 2 * LOOKS


@pytest.mark.parametrize("after", [2, None], ids=["next picture", "between two"])
def test_rendition_that_gets_on_is_not_named(after):
    stalls, worker = Stalls(), Worker()
    for _ in range(LOOKS - 1):
        stalls.look([worker])
    worker.picture_at_work = after

    assert stalls.look([worker]) == []


def test_rendition_that_took_the_place_of_another_starts_anew():
    stalls, before = Stalls(), Worker()
    for _ in range(LOOKS - 1):
        stalls.look([before])

    assert stalls.look([Worker()]) == []


# In a session.


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr("streamer.session.studio._JOIN_US", 10_000)


@pytest.fixture
def hardware(monkeypatch):
    failing = FailingEncoder.install(monkeypatch)
    yield failing
    failing.goes_on.set()


@pytest.fixture
def library(monkeypatch):
    failing = FailingEncoder.install(monkeypatch, is_hardware=False)
    yield failing
    failing.goes_on.set()


async def test_hardware_that_does_not_return_makes_way_for_software_on_the_same_connection(hardware, caplog):
    async with open_session(video={"encoders": [NAME, "software"]}) as rig:
        peer = await rig.connect("ann")
        rig.push()
        await frames(peer, 1)
        hardware.hangs = lambda _: True

        rig.push()
        await rig.sit_out()
        await frames(peer, 2)

        assert sum(frame.is_keyframe for frame in peer.video.frames) == 2
        assert peer.heard(Stream)[-1].encoder == "software"
        assert rig.of_kind(Ended) == []
        hardware.goes_on.set()
    reason = "has not returned from a picture for 8 s"
    assert f"vp8 320x180 is left behind because it {reason}" in caplog.messages
    assert f"vp8 320x180 is encoded by software from here on because failing {reason}" in caplog.messages


async def test_hardware_that_does_not_open_makes_way_too(hardware):
    async with open_session(video={"encoders": [NAME, "software"]}) as rig:
        hardware.opens = hardware.goes_on.wait
        peer = await rig.connect("ann")

        rig.push()
        await rig.sit_out()
        await frames(peer, 1)

        assert peer.heard(Stream)[-1].encoder == "software"
        hardware.goes_on.set()


async def test_library_that_does_not_return_is_opened_once_more(library):
    async with open_session(video={"encoder": NAME}) as rig:
        peer = await rig.connect("ann")
        hung = {0}
        library.hangs = lambda number: number in hung and (hung.discard(number) or True)

        rig.push()
        await rig.sit_out()
        rig.push()
        await frames(peer, 2)

        assert rig.of_kind(Ended) == []
        library.goes_on.set()


async def test_codec_whose_library_does_not_return_twice_is_given_up(library):
    async with open_session(video={"encoder": NAME}) as rig:
        await rig.connect("ann")
        library.hangs = lambda _: True
        rig.push()
        for _ in range(2):
            await rig.sit_out()

        assert rig.of_kind(Ended)[0].reason == "vp8 320x180 was stuck twice"
        library.goes_on.set()


async def test_codec_is_kept_while_one_that_somebody_takes_works(library):
    async with open_session(video={"encoder": NAME}) as rig:
        library.hangs = lambda _: True
        for name in ("ann", "bob"):
            await rig.connect(name)
            rig.push()
            await rig.sit_out(leaving=name)
        library.hangs = lambda _: False

        peer = await rig.connect("eve")
        rig.push()
        await frames(peer, 1)

        assert rig.of_kind(Ended) == []
        library.goes_on.set()


async def test_encoder_that_returns_late_disturbs_nobody(hardware):
    async with open_session(video={"encoders": [NAME, "software"]}) as rig:
        peer = await rig.connect("ann")
        hardware.hangs = lambda _: True
        rig.push()
        await rig.sit_out()
        await frames(peer, 1)
        before = len(peer.video.frames)

        hardware.goes_on.set()
        await until(lambda: hardware.closed == hardware.opened)
        rig.push()
        await frames(peer, before + 1)

        assert len(peer.video.frames) == before + 1
        assert sum(frame.is_keyframe for frame in peer.video.frames) == 1


async def test_hardware_that_the_last_viewer_has_left_is_given_up_all_the_same(hardware):
    async with open_session(video={"encoders": [NAME, "software"]}) as rig:
        await rig.connect("ann")
        hardware.hangs = lambda _: True
        rig.push()
        await rig.sit_out(leaving="ann")
        peer = await rig.connect("bob")
        rig.push()
        await frames(peer, 1)

        assert peer.heard(Stream)[-1].encoder == "software"
        hardware.goes_on.set()


async def test_hardware_that_has_room_for_a_stuck_encoder_alone_makes_way(hardware, monkeypatch):
    monkeypatch.setattr("streamer.session.studio._HANDOVER_US", 10_000)
    async with open_session(video={"encoders": [NAME, "software"]}) as rig:
        await rig.connect("ann")
        hardware.most, hardware.hangs = 1, lambda _: True
        rig.push()
        await until(lambda: next(iter(rig.renditions.values())).picture_at_work)

        rig.door.submit(Leave("ann", ByeCode.LEFT, "the page was closed"))
        peer = await rig.connect("bob")
        rig.push()
        await frames(peer, 1)

        assert peer.heard(Stream)[-1].encoder == "software"
        assert rig.of_kind(Ended) == []
        hardware.goes_on.set()


async def test_session_closes_although_an_encoder_does_not_return(hardware, caplog):
    async with open_session(video={"encoder": NAME}) as rig:
        await rig.connect("ann")
        hardware.hangs = lambda _: True
        rig.push()
        await until(lambda: next(iter(rig.renditions.values())).picture_at_work)

    assert "vp8 320x180 is left behind: what it waits for does not return" in caplog.messages
