"""What a viewer sees of the source, from its first picture on."""

import numpy as np
import pytest

from streamer.media.frame import Resolution
from streamer.protocol.control import Statistics, Stream
from streamer.protocol.signaling import ByeCode
from streamer.session.door import Ended, Leave
from tests.fakes.session import frames, open_session
from tests.fakes.waiting import until


async def test_viewer_gets_pictures_from_a_keyframe_on(rig):
    peer = await rig.connect("ann")
    rig.push()
    await frames(peer, 1)
    rig.push()

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
    rig.push(*size)
    await until(lambda: rig.source.resolution == Resolution(*size))

    await rig.join("bob")

    assert rig.peers.largest == Resolution(*largest)


async def test_two_viewers_share_one_rendition(rig):
    ann, bob = await rig.connect("ann"), await rig.connect("bob")
    rig.push()

    (one,), (two,) = await frames(ann, 1), await frames(bob, 1)

    assert one.payloads is two.payloads


@pytest.mark.parametrize("method", ["offer", "wish"])
async def test_viewer_whose_video_fails_is_told_so_and_the_other_goes_on(rig, monkeypatch, caplog, method):
    def fail(*_):
        raise ZeroDivisionError("of a library")

    ann, bob = await rig.connect("ann"), await rig.connect("bob")
    monkeypatch.setattr(ann.video, method, fail)

    rig.push()
    rig.push()

    (bye,) = await rig.byes("ann")
    assert (bye.code, bye.retry) == (ByeCode.PEER_FAILED, True)
    assert bye.reason == "its video could not be sent; the log has the details"
    await until(lambda: ann.is_closed)
    await frames(bob, 1)
    assert len([record for record in caplog.records if record.exc_info]) == 1


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
    rig.push()
    await frames(ann, 1)
    rig.clock.step(150_000)

    bob = await rig.connect("bob")

    assert (await frames(bob, 1))[0].is_keyframe


async def test_lost_picture_is_answered_on_a_still_screen(rig):
    peer = await rig.connect("ann")
    rig.push()
    await frames(peer, 1)
    rig.clock.step(150_000)

    peer.request_keyframe()
    peer.observer.keyframe_wanted()

    assert (await frames(peer, 2))[1].is_keyframe


async def test_feed_that_fails_ends_the_session(rig, monkeypatch):
    source = rig.source
    monkeypatch.setattr(source, "grab", lambda _: source.push(np.zeros((1, 1), np.uint8)))

    await rig.connect("ann")
    await until(lambda: rig.of_kind(Ended))

    assert rig.of_kind(Ended)[0].is_failure
    assert (await rig.byes("ann"))[0].code is ByeCode.SESSION_ENDED


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
