import asyncio
import gc
import random
import threading
import weakref
from pathlib import Path

import pytest

from streamer.errors import Closed, LocalProtocolError, RemoteProtocolError
from streamer.transport.base import CONTROL
from streamer.transport.ice import MAX_CANDIDATE_MESSAGES, MAX_CANDIDATES
from streamer.transport.peer import CONNECT_TIMEOUT_US, RtcPeer
from streamer.transport.sdp import NoCommonCodec
from tests.fakes.stepped_clock import SteppedClock
from tests.loopback.viewer import Clip, Observer, Viewer, join, make_peer, peer_settings, play, until

HOST = "candidate:1 1 udp 2130706431 192.0.2.9 40000 typ host"


def open_things() -> tuple[int, int, int]:
    return len(asyncio.all_tasks()), threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: "",
        lambda _: "v=0\r\n",
        lambda answer: answer[: len(answer) // 2],
        lambda answer: answer.replace("a=fingerprint:sha-256 ", "a=fingerprint:sha-256 zz:"),
        lambda answer: answer.replace("a=ice-ufrag:", "a=ice-ufrag:-"),
        lambda answer: answer.replace("a=ice-pwd:", "a=x:"),
        lambda answer: answer.replace("a=setup:active", "a=setup:actpass"),
        lambda answer: answer.replace("a=mid:0", "a=mid:7"),
        lambda answer: answer.replace("a=recvonly", "a=inactive"),
        lambda answer: answer.replace("a=group:BUNDLE", "a=group:LS"),
        lambda answer: answer.replace("a=rtcp-mux", "a=x"),
        lambda answer: answer.replace("a=sctp-port:5000", "a=sctp-port:70000"),
        lambda answer: answer.replace("m=application", "m=audio"),
        lambda answer: answer + "a=x:" + 60 * 1024 * "y",
        lambda answer: answer.replace("a=mid:0", "a=candidate:1 1 udp x 192.0.2.9 40000 typ host\r\na=mid:0"),
    ],
)
async def test_malformed_answer_is_refused_and_nothing_remains(damage):
    before = open_things()
    peer, viewer = make_peer(Observer()), Viewer()
    answer = await viewer.answer(await peer.offer())

    with pytest.raises(RemoteProtocolError):
        await peer.answer(damage(answer))
    await peer.close()
    await viewer.close()

    await until(lambda: open_things() == before)


async def test_viewer_without_a_codec_in_common_is_told_so_in_one_sentence(viewer):
    observer = Observer()
    peer = make_peer(observer, peer_settings(("h264",)))
    answer = await viewer.answer(await peer.offer())

    with pytest.raises(NoCommonCodec, match=r"none of the video codecs on offer here \(h264\)"):
        await peer.answer(answer.replace("m=video", "m=video 0 UDP/TLS/RTP/SAVPF 0\r\na=was:"))
    await peer.close()


async def test_viewer_without_the_first_codec_gets_the_second(peer, viewer, observer):
    answer = await viewer.answer(await peer.offer())
    lines = [line for line in answer.splitlines() if not line.startswith(("a=rtpmap:96 ", "a=fmtp:96 "))]

    await peer.answer("\r\n".join(lines) + "\r\n")

    await until(lambda: observer.codecs == ["vp8"])
    assert peer.codec == "vp8"


async def test_answer_without_an_offer_is_refused(peer):
    with pytest.raises(RemoteProtocolError):
        await peer.answer("v=0\r\n")


async def test_second_answer_is_refused(joined, viewer):
    peer, viewer = joined

    with pytest.raises(RemoteProtocolError):
        await peer.answer(viewer.connection.localDescription.sdp)


async def test_second_offer_is_a_mistake_of_ours(peer):
    await peer.offer()

    with pytest.raises(LocalProtocolError):
        await peer.offer()


