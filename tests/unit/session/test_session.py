import asyncio
import logging
import threading

import numpy as np
import pytest

from streamer.errors import ConfigError, EncoderError, LocalProtocolError, StreamerError, TransportError
from streamer.media.frame import Resolution
from streamer.media.trace import Stage
from streamer.protocol import control
from streamer.protocol.control import Keyframe, Pause, Ping, Pong, Report, Seat, Statistics, Stream
from streamer.protocol.input import Pointer, serialize
from streamer.protocol.signaling import ByeCode, Offer
from streamer.session import devices, studio
from streamer.session.door import Ended, Join, Leave, Stop
from streamer.session.lifecycle import SessionState
from streamer.session.session import Session
from streamer.session.viewer import HIDDEN_US
from streamer.transport.base import CONTROL, KEYS, MOTION, PeerStatistics
from tests.fakes.peer import FakePeers
from tests.fakes.session import config, open_session
from tests.fakes.stepped_clock import SteppedClock
from tests.fakes.waiting import until


@pytest.fixture
async def rig():
    async with open_session() as rig:
        yield rig


def push(rig, width_px: int = 320, height_px: int = 180) -> None:
    """Let time pass and push a picture as the program behind the session does."""
    rig.clock.step(20_000)
    rig.session._studio._devices.source.push(np.zeros((height_px, width_px, 3), np.uint8))


async def frames(peer, count: int):
    await until(lambda: len(peer.video.frames) >= count)
    return peer.video.frames


# Pictures.


async def test_viewer_gets_pictures_from_a_keyframe_on(rig):
    peer = await rig.connect("ann")
    push(rig)
    await frames(peer, 1)
    push(rig)

    first, second = await frames(peer, 2)

    assert first.is_keyframe
    assert not second.is_keyframe
    assert peer.codec == first.codec == "vp8"


@pytest.mark.parametrize(
    ("size", "largest"),
    [((320, 180), (320, 180)), ((160, 240), (320, 240)), ((640, 360), (640, 360))],
)
async def test_viewer_is_offered_pictures_as_large_as_the_source_may_make_them(rig, size, largest):
    await rig.connect("ann")
    push(rig, *size)
    await until(lambda: rig.session._studio.resolution == Resolution(*size))

    await rig.join("bob")

    assert rig.peers.largest == Resolution(*largest)


async def test_two_viewers_share_one_rendition(rig):
    ann, bob = await rig.connect("ann"), await rig.connect("bob")
    push(rig)

    (one,), (two,) = await frames(ann, 1), await frames(bob, 1)

    assert one.payloads is two.payloads


async def test_viewer_whose_video_fails_is_told_so_and_the_other_goes_on(rig, monkeypatch):
    def fail(_):
        raise ZeroDivisionError("of a library")

    ann, bob = await rig.connect("ann"), await rig.connect("bob")
    monkeypatch.setattr(ann.video, "offer", fail)

    push(rig)
    push(rig)

    (bye,) = await rig.byes("ann")
    assert (bye.code, bye.retry) == (ByeCode.PEER_FAILED, True)
    assert bye.reason == "its video could not be sent; the log has the details"
    await until(lambda: ann.is_closed)
    await frames(bob, 1)


async def test_viewer_whose_report_fails_is_told_so_and_the_other_hears_on(rig, monkeypatch):
    ann, bob = await rig.connect("ann"), await rig.connect("bob")
    monkeypatch.delattr(ann, "totals")

    rig.clock.step(1_000_000)
    (bye,) = await rig.byes("ann")
    rig.clock.step(1_000_000)

    await until(lambda: bob.heard(Statistics))
    assert (bye.code, bye.retry) == (ByeCode.PEER_FAILED, True)
    assert bye.reason == "its stream has no report; the log has the details"


async def test_viewer_that_comes_to_a_still_screen_gets_its_picture(rig):
    ann = await rig.connect("ann")
    push(rig)
    await frames(ann, 1)
    rig.clock.step(150_000)

    bob = await rig.connect("bob")

    assert (await frames(bob, 1))[0].is_keyframe


async def test_lost_picture_is_answered_on_a_still_screen(rig):
    peer = await rig.connect("ann")
    push(rig)
    await frames(peer, 1)
    rig.clock.step(150_000)

    peer.request_keyframe()
    peer.observer.keyframe_wanted()

    assert (await frames(peer, 2))[1].is_keyframe


