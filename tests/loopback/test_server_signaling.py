import asyncio
import logging
from contextlib import AsyncExitStack

import aiohttp
import pytest

from streamer.clock import SystemClock
from streamer.config import IceConfig
from streamer.protocol.signaling import Answer, Bye, ByeCode, Candidate, EndOfCandidates, Hello, Offer
from streamer.server.signaling import MAX_STRANGERS
from streamer.session.door import Join, Leave, Said, Say
from tests.fakes.door import FakeDoor
from tests.fakes.page import Page
from tests.fakes.serving import serving

TOKEN = "0123456789abcdef"


class SteppedClock(SystemClock):
    """Stands still between steps, so that rates and expiry do not depend on the machine."""

    def __init__(self) -> None:
        self.at_us = 1_000_000

    def now_us(self) -> int:
        return self.at_us


async def test_viewer_is_welcomed_and_offered() -> None:
    door = FakeDoor()
    ice = IceConfig.model_validate({"servers": [{"urls": ["turn:t.example"], "username": "u", "credential": "c"}]})

    async with serving(door, ice=ice) as server, Page(server.url) as page:
        welcome = await page.join()
        offer = await page.hear()

    assert door.commands[0] == Join(welcome.viewer)
    assert isinstance(offer, Offer)
    assert (welcome.limits.message_bytes, welcome.limits.messages_per_s) == (65536, 50)
    assert [(entry.urls, entry.credential) for entry in welcome.ice_servers] == [(("turn:t.example",), "c")]


async def test_what_a_viewer_says_reaches_the_door_in_order() -> None:
    door = FakeDoor()
    messages = (Answer(1, "v=0\r\n"), Candidate(1, "candidate:1 1 udp 1 192.0.2.1 9 typ host"), EndOfCandidates(1))

    async with serving(door) as server, Page(server.url) as page:
        viewer = (await page.join()).viewer
        for message in messages:
            await page.say(message)
        await door.wait_for(lambda commands: len(commands) == 4)

    assert door.commands[1:4] == [Said(viewer, message) for message in messages]


async def test_goodbye_ends_the_viewer_for_good() -> None:
    door = FakeDoor()

    async with serving(door) as server, Page(server.url) as page:
        welcome = await page.join()
        await page.say(Bye("closed the tab", ByeCode.LEFT, retry=False))
        await door.wait_for(lambda commands: isinstance(commands[-1], Leave))
        async with Page(server.url) as other:
            later = await other.join(resume=welcome.resume)

    assert door.commands[1] == Leave(welcome.viewer, ByeCode.LEFT, "closed the tab", may_return=False)
    assert later.viewer != welcome.viewer


async def test_words_of_a_viewer_take_one_short_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    door = FakeDoor()

    with caplog.at_level(logging.INFO):
        async with serving(door) as server, Page(server.url) as page:
            await page.join()
            await page.say(Bye("line\nline \x1b[31m" + "x" * 900, ByeCode.LEFT, retry=False))
            await door.wait_for(lambda commands: isinstance(commands[-1], Leave))

    lines = [record.getMessage() for record in caplog.records if "line" in record.getMessage()]
    assert len(lines) == 1
    assert "line\\nline \\x1b[31mxxx" in lines[0]
    assert lines[0].isprintable()
    assert len(lines[0]) < 200


async def test_socket_is_closed_after_the_viewers_goodbye() -> None:
    async with serving(FakeDoor(offers=False)) as server, Page(server.url) as page:
        await page.join()
        await page.say(Bye("closed the tab", ByeCode.LEFT, retry=False))

        end = await page.socket.receive(timeout=5)

    assert end.type is aiohttp.WSMsgType.CLOSE


async def test_lost_socket_leaves_the_place_open() -> None:
    door = FakeDoor()

    async with serving(door) as server:
        async with Page(server.url) as page:
            welcome = await page.join()
        await door.wait_for(lambda commands: isinstance(commands[-1], Leave))
        async with Page(server.url) as page:
            again = await page.join(resume=welcome.resume)

    leave = door.commands[1]
    assert isinstance(leave, Leave)
    assert leave.may_return
    assert again.viewer == welcome.viewer
    assert door.commands[2] == Join(welcome.viewer)


async def test_place_is_forgotten_after_its_time() -> None:
    door, clock = FakeDoor(), SteppedClock()

    async with serving(door, clock=clock) as server:
        async with Page(server.url) as page:
            welcome = await page.join()
        await door.wait_for(lambda commands: isinstance(commands[-1], Leave))
        clock.at_us += 60_000_000
        async with Page(server.url) as page:
            again = await page.join(resume=welcome.resume)

    assert again.viewer != welcome.viewer


