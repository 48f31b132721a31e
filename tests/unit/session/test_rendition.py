from dataclasses import replace

import pytest

from streamer import registry
from streamer.config import Config
from streamer.congestion.recovery import MIN_KEYFRAME_INTERVAL_US
from streamer.errors import EncoderError
from streamer.media.frame import Resolution
from streamer.media.timeline import RtpTimeline
from streamer.media.trace import Stage
from streamer.session.assembly import Assembly
from streamer.session.hub import RenditionKey
from streamer.session.rendition import MAX_PAYLOAD_BYTES, EncodedRendition
from tests.fakes.pushed_source import SIZE
from tests.fakes.rendition import FRAME_US, RenditionRig
from tests.fakes.subscriber import FakeSubscriber
from tests.fakes.waiting import WAIT_S, block_until

SECOND_US = 1_000_000
LARGE = Resolution(640, 360)


@pytest.fixture(scope="module")
def assembly() -> Assembly:
    video = {"start_target_bps": 1_000_000, "codecs": registry.names("codecs")}
    config = Config.model_validate({"session": {"size": str(SIZE)}, "video": video})
    return Assembly(config, SIZE)


@pytest.fixture(params=registry.names("codecs"))
def key(request) -> RenditionKey:
    return RenditionKey(request.param, SIZE)


@pytest.fixture
def rig(assembly, key):
    rig = RenditionRig(assembly, key)
    yield rig
    rig.close()


@pytest.fixture
def vp8_rig(assembly):
    rig = RenditionRig(assembly, RenditionKey("vp8", SIZE))
    yield rig
    rig.close()


def test_rendition_makes_one_frame_of_each_picture_in_order(rig, key):
    rig.play(5)

    captures = [frame.capture_us for frame in rig.frames]
    assert [frame.number for frame in rig.frames] == [0, 1, 2, 3, 4]
    assert captures == sorted(set(captures))
    assert [frame.is_keyframe for frame in rig.frames] == [True, False, False, False, False]
    assert {frame.codec for frame in rig.frames} == {key.codec}
    assert {frame.resolution for frame in rig.frames} == {SIZE}


def test_rendition_plans_payloads_and_stamps_each_stage(rig):
    rig.play(2)

    for frame in rig.frames:
        assert frame.payloads
        assert max(map(len, frame.payloads)) <= MAX_PAYLOAD_BYTES
        stages = [frame.trace.at_us(stage) for stage in (Stage.CAPTURE, Stage.CONVERT, Stage.ENCODE, Stage.PACKETIZE)]
        assert None not in stages
        assert stages[0] == frame.capture_us


def test_keyframe_is_made_of_the_next_picture_when_one_is_wished_for(rig, key):
    rig.play(2)
    rig.clock.step(MIN_KEYFRAME_INTERVAL_US)
    rig.subscriber.want(keyframe=True)

    rig.play(2)

    test = registry.load("codecs", key.codec).is_keyframe
    assert [frame.is_keyframe for frame in rig.frames] == [True, False, True, False]
    assert test(rig.frames[2].data)


def test_still_picture_answers_a_wish_for_a_keyframe_when_it_is_woken(rig):
    rig.play(1)
    rig.clock.step(60 * SECOND_US)
    rig.subscriber.want(keyframe=True)
    asked_at_us = rig.clock.now_us()

    rig.rendition.wake()
    rig.hear(lambda: len(rig.frames) > 1)

    assert rig.frames[1].is_keyframe
    assert rig.frames[1].capture_us >= asked_at_us


def test_viewers_that_come_one_after_another_share_a_keyframe(rig):
    rig.play(1)
    for _ in range(3):
        rig.subscriber.want(keyframe=True)
        rig.play(1)

    assert [frame.is_keyframe for frame in rig.frames] == [True, False, False, False]