async def test_hidden_viewer_gets_nothing_and_then_a_keyframe(rig):
    ann, bob = await rig.connect("ann"), await rig.connect("bob")
    push(rig)
    await frames(ann, 1)
    await frames(bob, 1)

    ann.say(Pause(is_paused=True))
    rig.clock.step(HIDDEN_US)
    push(rig)
    await frames(bob, 2)
    while_hidden = len(ann.video.frames)
    ann.say(Pause(is_paused=False))
    push(rig)
    await frames(ann, 2)

    assert while_hidden == 1
    assert ann.video.frames[1].is_keyframe


async def test_pause_said_twice_is_one(rig):
    peer = await rig.connect("ann")

    for is_paused in (False, True, True, False, False):
        peer.say(Pause(is_paused=is_paused))
        rig.clock.step(HIDDEN_US)

    assert rig.session._hub.rendition_of("ann") is not None


async def test_nothing_is_captured_while_every_viewer_is_hidden(rig):
    peer = await rig.connect("ann")
    push(rig)
    await frames(peer, 1)

    peer.say(Pause(is_paused=True))
    rig.clock.step(HIDDEN_US)

    assert rig.session._hub.renditions == {}


async def test_page_that_is_hidden_for_a_moment_keeps_its_rendition(rig):
    peer = await rig.connect("ann")
    before = rig.session._hub.renditions

    for _ in range(30):
        peer.say(Pause(is_paused=True))
        rig.clock.step(HIDDEN_US - 1)
        peer.say(Pause(is_paused=False))
    rig.clock.step(HIDDEN_US)

    assert rig.session._hub.renditions == before


