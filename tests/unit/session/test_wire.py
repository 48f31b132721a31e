import asyncio
import socket

import pytest

from streamer.errors import RemoteProtocolError
from streamer.protocol.signaling import MAX_SDP_BYTES, Answer
from streamer.session.door import Ended, Join, Leave, Opened, Said, Stop
from streamer.session.wire import (
    MAX_LINE_BYTES,
    RemoteDoor,
    parse_command,
    parse_event,
    serialize_command,
    serialize_event,
    serve_door,
)
from tests.fakes.door import FakeDoor
from tests.fakes.waiting import until

OPENED = Opened("demo", 1280, 720, 60.0, "vp8 by software")


@pytest.fixture
async def streams():
    ends = [await asyncio.open_connection(sock=end, limit=MAX_LINE_BYTES) for end in socket.socketpair()]
    yield ends
    for _, writer in ends:
        writer.close()
        await writer.wait_closed()


@pytest.fixture
def door() -> FakeDoor:
    return FakeDoor(offers=False)


async def test_command_with_the_longest_description_crosses(streams, door):
    served = asyncio.create_task(serve_door(door, *streams[0]))
    remote = RemoteDoor(*streams[1])
    command = Said("ann", Answer(1, '"\r\n\\' * (MAX_SDP_BYTES // 8)))

    remote.submit(command)
    await door.wait_for(lambda commands: commands == [command])
    door.end()

    await served


async def test_service_ends_when_the_other_end_hangs_up(streams, door):
    served = asyncio.create_task(serve_door(door, *streams[0]))
    streams[1][1].close()

    await served
    door.tell(OPENED)

    assert door.commands == []


@pytest.mark.parametrize("line", [b"rubbish\n", b"\xff\n", b"x" * (MAX_LINE_BYTES + 10) + b"\n"])
async def test_service_ends_with_an_error_at_a_line_that_is_no_command(streams, door, line):
    served = asyncio.create_task(serve_door(door, *streams[0]))

    streams[1][1].write(line)

    with pytest.raises(RemoteProtocolError):
        await served


async def test_remote_door_says_that_its_session_is_gone_when_the_socket_closes(streams):
    remote, events = RemoteDoor(*streams[1]), []
    remote.subscribe(events.append)
    streams[0][1].write(serialize_event(OPENED))
    streams[0][1].close()

    await remote.run()
    remote.submit(Stop("too late"))

    assert events == [OPENED, Ended("its process is gone", is_failure=True)]


async def test_remote_door_says_that_its_session_is_broken_at_a_line_that_is_no_event(streams):
    remote, events = RemoteDoor(*streams[1]), []
    remote.subscribe(events.append)
    streams[0][1].write(b'{"type":"join","viewer":"ann"}\n')

    await remote.run()

    assert [event.is_failure for event in events] == [True]
    assert "cannot be understood" in events[0].reason


async def test_remote_door_repeats_the_opening_to_a_late_listener_but_not_after_the_end(streams):
    remote = RemoteDoor(*streams[1])
    running = asyncio.create_task(remote.run())
    first, late, too_late = [], [], []
    remote.subscribe(first.append)
    streams[0][1].write(serialize_event(OPENED))
    await until(lambda: first)

    remote.subscribe(late.append)
    streams[0][1].write(serialize_event(Ended("it is over", is_failure=False)))
    await running
    remote.subscribe(too_late.append)

    assert late == [OPENED, Ended("it is over", is_failure=False)]
    assert too_late == []


@pytest.mark.parametrize(
    "line",
    [
        b'{"type":"join","viewer":5}',
        b'{"type":"join"}',
        b'{"type":"leave","viewer":"a","code":"left","reason":"r","may_return":"yes"}',
        b'{"type":"leave","viewer":"a","code":[],"reason":"r","may_return":true}',
        b'{"type":"leave","viewer":"a","code":"unheard of","reason":"r","may_return":true}',
        b'{"type":"said","viewer":"a","message":7}',
        b'{"type":"said","viewer":"a","message":"{\\"type\\":\\"hello\\",\\"version\\":1}"}',
        b"[]",
        b"",
    ],
)
def test_line_that_is_no_command_is_refused(line):
    with pytest.raises(RemoteProtocolError):
        parse_command(line)


def test_commands_and_events_are_not_mistaken_for_each_other():
    with pytest.raises(RemoteProtocolError):
        parse_event(serialize_command(Join("ann")))
    with pytest.raises(RemoteProtocolError):
        parse_command(serialize_event(OPENED))


def test_unknown_members_are_ignored():
    line = b'{"type":"leave","viewer":"a","code":"left","reason":"r","may_return":true,"later":1}'

    command = parse_command(line)

    assert isinstance(command, Leave)
    assert command.may_return