def test_still_picture_becomes_a_keyframe_as_soon_as_one_is_due_again(vp8_rig):
    rig = vp8_rig
    rig.play(1)
    rig.subscriber.want(keyframe=True)

    rig.wake(after_us=MIN_KEYFRAME_INTERVAL_US - 1)
    rig.wake(after_us=1)
    rig.hear(lambda: len(rig.frames) == 2)

    assert rig.frames[1].is_keyframe
    assert rig.frames[1].capture_us == rig.frames[0].capture_us + 1_000 + MIN_KEYFRAME_INTERVAL_US


def test_still_picture_is_refined_once_and_then_shows_a_sign_of_life(vp8_rig):
    rig = vp8_rig
    rig.play(1)

    rig.wake(after_us=200_000)
    rig.hear(lambda: len(rig.frames) == 2)
    rig.wake(after_us=SECOND_US - 1)
    rig.wake(after_us=1)
    rig.hear(lambda: len(rig.frames) == 3)

    assert [frame.is_keyframe for frame in rig.frames] == [True, False, False]
    assert rig.frames[1].capture_us == rig.frames[0].capture_us + 1_000 + 200_000
    assert rig.frames[2].capture_us == rig.frames[1].capture_us + SECOND_US


def test_viewer_who_comes_to_a_still_picture_gets_it(vp8_rig):
    rig = vp8_rig
    rig.play(1)
    rig.clock.step(SECOND_US)
    late = FakeSubscriber()
    late.want(keyframe=True)

    rig.rendition.add(late, late.fail)
    rig.rendition.wake()
    rig.hear(lambda: late.frames)

    assert late.frames[0].is_keyframe


def test_subscriber_that_cannot_wish_leaves_the_rendition_to_the_others(vp8_rig, monkeypatch):
    def fail():
        raise ZeroDivisionError("of a library")

    broken = FakeSubscriber()
    monkeypatch.setattr(broken, "wish", fail)
    vp8_rig.rendition.add(broken, broken.fail)

    vp8_rig.play(2)

    assert vp8_rig.rendition.is_alive
    assert broken.failures == 1
    assert vp8_rig.owner.failures == []


def test_backlog_lets_pictures_go_before_they_are_encoded(vp8_rig):
    rig = vp8_rig
    rig.play(1)
    rig.subscriber.want(backlog_us=SECOND_US)
    for number in (1, 2):
        rig.push()
        rig.see(number)

    rig.subscriber.want(backlog_us=0)
    rig.rendition.wake()
    rig.hear(lambda: len(rig.frames) == 2)

    # The source has stopped at a picture that was let go, so that one is shown after all.
    assert [frame.number for frame in rig.frames] == [0, 2]


def test_event_loop_that_is_behind_lets_pictures_go_before_they_are_encoded(vp8_rig):
    rig = vp8_rig
    for number in range(4):
        rig.push()
        rig.see(number)

    assert rig.posts.qsize() == 3


def test_picture_older_than_one_that_was_shown_gets_a_later_rtp_timestamp(vp8_rig):
    rig = vp8_rig
    rig.play(1)
    rig.wake(after_us=200_000)
    rig.hear(lambda: len(rig.frames) == 2)

    # Taken before the kept picture was shown again, but captured slowly.
    rig.push(age_us=FRAME_US + 1_000)
    rig.hear(lambda: len(rig.frames) == 3)

    first, second = (RtpTimeline(0).timestamp(frame.capture_us) for frame in rig.frames[1:])
    assert second > first


def test_picture_that_comes_just_after_the_decision_is_not_kept_waiting(assembly):
    class LateReader:
        """Looks like a reader; the second picture comes right after the rendition saw that there was none."""

        def __init__(self, reader, rig):
            self._reader = reader
            self._rig = rig

        def __getattr__(self, name):
            return getattr(self._reader, name)

        def wait(self, timeout_us, *, for_new):  # noqa: ARG002 - only a picture ends a wait in time
            self._reader.wait(None, for_new=for_new)

        @property
        def has_new(self):
            has_new = self._reader.has_new
            if not has_new and self._rig.number == 1 and self._rig.frames:
                self._rig.push()
                block_until(lambda: self._reader.has_new)
            return has_new

    rig = RenditionRig(assembly, RenditionKey("vp8", SIZE))
    rig.rendition.close()
    rig.rendition.join()
    rig.rendition = EncodedRendition(
        RenditionKey("vp8", SIZE),
        LateReader(rig.feed.reader(), rig),
        assembly,
        rig.owner,
        rig.clock,
        rig.posts.put,
    )
    rig.rendition.add(rig.subscriber, rig.subscriber.fail)
    rig.push()
    rig.rendition.wake()
    rig.hear(lambda: rig.frames)
    rig.rendition.wake()

    rig.hear(lambda: len(rig.frames) >= 2)

    assert rig.frames[1].number == 1
    rig.close()