async def test_viewer_who_comes_back_replaces_its_old_socket() -> None:
    door = FakeDoor()

    async with serving(door) as server, Page(server.url) as old, Page(server.url) as new:
        welcome = await old.join()
        again = await new.join(resume=welcome.resume)
        bye = await old.hear_bye()
        await new.say(EndOfCandidates(2))
        await door.wait_for(lambda commands: isinstance(commands[-1], Said))

    assert again.viewer == welcome.viewer
    assert (bye.code, bye.retry) == (ByeCode.REPLACED, False)
    # The old socket's end is no leave: the viewer is here.
    assert door.commands[:3] == [
        Join(welcome.viewer),
        Join(welcome.viewer),
        Said(welcome.viewer, EndOfCandidates(2)),
    ]


async def test_token_lets_its_bearer_in() -> None:
    door = FakeDoor()

    async with serving(door, token=TOKEN) as server, Page(server.url) as page:
        await page.join(token=TOKEN)
        invitation = server.invitation

    assert len(door.commands) > 0
    assert invitation == f"{page.url}#token={TOKEN}"


@pytest.mark.parametrize("token", [None, "", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "é" * 16])
async def test_wrong_token_keeps_everybody_else_out(token: str | None, caplog: pytest.LogCaptureFixture) -> None:
    door = FakeDoor()

    async with serving(door, token=TOKEN) as server, Page(server.url) as page:
        await page.say(Hello(token=token))
        bye = await page.hear_bye()

    assert (bye.code, bye.retry) == (ByeCode.UNAUTHORIZED, False)
    assert door.commands == []
    assert TOKEN not in caplog.text


async def test_resume_does_not_stand_in_for_the_token() -> None:
    async with serving(FakeDoor(), token=TOKEN) as server, Page(server.url) as page, Page(server.url) as thief:
        welcome = await page.join(token=TOKEN)
        await thief.say(Hello(resume=welcome.resume))

        assert (await thief.hear_bye()).code is ByeCode.UNAUTHORIZED


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"type": "hello"}',
        '{"type": "hello", "version": 2}',
        '{"type": "welcome", "version": 1}',
        '{"type": "answer", "generation": 1, "sdp": "v=0"}',
        '{"type": "hello", "version": 1, "token": 5}',
        '{"type": "hello", "version": 1, "token": "\\udcff"}',
        "x" * 65_537,
        "x" * 200_000,
    ],
)
async def test_malformed_beginning_ends_with_a_reason(text: str) -> None:
    door = FakeDoor()

    async with serving(door) as server, Page(server.url) as page:
        await page.socket.send_str(text)
        bye = await page.hear_bye()

    assert bye.code is ByeCode.PROTOCOL_ERROR
    assert bye.reason
    assert door.commands == []


async def test_binary_beginning_ends_with_a_reason() -> None:
    async with serving(FakeDoor()) as server, Page(server.url) as page:
        await page.socket.send_bytes(b"\x00")

        assert (await page.hear_bye()).code is ByeCode.PROTOCOL_ERROR


async def test_flood_of_bytes_ends_the_socket() -> None:
    async with serving(FakeDoor()) as server, Page(server.url) as page:
        await page.socket.send_str("x" * 1_000_000)
        end = await page.socket.receive(timeout=5)

    assert end.type is aiohttp.WSMsgType.CLOSE
    assert end.data == aiohttp.WSCloseCode.MESSAGE_TOO_BIG


@pytest.mark.parametrize(
    "text", ["{", '{"type": "hello", "version": 1}', '{"type": "answer", "generation": -1, "sdp": ""}']
)
async def test_malformed_message_ends_that_viewer_and_no_other(text: str) -> None:
    door = FakeDoor()

    async with serving(door) as server, Page(server.url) as good, Page(server.url) as bad:
        good_viewer, bad_viewer = (await good.join()).viewer, (await bad.join()).viewer
        await bad.socket.send_str(text)
        bye = await bad.hear_bye()
        await good.say(EndOfCandidates(1))
        await door.wait_for(lambda commands: isinstance(commands[-1], Said))

    assert bye.code is ByeCode.PROTOCOL_ERROR
    assert Leave(bad_viewer, ByeCode.PROTOCOL_ERROR, bye.reason, may_return=False) in door.commands
    assert Said(good_viewer, EndOfCandidates(1)) in door.commands


