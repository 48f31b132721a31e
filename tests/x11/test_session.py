import asyncio
import shutil
import uuid

import pytest

from streamer.clock import SystemClock
from streamer.session.door import Ended, Event
from streamer.session.lifecycle import SessionState
from streamer.session.session import Session
from tests.fakes.marked import MARK, marked_processes
from tests.fakes.peer import FakePeers
from tests.fakes.session import config
from tests.fakes.waiting import until
from tests.fakes.xvfb import WITHOUT_XVFB

pytestmark = [
    pytest.mark.x11,
    pytest.mark.skipif(shutil.which("Xvfb") is None, reason=WITHOUT_XVFB),
]


@pytest.fixture
def mark(monkeypatch) -> str:
    mark = uuid.uuid4().hex
    monkeypatch.setenv(MARK, mark)
    return mark


def session_of(app: str) -> Session:
    settings = {"source": "screen", "app": app, "size": "320x240"}
    return Session(config(session=settings, desktop={"window_manager": "none"}), FakePeers(), SystemClock())


async def test_session_with_a_program_opens_and_closes_its_desktop(mark):
    session = session_of("sleep 600")
    await session.open()
    # A process that is about to run another program has no environment to be known by for a moment.
    await until(lambda: len(marked_processes(mark)) >= 2)

    await session.close()

    await until(lambda: not marked_processes(mark))


async def test_session_ends_with_its_program(mark):
    session, events = session_of("sh -c 'exit 3'"), list[Event]()
    session.subscribe(events.append)
    await session.open()

    await until(lambda: isinstance(events[-1], Ended))
    await session.close()

    assert "sh" in events[-1].reason
    assert session.state is SessionState.ENDED
    await until(lambda: not marked_processes(mark))


async def test_session_that_is_cancelled_while_it_opens_leaves_no_desktop(mark):
    session = session_of("sleep 600")
    opening = asyncio.create_task(session.open())
    await until(lambda: marked_processes(mark))

    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    await session.close()

    await until(lambda: not marked_processes(mark))


async def test_session_whose_input_backend_does_not_open_leaves_no_desktop(mark, monkeypatch):
    def refuse(*_):
        raise ZeroDivisionError("of a library")

    monkeypatch.setattr("streamer.session.devices._open_input", refuse)
    session = session_of("sleep 600")

    with pytest.raises(ZeroDivisionError):
        await session.open()

    await until(lambda: not marked_processes(mark))