def test_owner_is_told_once_when_the_source_changes_its_size(vp8_rig):
    rig = vp8_rig
    rig.play(1)

    for _ in range(2):
        before = len(rig.frames)
        rig.push(resolution=LARGE)
        rig.hear(lambda before=before: len(rig.frames) > before)

    assert rig.owner.resizes == 1
    # The form of this rendition is its key's; another size is another rendition.
    assert [frame.resolution for frame in rig.frames] == [SIZE, SIZE, SIZE]
    assert [frame.is_keyframe for frame in rig.frames] == [True, True, False]


def test_owner_is_told_when_the_first_picture_has_another_size_than_expected(vp8_rig):
    vp8_rig.push(resolution=LARGE)

    vp8_rig.hear(lambda: vp8_rig.owner.resizes)

    assert vp8_rig.owner.resizes == 1


class Broken:
    """An encoder that closes with an error."""

    def __init__(self, encoder) -> None:
        self._encoder = encoder

    def close(self) -> None:
        self._encoder.close()
        raise ZeroDivisionError("of a library")


class Refusing:
    """An assembly whose encoders do not open."""

    def __init__(self, assembly: Assembly, failure: Exception) -> None:
        self.choices = assembly.choices
        self._failure = failure

    def assemble(self, *_):
        raise self._failure


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (EncoderError("software", "no more memory"), "software: no more memory"),
        (ZeroDivisionError("of a library"), "the encoder failed; the log has the details"),
    ],
)
def test_owner_is_told_when_the_encoder_fails_and_the_surface_is_given_back(assembly, failure, reason):
    key = RenditionKey("vp8", SIZE)
    rig = RenditionRig(Refusing(assembly, failure), key)
    rig.push()

    rig.hear(lambda: rig.owner.failures)
    rig.rendition.join()
    rig.close()

    assert rig.owner.failures == [(key, reason)]
    assert rig.source.released == [0]
    assert rig.posts.empty()


def test_failure_of_a_rendition_that_was_closed_meanwhile_is_not_told(assembly):
    rig = RenditionRig(Refusing(assembly, EncoderError("software", "no more memory")), RenditionKey("vp8", SIZE))
    rig.push()
    tell = rig.posts.get(timeout=WAIT_S)

    rig.close()
    tell()

    assert rig.owner.failures == []


def test_closed_rendition_ends_its_thread_and_stops_reading(vp8_rig):
    rig = vp8_rig
    rig.play(1)

    rig.rendition.remove(rig.subscriber)
    was_empty = rig.rendition.is_empty
    rig.rendition.close()
    rig.rendition.join()
    rig.feed.close()

    assert was_empty
    assert not rig.rendition.is_alive
    assert rig.source.released == [0]


def test_rendition_whose_encoder_does_not_close_stops_reading(vp8_rig, caplog):
    rig = vp8_rig
    rig.play(1)
    machinery = rig.rendition._machinery
    rig.rendition._machinery = replace(machinery, encoder=Broken(machinery.encoder))

    rig.rendition.close()
    rig.rendition.join()
    rig.feed.close()

    assert "of a library" in caplog.text
    assert rig.source.released == [0]


def test_rendition_that_never_saw_a_picture_closes(assembly):
    rig = RenditionRig(assembly, RenditionKey("vp8", SIZE))

    rig.close()

    assert not rig.rendition.is_alive
