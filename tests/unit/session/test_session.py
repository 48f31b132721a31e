"""How a session opens and ends, and how viewers come and go."""

import asyncio
import logging
import threading

import pytest

from streamer.errors import ConfigError, EncoderError, LocalProtocolError, StreamerError, TransportError
from streamer.protocol.control import Seat
from streamer.protocol.signaling import ByeCode, Offer
from streamer.session import devices, studio
from streamer.session.door import Ended, Join, Leave, Stop
from streamer.session.lifecycle import SessionState
from streamer.session.session import Session
from tests.fakes.peer import FakePeers
from tests.fakes.session import config, frames, open_session
from tests.fakes.stepped_clock import SteppedClock
from tests.fakes.waiting import until

# Coming and going.


@pytest.mark.parametrize(
    "failure", [ConfigError("stun:: is no address"), TransportError("aiortc", "another version is installed")]
)
async def test_viewer_that_no_peer_can_be_made_for_is_told_why(rig, failure):
    rig.peers.why_not = failure

    rig.door.submit(Join("ann"))
    (bye,) = await rig.byes("ann")
    rig.peers.why_not = None

    assert bye.reason == str(failure)
    assert not bye.retry
    assert isinstance((await rig.join("ann"), rig.said_to("ann")[-1])[1], Offer)


async def test_viewer_that_cannot_come_back_has_left(rig):
    ann, bob = await rig.connect("ann"), await rig.connect("bob")
    rig.peers.why_not = ConfigError("stun:: is no address")

    rig.door.submit(Join("ann"))
    await rig.byes("ann")
    await until(lambda: ann.is_closed)

    assert bob.heard(Seat)[-1] == Seat(is_holder=True, viewers=1)


async def test_session_that_closes_at_once_after_a_join_leaves_nothing(caplog):
    before = asyncio.all_tasks()
    with caplog.at_level(logging.ERROR):
        async with open_session() as rig:
            rig.door.submit(Join("ann"))
            rig.door.submit(Stop("the lights go out"))
            await until(lambda: rig.of_kind(Ended))

    assert asyncio.all_tasks() == before
    assert caplog.records == []


async def test_closed_session_has_no_thread_timer_or_task():
    tasks, threads = asyncio.all_tasks(), threading.active_count()
    async with open_session() as rig:
        peer = await rig.connect("ann")
        rig.push()
        await frames(peer, 1)
        rig.door.submit(Leave("ann", ByeCode.LEFT, "its connection was lost", may_return=True))
    # Threads of the loop's pool stay for the next blocking call.
    pool = [thread for thread in threading.enumerate() if thread.name.startswith("asyncio_")]

    assert asyncio.all_tasks() == tasks
    assert threading.active_count() - len(pool) <= threads
    assert rig.clock.timers == 0
    assert peer.is_closed


@pytest.mark.parametrize(
    "break_off",
    [
        lambda session: (session._seat, "close"),
        lambda session: (session._arrangement, "close"),
        lambda session: (session._studio._devices.source, "wake"),
        lambda session: (session._studio._devices.input_backend, "close"),
    ],
    ids=["seat", "renditions", "source", "input"],
)
async def test_session_ends_although_something_does_not_close(break_off, monkeypatch, caplog):
    def fail():
        raise ZeroDivisionError("of a library")

    async with open_session() as rig:
        peer = await rig.connect("ann")
        what, method = break_off(rig.session)
        close = getattr(what, method)
        with monkeypatch.context() as patched, caplog.at_level(logging.ERROR):
            patched.setattr(what, method, fail)
            await rig.session.close("the lights go out")
        close()

    (ended,) = rig.of_kind(Ended)
    assert rig.session.state is SessionState.ENDED
    assert ended.is_failure
    assert ended.reason == "the lights go out, and something could not be closed; the log has the details"
    assert peer.is_closed
    assert len(caplog.records) == 1


async def test_session_closes_twice():
    async with open_session() as rig:
        await rig.session.close()
        await rig.session.close()

        assert rig.session.state is SessionState.ENDED
        assert len(rig.of_kind(Ended)) == 1


# Opening.


async def test_session_that_does_not_open_is_over_and_closes():
    session = Session(config(session={"source": "nothing of this name"}), FakePeers(), SteppedClock())

    with pytest.raises(StreamerError, match="nothing of this name"):
        await session.open()
    await session.close()

    assert session.state is SessionState.ENDED


async def test_session_opens_once(rig):
    with pytest.raises(LocalProtocolError):
        await rig.session.open()

    assert rig.session.state is SessionState.LIVE


async def test_device_that_opens_while_its_session_is_cancelled_is_closed_again(monkeypatch):
    is_opening, may_open = threading.Event(), threading.Event()
    closed = []

    class Source:
        def close(self) -> None:
            closed.append(self)

    def open_slowly(*_):
        is_opening.set()
        assert may_open.wait(20)
        return Source()

    monkeypatch.setattr(devices, "_open_source", open_slowly)
    session = Session(config(), FakePeers(), SteppedClock())
    opening = asyncio.create_task(session.open())
    await until(is_opening.is_set)

    opening.cancel()
    may_open.set()
    with pytest.raises(asyncio.CancelledError):
        await opening
    await session.close()

    assert len(closed) == 1
    assert session.state is SessionState.ENDED


def test_cancelled_session_does_not_wait_for_encoders_that_prove_themselves(monkeypatch):
    is_proving, may_end, has_ended = threading.Event(), threading.Event(), threading.Event()

    def prove(*_):
        is_proving.set()
        may_end.wait(20)
        has_ended.set()
        raise EncoderError("software", "nobody waits for this any more")

    async def cancel() -> SessionState:
        session = Session(config(), FakePeers(), SteppedClock())
        opening = asyncio.create_task(session.open())
        await until(is_proving.is_set)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        return session.state

    monkeypatch.setattr(studio, "Assembly", prove)
    try:
        # The end of the loop is the program's: it waits for the threads of its pool.
        state = asyncio.run(cancel())
        has_waited = has_ended.is_set()
    finally:
        may_end.set()

    assert state is SessionState.ENDED
    assert not has_waited
    assert has_ended.wait(20)