async def test_too_many_messages_end_that_viewer() -> None:
    door, clock = FakeDoor(), SteppedClock()

    async with serving(door, clock=clock, max_messages_per_s=5) as server, Page(server.url) as page:
        await page.join()
        for _ in range(5):
            await page.say(EndOfCandidates(1))
        bye = await page.hear_bye()

    assert (bye.code, bye.retry) == (ByeCode.RATE_LIMITED, True)
    # The hello was the first of the five.
    assert len([command for command in door.commands if isinstance(command, Said)]) == 4


async def test_silence_ends_the_socket() -> None:
    async with serving(FakeDoor(), hello_timeout_ms=10) as server, Page(server.url) as page:
        bye = await page.hear_bye()

    assert (bye.code, bye.retry) == (ByeCode.PROTOCOL_ERROR, True)


async def test_socket_beyond_the_limit_is_refused() -> None:
    async with serving(FakeDoor(), max_sockets=1) as server, Page(server.url) as page:
        await page.join()
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            async with Page(server.url):
                pass

    assert caught.value.status == 503


async def test_sockets_without_a_hello_take_no_place_of_a_viewer() -> None:
    async with serving(FakeDoor(), max_sockets=1) as server, Page(server.url) as mute, Page(server.url) as page:
        await page.join()
        await mute.say(Hello())
        bye = await mute.hear_bye()

    assert (bye.code, bye.retry) == (ByeCode.SESSION_FULL, True)


async def test_socket_that_waits_longest_for_its_hello_makes_room(caplog: pytest.LogCaptureFixture) -> None:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serving(FakeDoor()))
        waiting = [await stack.enter_async_context(Page(server.url)) for _ in range(MAX_STRANGERS + 1)]
        bye = await waiting[0].hear_bye()
        for page in waiting[1:]:
            await page.join()
        async with Page(server.url) as another:
            await another.join()

    assert (bye.code, bye.retry) == (ByeCode.SESSION_FULL, True)
    assert not [entry for entry in caplog.record_tuples if entry[:2] == ("streamer.server.signaling", logging.WARNING)]


async def test_goodbye_of_the_session_is_the_last_word() -> None:
    door = FakeDoor()

    async with serving(door) as server, Page(server.url) as page:
        welcome = await page.join()
        door.dismiss(welcome.viewer, ByeCode.NO_COMMON_CODEC)
        bye = await page.hear_bye()
        async with Page(server.url) as other:
            later = await other.join(resume=welcome.resume)

    assert bye == Bye("the test says so", ByeCode.NO_COMMON_CODEC, retry=False)
    assert later.viewer != welcome.viewer
    # The session has let go of this viewer by itself.
    assert door.commands[1] == Join(later.viewer)


async def test_viewer_whose_peer_failed_may_come_back() -> None:
    door = FakeDoor()

    async with serving(door) as server, Page(server.url) as page:
        welcome = await page.join()
        door.dismiss(welcome.viewer, ByeCode.PEER_FAILED, retry=True)
        await page.hear_bye()
        async with Page(server.url) as other:
            later = await other.join(resume=welcome.resume)

    assert later.viewer == welcome.viewer


@pytest.mark.parametrize("is_failure", [False, True])
async def test_end_of_the_session_is_told_and_nobody_comes_in_after_it(is_failure: bool) -> None:  # noqa: FBT001 - a column
    door = FakeDoor()

    async with serving(door) as server, Page(server.url) as page:
        await page.join()
        door.end(is_failure=is_failure)
        bye = await page.hear_bye()
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            async with Page(server.url):
                pass

    assert (bye.code, bye.retry) == (ByeCode.SESSION_ENDED, False)
    assert caught.value.status == 503


async def test_stop_says_goodbye_to_everybody_and_leaves_no_task() -> None:
    before = asyncio.all_tasks()
    door = FakeDoor()

    async with serving(door) as server, Page(server.url) as first, Page(server.url) as second, Page(server.url) as mute:
        await first.join()
        await second.join()
        stopping = asyncio.create_task(server.stop("the test is over"))
        byes = [await page.hear_bye() for page in (first, second, mute)]
        await stopping

    assert {(bye.code, bye.retry) for bye in byes} == {(ByeCode.SERVER_STOPPING, True)}
    assert len([command for command in door.commands if isinstance(command, Leave)]) == 2
    assert asyncio.all_tasks() == before


async def test_viewer_with_too_many_waiting_messages_is_dropped() -> None:
    door = FakeDoor(offers=False)

    async with serving(door) as server, Page(server.url) as page:
        viewer = (await page.join()).viewer
        for generation in range(100):
            door.tell(Say(viewer, Offer(generation, "v=0\r\n")))
        await door.wait_for(lambda commands: isinstance(commands[-1], Leave))
        end = await page.socket.receive(timeout=5)

    assert end.type is aiohttp.WSMsgType.CLOSE
