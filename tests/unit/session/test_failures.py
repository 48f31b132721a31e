import pytest

from streamer.config import Config
from streamer.errors import UnfitError
from streamer.media.frame import Resolution
from streamer.session import pace
from streamer.session.assembly import Assembly
from streamer.session.failures import FORGIVEN_AFTER_US, Failures
from streamer.session.hub import RenditionKey
from tests.fakes.failing_encoder import NAME, FailingEncoder
from tests.fakes.pushed_source import SIZE
from tests.fakes.rendition import FRAME_US, RenditionRig
from tests.fakes.waiting import block_until

KEY = RenditionKey("vp8", SIZE)


def assemble(**video):
    config = {
        "session": {"size": str(SIZE)},
        "video": {"codecs": ["vp8"], "encoders": ["failing", "software"], **video},
    }
    return Assembly(Config.model_validate(config), SIZE)


@pytest.fixture
def failing(monkeypatch):
    return FailingEncoder.install(monkeypatch)


@pytest.fixture
def rig(failing):
    rig = RenditionRig(assemble(), KEY)
    failing.opened = failing.closed = 0
    yield rig
    rig.close()


def test_third_failure_in_a_row_is_one_too_many():
    failures = Failures()

    assert [failures.may_retry(now_us) for now_us in (1, 2, 3)] == [True, True, False]


def test_failures_of_long_ago_are_forgiven():
    failures = Failures()

    at_us = [number * (FORGIVEN_AFTER_US + 1) for number in range(1, 6)]

    assert all(failures.may_retry(now_us) for now_us in at_us)


def test_failure_becomes_a_keyframe_of_another_encoder_with_the_same_picture(rig, failing):
    rig.play(5)
    failures = iter((True, False))
    failing.fails = lambda number: number == 5 and next(failures)

    rig.play(3)

    assert [frame.number for frame in rig.frames] == list(range(8))
    assert [frame.number for frame in rig.frames if frame.is_keyframe] == [0, 5]
    # The same frame time: nothing was waited for.
    assert rig.frames[5].capture_us - rig.frames[4].capture_us == FRAME_US
    assert (failing.opened, failing.closed) == (2, 1)
    assert rig.owner.changes == rig.owner.failures == []


def test_second_failure_in_a_row_is_met_the_same_way(rig, failing):
    failures = iter((True, True, False))
    failing.fails = lambda number: number == 5 and next(failures)

    rig.play(8)

    assert [frame.number for frame in rig.frames if frame.is_keyframe] == [0, 5]
    assert failing.opened == 3
    assert rig.owner.changes == []


def test_third_failure_in_a_row_makes_way_for_software_and_is_told(rig, failing):
    failing.fails = lambda number: number >= 5

    rig.play(8)
    rig.hear(lambda: rig.owner.changes)

    assert [frame.number for frame in rig.frames] == list(range(8))
    assert [frame.number for frame in rig.frames if frame.is_keyframe] == [0, 5]
    assert rig.owner.changes == ["vp8"]
    assert rig.owner.failures == []
    choice = rig.assembly.choices["vp8"]
    assert choice.encoder == "software"
    assert choice.reason == "failing failed 3 times in a row: the GPU was lost"
    assert failing.opened == failing.closed == 3


def test_failures_between_which_a_few_pictures_are_encoded_are_in_a_row(rig, failing):
    bad = {5, 20, 40}
    failing.fails = lambda number: number in bad and (bad.discard(number) or True)

    rig.play(45)

    assert [frame.number for frame in rig.frames if frame.is_keyframe] == [0, 5, 20, 40]
    assert rig.assembly.choices["vp8"].encoder == "software"


def test_pictures_that_do_not_fit_cost_no_hardware(rig, failing):
    failing.fails, failing.failure = (lambda number: number >= 2), UnfitError(NAME, "a surface on GPU 1")
    rig.play(2)

    rig.push()
    rig.hear(lambda: rig.owner.failures)

    assert rig.owner.failures == [(KEY, "failing: a surface on GPU 1")]
    assert rig.assembly.choices["vp8"].encoder == "failing"
    assert failing.opened == failing.closed == 1


def test_size_that_the_hardware_does_not_take_is_made_in_software_at_once(rig, failing):
    failing.largest = Resolution(160, 90)

    rig.play(1)
    rig.hear(lambda: rig.owner.changes)

    choice = rig.assembly.choices["vp8"]
    assert (choice.encoder, choice.reason) == (
        "software",
        "failing does not take pictures of 320x180; the largest are 160x90",
    )
    assert failing.refusals == 1
    assert rig.owner.failures == []


