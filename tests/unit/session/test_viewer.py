"""What one viewer says and hears, and what it gets while it is hidden."""

import asyncio
import logging

import pytest

from streamer.media.trace import Stage
from streamer.protocol import control
from streamer.protocol.control import Keyframe, Pause, Ping, Pong, Report, Seat, Statistics, Stream
from streamer.protocol.input import Pointer, serialize
from streamer.protocol.signaling import ByeCode
from streamer.session.door import Leave
from streamer.session.viewer import HIDDEN_US
from streamer.transport.base import CONTROL, KEYS, MOTION, PeerStatistics
from tests.fakes.session import config, frames, open_session
from tests.fakes.waiting import until

# Hidden.


async def test_hidden_viewer_gets_nothing_and_then_a_keyframe(rig):
    ann, bob = await rig.connect("ann"), await rig.connect("bob")
    rig.push()
    await frames(ann, 1)
    await frames(bob, 1)

    ann.say(Pause(is_paused=True))
    rig.clock.step(HIDDEN_US)
    rig.push()
    await frames(bob, 2)
    while_hidden = len(ann.video.frames)
    ann.say(Pause(is_paused=False))
    rig.push()
    await frames(ann, 2)

    assert while_hidden == 1
    assert ann.video.frames[1].is_keyframe


async def test_pause_said_twice_is_one(rig):
    peer = await rig.connect("ann")

    for is_paused in (False, True, True, False, False):
        peer.say(Pause(is_paused=is_paused))
        rig.clock.step(HIDDEN_US)

    assert rig.rendition_of("ann") is not None


async def test_nothing_is_captured_while_every_viewer_is_hidden(rig):
    peer = await rig.connect("ann")
    rig.push()
    await frames(peer, 1)

    peer.say(Pause(is_paused=True))
    rig.clock.step(HIDDEN_US)

    assert rig.renditions == {}


async def test_page_that_is_hidden_for_a_moment_keeps_its_rendition(rig):
    peer = await rig.connect("ann")
    before = rig.renditions

    for _ in range(30):
        peer.say(Pause(is_paused=True))
        rig.clock.step(HIDDEN_US - 1)
        peer.say(Pause(is_paused=False))
    rig.clock.step(HIDDEN_US)

    assert rig.renditions == before


async def test_hidden_page_that_says_so_again_and_again_is_hidden(rig):
    peer = await rig.connect("ann")

    for _ in range(4):
        peer.say(Pause(is_paused=True))
        rig.clock.step(HIDDEN_US // 3)

    assert rig.renditions == {}


async def test_hidden_viewer_that_is_lost_is_not_hidden_later(rig):
    peer = await rig.connect("ann")
    peer.say(Pause(is_paused=True))
    rig.door.submit(Leave("ann", ByeCode.LEFT, "its connection was lost", may_return=True))

    await rig.connect("ann")
    rig.clock.step(HIDDEN_US)

    assert rig.rendition_of("ann") is not None


# What it says and hears.


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
    rig.push()
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