@pytest.mark.parametrize(
    "candidate",
    [
        "candidate:",
        "candidate:1 1 udp",
        HOST.replace("2130706431", "x"),
        HOST.replace("40000", "90000"),
        HOST + "\x00",
        2000 * "x",
    ],
)
async def test_malformed_candidate_is_refused(peer, candidate):
    await peer.offer()

    with pytest.raises(RemoteProtocolError):
        await peer.add_candidate(candidate, "0", 0)


async def test_candidate_without_a_section_is_refused(peer):
    with pytest.raises(RemoteProtocolError):
        await peer.add_candidate(HOST, None, None)


@pytest.mark.parametrize(
    "candidate",
    [HOST.replace("192.0.2.9", "example.com"), HOST.replace("udp", "tcp"), HOST.replace("192.0.2.9", "224.0.0.1")],
)
async def test_candidate_of_no_use_is_ignored(peer, candidate):
    await peer.offer()

    await peer.add_candidate(candidate, "0", 0)

    assert peer._ice.getRemoteCandidates() == []


async def test_candidates_of_no_use_take_no_place_of_others(peer):
    await peer.offer()
    for number in range(2 * MAX_CANDIDATES):
        await peer.add_candidate(HOST.replace("udp", "tcp").replace("40000", str(40000 + number)), "0", 0)

    await peer.add_candidate(HOST, "0", 0)

    assert [candidate.port for candidate in peer._ice.getRemoteCandidates()] == [40000]


async def test_candidates_beyond_the_limit_are_left_out(peer):
    await peer.offer()

    for number in range(MAX_CANDIDATES + 1):
        await peer.add_candidate(HOST.replace("40000", str(40000 + number)), "0", 0)

    ports = [candidate.port for candidate in peer._ice.getRemoteCandidates()]
    assert ports == list(range(40000, 40000 + MAX_CANDIDATES))


async def test_too_many_candidate_messages_are_refused(peer):
    await peer.offer()
    for _ in range(MAX_CANDIDATE_MESSAGES):
        await peer.add_candidate(HOST.replace("udp", "tcp"), "0", 0)

    with pytest.raises(RemoteProtocolError, match="more than 256 candidates"):
        await peer.add_candidate(HOST, "0", 0)


async def test_local_name_that_nobody_answers_for_holds_up_nothing(peer, viewer, observer):
    answer = await viewer.answer(await peer.offer())
    await peer.answer(answer.replace("a=end-of-candidates\r\n", ""))

    await peer.add_candidate(HOST.replace("192.0.2.9", "0a0a0a0a-nobody.local"), "0", 0)
    await peer.end_of_candidates()

    await until(lambda: bool(observer.codecs))


async def test_candidates_may_come_one_by_one_after_the_answer(peer, viewer, observer):
    answer = await viewer.answer(await peer.offer())
    lines = answer.splitlines()
    candidates = [line for line in lines if line.startswith("a=candidate:")]
    await peer.answer("\r\n".join(line for line in lines if "candidate" not in line) + "\r\n")

    for candidate in dict.fromkeys(candidates):
        await peer.add_candidate(candidate.removeprefix("a="), "0", 0)
    await peer.add_candidate("", "0", 0)

    await until(lambda: bool(observer.codecs))


@pytest.mark.parametrize("is_answered", [False, True], ids=["offered", "answered"])
async def test_peer_that_does_not_connect_in_time_gives_up(viewer, is_answered):
    clock, observer = SteppedClock(), Observer()
    peer = RtcPeer(peer_settings(), observer, clock, random.Random(1))
    answer = await viewer.answer(await peer.offer())
    lines = [line for line in answer.splitlines() if "candidate" not in line]
    await viewer.close()
    if is_answered:
        await peer.answer("\r\n".join(lines) + "\r\n")

    clock.step(CONNECT_TIMEOUT_US)

    await until(lambda: bool(observer.failures))
    assert observer.failures == [("peer_failed", "no connection within 15 s of the offer")]
    await peer.close()


