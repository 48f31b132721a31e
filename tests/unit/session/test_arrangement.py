"""Viewers whose paths differ, in one session: who takes which rendition, and what that costs the others."""

import logging
from dataclasses import replace

import pytest

from streamer.media.frame import Resolution
from streamer.protocol.control import Pause, Report, Stream
from streamer.session.door import Ended
from streamer.session.failures import FORGIVEN_AFTER_US
from streamer.session.hub import RenditionKey
from streamer.session.lifecycle import SessionState
from streamer.session.placement import FALL_PATIENCE_US, RETRY_US, RISE_PATIENCE_US
from streamer.session.viewer import HIDDEN_US
from tests.fakes.scarce_encoder import ScarceEncoder
from tests.fakes.session import frames, open_session
from tests.fakes.waiting import until

_FULL, _HALF = Resolution(320, 180), Resolution(160, 90)
_LOOK_US = 250_000


async def play(rig, for_us: int) -> None:
    """Let time pass, with a new picture each time that the session looks at its viewers."""
    for _ in range(for_us // _LOOK_US + 1):
        rig.push(after_us=_LOOK_US)
        viewers = [peer for peer in rig.peers.made if not peer.is_closed]
        counts = [len(peer.video.frames) for peer in viewers]
        await until(lambda: all(len(p.video.frames) > n for p, n in zip(viewers, counts, strict=True)))  # noqa: B023


def wish(peer, **changes) -> None:
    peer.video.current = replace(peer.video.current, **changes)


def classes(rig) -> list[int]:
    return sorted(key.rate_class for key in rig.renditions)


def sizes(peer) -> list[Resolution]:
    return [frame.resolution for frame in peer.video.frames]


def is_gapless(peer) -> bool:
    """Whether every picture was shown once, in order."""
    captures = [frame.capture_us for frame in peer.video.frames]
    return captures == sorted(set(captures))


async def test_viewer_far_below_the_other_gets_a_rendition_of_its_own(rig):
    ann, bob = await rig.connect("ann"), await rig.connect("bob")
    wish(bob, target_bps=400_000)
    await play(rig, FALL_PATIENCE_US // 2)
    together = classes(rig)
    await play(rig, FALL_PATIENCE_US)

    assert together == [0]
    assert classes(rig) == [0, 1]
    assert sum(frame.is_keyframe for frame in ann.video.frames) == 1
    assert is_gapless(ann)
    assert is_gapless(bob)


async def test_viewer_whose_path_has_recovered_shares_again(rig):
    _, bob = await rig.connect("ann"), await rig.connect("bob")
    wish(bob, target_bps=400_000)
    await play(rig, 2 * FALL_PATIENCE_US)
    wish(bob, target_bps=1_000_000)

    await play(rig, RISE_PATIENCE_US + FALL_PATIENCE_US)

    assert classes(rig) == [0]
    assert is_gapless(bob)


async def test_third_path_shares_the_lower_rendition_of_two(rig):
    for name, target_bps in (("ann", 8_000_000), ("bob", 3_000_000), ("cid", 500_000)):
        wish(await rig.connect(name), target_bps=target_bps)

    await play(rig, 3 * FALL_PATIENCE_US)

    assert len(classes(rig)) == 2


async def test_viewer_that_wants_smaller_pictures_gets_them_without_a_gap(rig):
    peer = await rig.connect("ann")
    await play(rig, _LOOK_US)
    peer.shrink(2)

    await play(rig, 2 * _LOOK_US)
    await until(lambda: sizes(peer)[-1] == _HALF)

    assert list(dict.fromkeys(sizes(peer))) == [_FULL, _HALF]
    assert peer.video.frames[sizes(peer).index(_HALF)].is_keyframe
    assert is_gapless(peer)
    assert [(told.width_px, told.height_px) for told in peer.heard(Stream)][-1] == (160, 90)
    assert len(rig.renditions) == 1


async def test_rate_control_is_told_how_large_the_pictures_are_and_how_they_decode(rig):
    peer = await rig.connect("ann")

    peer.say(Report(60, 3, 0, jitter_buffer_ms=30.5, decode_ms=14.0))

    assert peer.described == _FULL
    assert peer.decoding == (14.0, 30.5, 3)


async def test_viewer_that_leaves_takes_its_rendition_with_it(rig):
    await rig.connect("ann")
    bob = await rig.connect("bob")
    wish(bob, target_bps=400_000)
    await play(rig, 2 * FALL_PATIENCE_US)

    rig.session.takes_nothing(rig.session._viewers["bob"])

    assert classes(rig) == [0]


# What changes for everybody.


async def test_viewers_follow_a_source_that_changes_its_size(rig):
    ann, bob = await rig.connect("ann"), await rig.connect("bob")
    rig.push()
    await frames(ann, 1)
    rig.push(640, 360)
    await until(lambda: ann.video.frames[-1].resolution == Resolution(640, 360))
    await until(lambda: bob.video.frames[-1].resolution == Resolution(640, 360))

    assert ann.video.frames[sizes(ann).index(Resolution(640, 360))].is_keyframe
    assert is_gapless(ann)
    assert len(rig.renditions) == 1
    assert [(told.width_px, told.height_px) for told in ann.heard(Stream)][-1] == (640, 360)


async def test_viewer_is_told_of_a_new_size_when_it_gets_it(rig):
    peer = await rig.connect("ann")
    before = len(peer.heard(Stream))

    rig.push(640, 360)
    rig.session.source_resized()

    assert len(peer.heard(Stream)) == before
    await until(lambda: peer.heard(Stream)[-1].width_px == 640)
    assert peer.video.frames[-1].resolution == Resolution(640, 360)


async def test_viewer_of_smaller_pictures_keeps_its_scale_when_the_source_changes_its_size(rig):
    ann, bob = await rig.connect("ann"), await rig.connect("bob")
    bob.shrink(2)
    await play(rig, 2 * _LOOK_US)

    rig.push(640, 360)
    await until(lambda: ann.video.frames[-1].resolution == Resolution(640, 360))
    await until(lambda: bob.video.frames[-1].resolution == Resolution(320, 180))

    assert Resolution(640, 360) not in sizes(bob)
    assert is_gapless(bob)


async def test_viewer_far_below_the_other_keeps_its_rendition_when_the_source_changes_its_size(rig):
    _, bob = await rig.connect("ann"), await rig.connect("bob")
    wish(bob, target_bps=400_000)
    await play(rig, 2 * FALL_PATIENCE_US)

    rig.push(640, 360)
    await until(lambda: len(rig.renditions) == 2 and all(key.resolution.width_px == 640 for key in rig.renditions))

    assert classes(rig) == [0, 1]


async def test_viewer_that_was_hidden_gets_its_scale_at_once(rig):
    await rig.connect("ann")
    bob = await rig.connect("bob")
    bob.shrink(2)
    await play(rig, 2 * _LOOK_US)
    bob.say(Pause(is_paused=True))
    rig.clock.step(HIDDEN_US)

    bob.say(Pause(is_paused=False))

    assert rig.rendition_of("bob").resolution == _HALF


async def test_source_that_changed_while_nobody_watched_is_followed(rig):
    peer = await rig.connect("ann")
    await play(rig, _LOOK_US)
    peer.say(Pause(is_paused=True))
    rig.clock.step(HIDDEN_US)
    rig.push(640, 360)

    peer.say(Pause(is_paused=False))

    assert peer.described == Resolution(640, 360)
    assert rig.rendition_of("ann").resolution == Resolution(640, 360)


# What does not open, or fails.


@pytest.fixture
async def scarce(monkeypatch):
    """A backend of one encoder."""
    return ScarceEncoder.install(monkeypatch)


@pytest.fixture
async def scarce_rig(scarce):  # noqa: ARG001 - it is known before the session opens
    async with open_session(video={"encoder": "scarce"}) as rig:
        yield rig


@pytest.fixture
async def rig_of_two_codecs():
    async with open_session(video={"codecs": ["vp8", "h264"]}) as rig:
        yield rig


async def test_extra_rendition_that_does_not_open_leaves_viewers_where_they_are(scarce_rig, scarce, caplog):
    ann, bob = await scarce_rig.connect("ann"), await scarce_rig.connect("bob")
    await play(scarce_rig, _LOOK_US)

    bob.shrink(2)
    await play(scarce_rig, 3 * RETRY_US)

    assert scarce_rig.of_kind(Ended) == []
    assert is_gapless(ann)
    assert is_gapless(bob)
    assert set(sizes(bob)) == {_FULL}
    assert 1 < scarce.refusals <= 4
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == [
        "vp8 160x90 is not to be had because scarce: all 1 are in use; others are shared, with a try each 10 s"
    ]


async def test_viewers_of_two_sizes_that_start_together_share_the_one_rendition_that_opens(scarce_rig, scarce):
    ann, bob = await scarce_rig.join("ann"), await scarce_rig.join("bob")
    bob.scale_divisor = 2
    for name in ("ann", "bob"):
        await scarce_rig.answer(name)
    await until(lambda: len(scarce_rig.renditions) == 2)
    # No picture has come yet, so that both are still opening.
    for _ in range(3):
        scarce_rig.session.rendition_failed(RenditionKey("vp8", _HALF), "there is no more room")
    shared = set(scarce_rig.renditions)

    await play(scarce_rig, 3 * RETRY_US)

    assert shared == {RenditionKey("vp8", _FULL)}
    assert scarce_rig.of_kind(Ended) == []
    assert scarce.refusals > 1
    assert is_gapless(ann)
    assert is_gapless(bob)


async def test_last_rendition_that_may_still_open_is_opened_again(rig):
    await rig.join("ann")
    bob = await rig.join("bob")
    bob.scale_divisor = 2
    for name in ("ann", "bob"):
        await rig.answer(name)
    await until(lambda: len(rig.renditions) == 2)
    rig.session.rendition_failed(RenditionKey("vp8", _HALF), "there is no more room")
    before = rig.renditions

    rig.session.rendition_failed(RenditionKey("vp8", _FULL), "there is no room at all")

    assert rig.renditions.keys() == before.keys() == {RenditionKey("vp8", _FULL)}
    assert rig.renditions != before


@pytest.mark.parametrize("size", [(640, 360), (160, 90)], ids=["larger", "smaller"])
async def test_source_that_changes_its_size_needs_no_encoder_more(scarce_rig, scarce, size):
    ann, bob = await scarce_rig.connect("ann"), await scarce_rig.connect("bob")
    await play(scarce_rig, _LOOK_US)

    scarce_rig.push(*size)
    await until(lambda: ann.video.frames[-1].resolution == bob.video.frames[-1].resolution == Resolution(*size))

    assert scarce.refusals == 0
    assert list(dict.fromkeys(sizes(ann))) == [_FULL, Resolution(*size)]
    assert is_gapless(ann)
    assert is_gapless(bob)


async def test_extra_rendition_opens_when_it_can_be_had(scarce_rig, scarce):
    await scarce_rig.connect("ann")
    bob = await scarce_rig.connect("bob")
    await play(scarce_rig, _LOOK_US)
    bob.shrink(2)
    await play(scarce_rig, _LOOK_US)
    await until(lambda: scarce.refusals)
    scarce.most = 2

    await play(scarce_rig, RETRY_US + FALL_PATIENCE_US)

    await until(lambda: sizes(bob)[-1] == _HALF)
    assert is_gapless(bob)


async def test_codec_that_does_not_open_costs_its_own_viewers_their_peer_and_no_more(scarce):  # noqa: ARG001 - as above
    async with open_session(video={"encoder": "scarce", "codecs": ["h264", "vp8"]}) as rig:
        ann = await rig.connect("ann")
        await play(rig, _LOOK_US)
        await rig.join("bob")
        await rig.answer("bob", "h264")

        (bye,) = await rig.byes("bob")
        again = await rig.connect("bob")
        await play(rig, _LOOK_US)

        assert bye.retry
        assert bye.reason == (
            "its video cannot be made any more: h264 320x180 failed 3 times, last because scarce: all 1 are in use"
        )
        assert again.codecs == ("vp8",)
        assert is_gapless(ann)
        assert is_gapless(again)
        assert rig.of_kind(Ended) == []


async def test_codec_is_given_up_for_viewers_that_are_hidden_too(rig_of_two_codecs):
    rig = rig_of_two_codecs
    ann, bob = await rig.connect("ann"), await rig.connect("bob")
    bob.say(Pause(is_paused=True))
    rig.clock.step(HIDDEN_US)

    for _ in range(3):
        rig.session.rendition_failed(RenditionKey("vp8", _FULL), "no more memory")

    assert [(await rig.byes(name))[0].retry for name in ("ann", "bob")] == [True, True]
    assert rig.of_kind(Ended) == []
    await until(lambda: ann.is_closed and bob.is_closed)
    assert rig.renditions == {}


async def test_failures_of_the_last_codec_end_the_session(rig_of_two_codecs):
    rig = rig_of_two_codecs
    for codec in ("vp8", "h264"):
        await rig.join(codec)
        await rig.answer(codec, codec)
        await until(lambda: rig.renditions)
        for _ in range(3):
            rig.session.rendition_failed(RenditionKey(codec, _FULL), "no more memory")

    await until(lambda: rig.of_kind(Ended))
    assert rig.of_kind(Ended)[0].is_failure


async def test_failures_of_two_codecs_are_not_counted_together(rig_of_two_codecs):
    rig = rig_of_two_codecs
    for codec in ("vp8", "h264"):
        await rig.join(codec)
        await rig.answer(codec, codec)
    await until(lambda: len(rig.renditions) == 2)

    for codec in ("vp8", "h264", "vp8", "h264"):
        rig.session.rendition_failed(RenditionKey(codec, _FULL), "a hiccup")

    assert len(rig.renditions) == 2
    assert rig.session.state is SessionState.LIVE


async def test_failed_rendition_is_opened_again_and_viewers_stay(rig):
    peer = await rig.connect("ann")
    rig.push()
    await frames(peer, 1)
    (key,) = rig.renditions

    rig.session.rendition_failed(key, "the encoder failed")
    rig.push()

    assert (await frames(peer, 2))[1].is_keyframe
    assert rig.of_kind(Ended) == []


async def test_third_failure_in_a_short_time_ends_the_session(rig):
    await rig.connect("ann")
    (key,) = rig.renditions
    for _ in range(3):
        rig.session.rendition_failed(key, "no more memory")
    await until(lambda: rig.of_kind(Ended))

    (ended,) = rig.of_kind(Ended)
    assert ended.is_failure
    assert "3 times, last because no more memory" in ended.reason


async def test_failures_far_apart_do_not_end_the_session(rig):
    await rig.connect("ann")
    (key,) = rig.renditions
    for _ in range(5):
        rig.session.rendition_failed(key, "a hiccup")
        rig.clock.step(FORGIVEN_AFTER_US + 1)

    assert rig.session.state is SessionState.LIVE