async def test_hidden_page_that_says_so_again_and_again_is_hidden(rig):
    peer = await rig.connect("ann")

    for _ in range(4):
        peer.say(Pause(is_paused=True))
        rig.clock.step(HIDDEN_US // 3)

    assert rig.session._hub.renditions == {}


async def test_hidden_viewer_that_is_lost_is_not_hidden_later(rig):
    peer = await rig.connect("ann")
    peer.say(Pause(is_paused=True))
    rig.door.submit(Leave("ann", ByeCode.LEFT, "its connection was lost", may_return=True))

    await rig.connect("ann")
    rig.clock.step(HIDDEN_US)

    assert rig.session._hub.rendition_of("ann") is not None


async def test_viewers_follow_a_source_that_changes_its_size(rig):
    ann, bob = await rig.connect("ann"), await rig.connect("bob")
    push(rig)
    await frames(ann, 1)
    push(rig, 640, 360)
    await until(lambda: ann.video.frames[-1].resolution == Resolution(640, 360))
    await until(lambda: bob.video.frames[-1].resolution == Resolution(640, 360))

    sizes = [frame.resolution for frame in ann.video.frames]
    captures = [frame.capture_us for frame in ann.video.frames]
    assert ann.video.frames[sizes.index(Resolution(640, 360))].is_keyframe
    assert captures == sorted(set(captures))
    assert len(rig.session._hub.renditions) == 1
    assert [(told.width_px, told.height_px) for told in ann.heard(Stream)][-1] == (640, 360)


async def test_viewer_is_told_of_a_new_size_when_it_gets_it(rig):
    peer = await rig.connect("ann")
    before = len(peer.heard(Stream))

    rig.session.source_resized(Resolution(640, 360))

    assert len(peer.heard(Stream)) == before
    assert peer.heard(Stream)[-1].width_px == 320


async def test_failed_rendition_is_opened_again_and_viewers_stay(rig):
    peer = await rig.connect("ann")
    push(rig)
    await frames(peer, 1)
    (key,) = rig.session._hub.renditions

    rig.session.rendition_failed(key, "the encoder failed")
    push(rig)

    assert (await frames(peer, 2))[1].is_keyframe
    assert rig.of_kind(Ended) == []


async def test_third_failure_in_a_short_time_ends_the_session(rig):
    await rig.connect("ann")
    (key,) = rig.session._hub.renditions
    for _ in range(3):
        rig.session.rendition_failed(key, "no more memory")
    await until(lambda: rig.of_kind(Ended))

    (ended,) = rig.of_kind(Ended)
    assert ended.is_failure
    assert "3 times, last because no more memory" in ended.reason


async def test_failures_far_apart_do_not_end_the_session(rig):
    await rig.connect("ann")
    (key,) = rig.session._hub.renditions
    for _ in range(5):
        rig.session.rendition_failed(key, "a hiccup")
        rig.clock.step(6_000_000)

    assert rig.session.state is SessionState.LIVE


async def test_feed_that_fails_ends_the_session(rig, monkeypatch):
    source = rig.session._studio._devices.source
    monkeypatch.setattr(source, "grab", lambda _: source.push(np.zeros((1, 1), np.uint8)))

    await rig.connect("ann")
    await until(lambda: rig.of_kind(Ended))

    assert rig.of_kind(Ended)[0].is_failure
    assert (await rig.byes("ann"))[0].code is ByeCode.SESSION_ENDED


# What viewers hear.


async def test_ping_is_answered_with_the_clock_of_captures(rig):
    peer = await rig.connect("ann")

    peer.say(Ping(7))

    assert peer.heard(Pong) == [Pong(7, rig.clock.now_us())]


async def test_viewer_may_ask_for_a_keyframe(rig):
    peer = await rig.connect("ann")

    peer.say(Keyframe("the picture has stalled"))

    assert peer.keyframes_requested == 1


async def test_input_before_the_channel_of_keys_is_open_is_counted(rig):
    peer = await rig.join("ann")
    await rig.answer("ann")
    await until(lambda: peer.codec)

    for _ in range(10_000):
        peer.observer.received(MOTION, serialize(Pointer(1, 2, 3)))

    assert (await rig.byes("ann"))[0].code is ByeCode.RATE_LIMITED


async def test_what_a_stalled_path_has_held_back_may_come_at_once(rig):
    peer = await rig.connect("ann")

    # Half a minute of what a page says by itself.
    for number in range(30):
        peer.say(Ping(number))
        peer.say(Report(number, 0, 0))

    assert len(peer.heard(Pong)) == 30


async def test_page_may_speak_as_often_as_it_does_for_ever(rig):
    peer = await rig.connect("ann")

    for number in range(1_000):
        rig.clock.step(100_000)
        peer.say(Ping(number))

    assert len(peer.heard(Pong)) == 1_000


@pytest.mark.parametrize("label", [CONTROL, KEYS, MOTION])
async def test_viewer_that_loses_a_channel_makes_room_in_the_seat(rig, label):
    ann, bob = await rig.connect("ann"), await rig.connect("bob")

    ann.observer.channel_closed(label)
    (bye,) = await rig.byes("ann")
    await until(lambda: ann.is_closed)
    rig.clock.step(config().session.resume_timeout_ms * 1_000)

    assert (bye.code, bye.retry) == (ByeCode.PEER_FAILED, True)
    assert bye.reason == f"the channel '{label}' was closed"
    assert bob.heard(Seat)[-1] == Seat(is_holder=True, viewers=1)


async def test_nobody_is_in_control_where_input_is_off():
    async with open_session(input={"is_enabled": False}) as rig:
        peer = await rig.connect("ann")

        assert peer.heard(Seat)[-1] == Seat(is_holder=False, viewers=1)


async def test_first_viewer_never_hears_that_it_only_watches(rig):
    peer = await rig.connect("ann")

    assert [seat.is_holder for seat in peer.heard(Seat)] == [True]


async def test_words_of_a_viewer_take_a_few_short_lines_of_the_log(rig, caplog):
    peer = await rig.connect("ann")
    with caplog.at_level(logging.INFO, "streamer.session.viewer"):
        for _ in range(50):
            peer.say(Keyframe(reason="line\nline \x1b[31m" + "x" * 900))

    lines = [record.getMessage() for record in caplog.records]
    assert peer.keyframes_requested == 50
    assert len(lines) == 5
    assert "line\\nline \\x1b[31mxxx" in lines[0]
    assert lines[0].isprintable()
    assert len(lines[0]) < 200


async def test_everybody_is_told_how_many_are_there(rig):
    ann = await rig.connect("ann")
    await rig.connect("bob")
    together = ann.heard(Seat)[-1].viewers
    rig.door.submit(Leave("bob", ByeCode.LEFT, "its connection was lost", may_return=True))

    assert (together, ann.heard(Seat)[-1].viewers) == (2, 1)


async def test_statistics_are_those_of_the_last_second(rig):
    peer = await rig.connect("ann")
    await asyncio.sleep(0)
    peer.totals = PeerStatistics(bytes_sent=125_000, frames=60)
    rig.clock.step(1_000_000)
    await until(lambda: peer.heard(Statistics))

    statistics = peer.heard(Statistics)[0]
    assert (statistics.frames, statistics.target_bps) == (60, 1_000_000)
    assert abs(statistics.sent_bps - 1_000_000) < 100_000


async def test_statistics_say_when_frames_left_for_that_viewer(rig):
    peers = [await rig.connect("ann"), await rig.connect("bob")]
    push(rig)
    for peer, send_us in zip(peers, (300, 40_000), strict=True):
        (frame,) = await frames(peer, 1)
        frame.trace.stamp(Stage.SEND, frame.trace.at_us(Stage.PACKETIZE) + send_us)
    rig.clock.step(1_000_000)
    await until(lambda: all(peer.heard(Statistics) for peer in peers))

    assert [peer.heard(Statistics)[0].stages_us["send"] for peer in peers] == [300, 40_000]


async def test_statistics_after_a_pause_do_not_count_the_pause(rig):
    peer = await rig.connect("ann")
    await asyncio.sleep(0)
    peer.totals = PeerStatistics(bytes_sent=125_000)
    peer.say(Pause(is_paused=True))
    for _ in range(60):
        rig.clock.step(1_000_000)
        await asyncio.sleep(0)
    heard_while_hidden = peer.heard(Statistics)
    peer.say(Pause(is_paused=False))
    peer.totals = PeerStatistics(bytes_sent=250_000)
    rig.clock.step(1_000_000)
    await until(lambda: peer.heard(Statistics))

    assert heard_while_hidden == []
    assert abs(peer.heard(Statistics)[0].sent_bps - 1_000_000) < 100_000


async def test_reason_of_an_encoder_is_cut_to_what_may_be_said(rig, monkeypatch):
    monkeypatch.setattr(rig.session._studio, "encoder_of", lambda _: ("software", "because " * 1_000))

    peer = await rig.connect("ann")

    assert len(peer.heard(Stream)[-1].encoder_reason) == control.MAX_REASON_BYTES


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
        push(rig)
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
        lambda session: (session._hub, "close"),
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


async def test_session_can_be_cancelled_while_its_encoders_prove_themselves(monkeypatch):
    is_proving, may_end = threading.Event(), threading.Event()

    def prove(*_):
        is_proving.set()
        assert may_end.wait(20)
        raise EncoderError("software", "nobody waits for this any more")

    monkeypatch.setattr(studio, "Assembly", prove)
    session = Session(config(), FakePeers(), SteppedClock())
    opening = asyncio.create_task(session.open())
    try:
        await until(is_proving.is_set)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
    finally:
        may_end.set()

    assert session.state is SessionState.ENDED


# A source that encodes.


@pytest.fixture
async def prepared_rig():
    units = [(b"\x10" + bytes(9), True), (b"\x11" + bytes(9), False)]
    async with open_session(
        session={"source": "prepared"}, sources={"prepared": {"codec": "vp8", "units": units}}
    ) as rig:
        yield rig


async def test_ready_made_frames_reach_viewers_from_a_keyframe_on(prepared_rig):
    peer = await prepared_rig.connect("ann")
    prepared_rig.clock.step(20_000)
    first, *_ = await frames(peer, 1)

    stream = peer.heard(Stream)[-1]
    assert first.is_keyframe
    assert first.payloads
    assert (stream.encoder, stream.encoder_reason) == ("prepared", "the source brings encoded frames")


async def test_viewer_that_comes_right_after_the_last_one_left_gets_ready_made_frames(prepared_rig):
    await prepared_rig.connect("ann")

    prepared_rig.door.submit(Leave("ann", ByeCode.LEFT, "the page was loaded again"))
    peer = await prepared_rig.connect("ann")
    prepared_rig.clock.step(20_000)

    assert (await frames(peer, 1))[0].is_keyframe