def test_hardware_that_was_asked_for_by_name_makes_way_too(failing):
    rig = RenditionRig(assemble(encoder="failing"), KEY)
    failing.fails = lambda number: number >= 2
    try:
        rig.play(4)
    finally:
        rig.close()

    assert rig.assembly.choices["vp8"].encoder == "software"


def test_extra_rendition_that_lacks_an_encoder_leaves_the_others_their_hardware(rig, failing):
    rig.play(2)
    failing.most = 1
    extra = RenditionRig(rig.assembly, KEY, is_extra=True)
    try:
        extra.push()
        extra.hear(lambda: extra.owner.failures)
        rig.play(2)
    finally:
        extra.close()

    assert extra.owner.failures == [(KEY, "failing: all 1 are in use")]
    assert rig.assembly.choices["vp8"].encoder == "failing"
    assert [frame.number for frame in rig.frames if frame.is_keyframe] == [0]


def test_only_rendition_that_lacks_an_encoder_is_made_in_software(rig, failing):
    failing.most = 0

    rig.play(2)

    assert rig.assembly.choices["vp8"].encoder == "software"
    assert rig.owner.failures == []


def test_rendition_that_nobody_takes_any_more_opens_no_other_encoder(rig, failing):
    rig.play(1)
    failing.hangs = failing.fails = lambda _: True
    rig.push()
    block_until(lambda: rig.rendition.picture_at_work)

    rig.rendition.close()
    failing.goes_on.set()
    rig.rendition.join()

    assert (failing.opened, failing.closed) == (1, 1)
    assert rig.assembly.choices["vp8"].encoder == "failing"


def test_renditions_that_hang_while_they_open_hang_in_the_hardware_that_they_open(rig, failing):
    failing.opens = failing.goes_on.wait
    other = RenditionRig(rig.assembly, KEY)
    try:
        for one in (rig, other):
            one.push()
            block_until(lambda one=one: one.rendition.picture_at_work)

        assert [one.rendition.give_up_hardware("hangs") for one in (rig, other)] == [True, True]
    finally:
        failing.goes_on.set()
        other.close()


def test_failure_ends_the_rendition_where_nothing_else_encodes(failing):
    rig = RenditionRig(assemble(encoders=["failing"]), KEY)
    failing.fails = lambda number: number >= 2
    try:
        rig.play(2)
        rig.push()
        rig.hear(lambda: rig.owner.failures)
    finally:
        rig.close()

    assert rig.owner.failures == [(KEY, "failing: the GPU was lost")]


@pytest.mark.usefixtures("failing")
def test_renditions_of_one_session_fall_back_together():
    assembly = assemble()
    first = assembly.choices["vp8"]

    fallen = assembly.fall_back(first, "the GPU was lost")

    assert fallen is not None
    assert assembly.fall_back(first, "the GPU was lost") is fallen


@pytest.mark.parametrize(("keeps_up", "encoder"), [(True, "software"), (False, "failing")])
def test_hardware_that_pays_for_rates_is_for_what_software_cannot_hold(monkeypatch, keeps_up, encoder):
    FailingEncoder.install(monkeypatch, needs_keyframe=True)
    monkeypatch.setattr("streamer.session.assembly.keeps_up", lambda *_: keeps_up)

    choice = assemble().choices["vp8"]

    assert choice.encoder == encoder
    said = "failing: each change of its rate costs a keyframe, and software holds 320x180 at 60 fps without"
    assert (said in choice.reason) == keeps_up


def test_hardware_that_pays_for_rates_is_used_when_it_is_asked_for(monkeypatch):
    FailingEncoder.install(monkeypatch, needs_keyframe=True)

    assert assemble(encoder="failing").choices["vp8"].encoder == "failing"


class Slow:
    """A backend that takes its time, by the clock that `pace` reads."""

    def __init__(self, encode_us: int) -> None:
        self.now_us, self.encode_us, self.frames = 0, encode_us, 0

    def create(self, _settings):
        return self

    def encode(self, frame, _order):
        assert frame.surface.resolution == Resolution(64, 48)
        self.now_us += self.encode_us
        self.frames += 1

    def close(self):
        self.frames = -self.frames


@pytest.mark.parametrize(("encode_us", "expected"), [(9_900, True), (10_100, False)])
def test_pace_leaves_time_for_the_rest_of_a_frames_way(monkeypatch, encode_us, expected):
    slow = Slow(encode_us)

    class StoppedClock:
        def now_us(self) -> int:
            return slow.now_us

    monkeypatch.setattr(pace, "SystemClock", StoppedClock)

    assert pace.keeps_up(slow, "h264", Resolution(64, 48), 60.0, 1_000_000, None) == expected
    assert slow.frames < 0