async def test_viewer_that_closes_is_noticed(joined, observer):
    peer, viewer = joined

    await viewer.close()

    await until(lambda: bool(observer.failures))
    assert observer.failures == [("peer_failed", "the viewer closed the connection")]
    assert not peer.send(CONTROL, "anybody?")


async def test_viewer_with_another_certificate_than_announced_is_refused(peer, viewer, observer):
    answer = await viewer.answer(await peer.offer())
    fingerprint = next(line for line in answer.splitlines() if line.startswith("a=fingerprint:sha-256"))
    other = fingerprint[:-2] + ("00" if fingerprint[-2:] != "00" else "11")

    await peer.answer(answer.replace(fingerprint, other))

    await until(lambda: bool(observer.failures))
    assert observer.codecs == []


async def test_closing_says_goodbye_and_tells_no_failure(joined, observer):
    peer, viewer = joined
    await play(peer, Clip(), 1)

    await asyncio.gather(peer.close(), peer.close())
    await peer.close()

    await until(lambda: viewer.connection.connectionState == "closed")
    assert observer.failures == []
    peer.video.offer(Clip().frame(0, keyframe=True))
    assert peer.statistics().frames == 1


async def test_no_task_remains_once_a_connected_peer_is_closed(joined, observer):
    peer, viewer = joined
    await viewer.close()
    await until(lambda: bool(observer.failures))

    await peer.close()

    await until(lambda: asyncio.all_tasks() == {asyncio.current_task()})


async def test_peer_that_was_never_answered_leaves_nothing_at_all():
    before = open_things()
    peer = make_peer(Observer())
    await peer.offer()

    await peer.close()

    assert open_things() == before


async def test_closing_while_candidates_are_gathered_leaves_nothing():
    before = open_things()
    peer = make_peer(Observer())
    offering = asyncio.ensure_future(peer.offer())
    await asyncio.sleep(0)

    await peer.close()

    with pytest.raises(Closed):
        await offering
    assert open_things() == before


async def test_closing_while_an_answer_is_applied_leaves_no_timer(viewer):
    peer = make_peer(Observer())
    answering = asyncio.ensure_future(peer.answer(await viewer.answer(await peer.offer())))
    await asyncio.sleep(0)

    await peer.close()

    await answering
    assert peer._connect_timer is None


async def test_close_that_fails_is_logged_and_leaves_nothing(caplog, monkeypatch):
    before = open_things()
    peer = make_peer(Observer())
    await peer.offer()

    async def fail() -> None:
        raise ConnectionError("the relay has gone")

    monkeypatch.setattr(peer._connection, "close", fail)

    await peer.close()

    assert "the relay has gone" in caplog.text
    await until(lambda: open_things() == before)


async def join_and_leave(*, is_viewer_first: bool) -> "weakref.ref[RtcPeer]":
    observer, viewer = Observer(), Viewer()
    peer = make_peer(observer)
    await join(peer, viewer)
    await play(peer, Clip(), 1)
    for end in (viewer, peer) if is_viewer_first else (peer, viewer):
        await end.close()
    return weakref.ref(peer)


@pytest.mark.parametrize("count", [20, pytest.param(100, marks=pytest.mark.slow)])
async def test_joins_and_leaves_leave_nothing_behind(count):
    # The first one loads what stays loaded.
    await join_and_leave(is_viewer_first=False)
    await until(lambda: asyncio.all_tasks() == {asyncio.current_task()})
    before = open_things()

    peers = [await join_and_leave(is_viewer_first=number % 2 == 0) for number in range(count)]

    await until(lambda: open_things() == before)
    assert [ref() for ref in peers] == [None] * count


async def test_closed_peer_is_freed_without_the_garbage_collector():
    gc.collect()
    gc.disable()
    try:
        peer = await join_and_leave(is_viewer_first=False)
        await until(lambda: peer() is None)
    finally:
        gc.enable()
