import pytest

from streamer.media.frame import Resolution
from streamer.media.timeline import RtpTimeline
from streamer.session.hub import Hub, RenditionKey
from tests.fakes.pushed_source import SIZE
from tests.fakes.subscriber import FakeRendition, FakeSubscriber

LARGE = Resolution(640, 360)
HERE, THERE = RenditionKey("vp8", SIZE), RenditionKey("vp8", LARGE)


class Rig:
    def __init__(self) -> None:
        self.opened: list[tuple[RenditionKey, FakeRendition]] = []
        self.moved: list[str] = []
        self.failed: list[str] = []
        self.hub = Hub(self._open, self.moved.append, self.failed.append)
        self.videos = {name: FakeSubscriber() for name in ("one", "two")}

    def _open(self, key: RenditionKey) -> FakeRendition:
        self.opened.append((key, FakeRendition()))
        return self.opened[-1][1]

    def join(self, name: str, key: RenditionKey = HERE) -> FakeRendition:
        self.hub.join(name, self.videos[name], key)
        return self.hub.renditions[key]

    def captures(self, name: str) -> list[int]:
        return [frame.capture_us for frame in self.videos[name].frames]


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_viewers_at_one_resolution_share_a_rendition(rig):
    rendition = rig.join("one")
    rig.join("two")

    rendition.make(1_000, keyframe=True)

    assert [key for key, _ in rig.opened] == [HERE]
    assert rig.captures("one") == rig.captures("two") == [1_000]


def test_viewer_gets_its_first_frame_with_a_keyframe(rig):
    rendition = rig.join("one")
    rendition.make(1_000, keyframe=True)
    rig.join("two")
    wanted = rendition.wants_keyframe

    rendition.make(2_000)
    rendition.make(3_000, keyframe=True)
    rendition.make(4_000)

    assert wanted
    assert not rendition.wants_keyframe
    assert rig.captures("one") == [1_000, 2_000, 3_000, 4_000]
    assert rig.captures("two") == [3_000, 4_000]


def test_viewer_that_comes_back_gets_no_frame_before_a_keyframe(rig):
    rendition = rig.join("one")
    rig.join("two")
    rendition.make(1_000, keyframe=True)
    rig.hub.leave("two")
    rig.join("two")

    rendition.make(2_000)

    assert rendition.wants_keyframe
    assert rig.captures("two") == [1_000]


def test_viewer_that_cannot_take_a_frame_costs_nobody_else_one(rig, monkeypatch):
    def fail(_):
        raise ZeroDivisionError("of a library")

    rendition = rig.join("one")
    rig.join("two")
    monkeypatch.setattr(rig.videos["one"], "offer", fail)

    rendition.make(1_000, keyframe=True)

    assert rig.captures("two") == [1_000]
    assert rig.failed == ["one"]


def test_rendition_looks_at_once_when_a_viewer_joins(rig):
    rendition = rig.join("one")

    assert rendition.wakes == 1


def test_rendition_closes_with_its_last_viewer(rig):
    rendition = rig.join("one")
    rig.join("two")

    rig.hub.leave("one")
    was_closed = rendition.is_closed
    rig.hub.leave("two")
    rig.hub.leave("two")

    assert not was_closed
    assert rendition.is_closed
    assert rig.hub.renditions == {}


def test_viewer_moves_with_no_frame_missing_and_a_keyframe_first(rig):
    here = rig.join("one")
    here.make(1_000, keyframe=True)
    rig.hub.move("one", THERE)
    there = rig.hub.renditions[THERE]

    here.make(2_000)
    there.make(2_000)
    here.make(3_000)
    asked_before = there.wants_keyframe
    there.make(4_000, keyframe=True, resolution=LARGE)
    there.make(5_000, resolution=LARGE)

    frames = rig.videos["one"].frames
    assert asked_before
    assert not here.wants_keyframe
    assert rig.captures("one") == [1_000, 2_000, 3_000, 4_000, 5_000]
    assert [frame.resolution for frame in frames] == [SIZE] * 3 + [LARGE] * 2
    assert frames[3].is_keyframe
    assert here.is_closed
    assert rig.moved == ["one"]
    assert rig.hub.rendition_of("one") == THERE


def test_viewer_that_moves_leaves_the_others_where_they_are(rig):
    here = rig.join("one")
    rig.join("two")
    here.make(1_000, keyframe=True)

    rig.hub.move("one", THERE)
    rig.hub.renditions[THERE].make(2_000, keyframe=True)
    here.make(3_000)

    assert not here.is_closed
    assert rig.captures("one") == [1_000, 2_000]
    assert rig.captures("two") == [1_000, 3_000]


def test_frame_of_a_slower_rendition_gets_a_later_rtp_timestamp(rig):
    here = rig.join("one")
    here.make(100_000, keyframe=True)
    rig.hub.move("one", THERE)
    there = rig.hub.renditions[THERE]
    here.make(200_000)
    here.make(216_667)

    # Both made a frame of the same picture, and the new one took longer for it.
    there.make(200_000, keyframe=True)
    there.make(216_667)
    there.make(233_333)

    timestamps = [RtpTimeline(0).timestamp(capture_us) for capture_us in rig.captures("one")]
    assert timestamps == sorted(set(timestamps))
    assert rig.captures("one")[-1] == 233_333


def test_second_move_to_the_same_place_changes_nothing(rig):
    rig.join("one").make(1_000, keyframe=True)
    rig.hub.move("one", THERE)

    rig.hub.move("one", THERE)

    assert [key for key, _ in rig.opened] == [HERE, THERE]
    assert not rig.hub.renditions[THERE].is_closed


def test_move_back_gives_up_the_move(rig):
    here = rig.join("one")
    here.make(1_000, keyframe=True)
    rig.hub.move("one", THERE)
    there = rig.hub.renditions[THERE]

    rig.hub.move("one", HERE)
    here.make(2_000)

    assert there.is_closed
    assert rig.captures("one") == [1_000, 2_000]


def test_move_to_a_third_place_gives_up_the_second(rig):
    third = RenditionKey("vp8", Resolution(160, 90))
    rig.join("one").make(1_000, keyframe=True)
    rig.hub.move("one", THERE)
    there = rig.hub.renditions[THERE]

    rig.hub.move("one", third)
    rig.hub.renditions[third].make(2_000, keyframe=True)

    assert there.is_closed
    assert set(rig.hub.renditions) == {third}


def test_renditions_of_pictures_that_are_no_more_close_before_others_open(rig, monkeypatch):
    old = rig.join("one")
    rig.join("two")
    old.make(1_000, keyframe=True)
    closed: list[bool] = []
    monkeypatch.setattr(rig.hub, "_open_rendition", lambda key: closed.append(old.is_closed) or rig._open(key))

    rig.hub.settle({"one": THERE, "two": THERE})
    moved_before_the_first_frame = list(rig.moved)
    rig.hub.renditions[THERE].make(2_000, keyframe=True)

    assert closed == [True]
    assert moved_before_the_first_frame == []
    assert sorted(rig.moved) == ["one", "two"]
    assert rig.captures("one") == rig.captures("two") == [1_000, 2_000]


def test_viewer_that_belongs_where_it_was_stays_and_its_rendition_looks_again(rig):
    old = rig.join("one")
    rig.join("two")
    woken = old.wakes

    rig.hub.settle({"one": HERE, "two": THERE})

    assert not old.is_closed
    assert old.wakes > woken
    assert rig.hub.renditions.keys() == {HERE, THERE}


def test_viewer_that_leaves_while_it_moves_leaves_both_renditions(rig):
    here = rig.join("one")
    rig.hub.move("one", THERE)
    there = rig.hub.renditions[THERE]

    rig.hub.leave("one")
    there.make(1_000, keyframe=True)

    assert here.is_closed
    assert there.is_closed
    assert rig.captures("one") == []


def test_viewer_may_arrive_before_it_had_its_first_frame(rig):
    rig.join("one")
    rig.hub.move("one", THERE)

    rig.hub.renditions[THERE].make(1_000, keyframe=True)

    assert set(rig.hub.renditions) == {THERE}
    assert rig.captures("one") == [1_000]


def test_rendition_that_failed_is_replaced_and_its_viewers_stay(rig):
    before = rig.join("one")
    rig.join("two")
    before.make(1_000, keyframe=True)

    rig.hub.reopen(HERE)
    after = rig.hub.renditions[HERE]
    after.make(2_000)
    asked = after.wants_keyframe
    after.make(3_000, keyframe=True)

    assert before.is_closed
    assert asked
    assert len(rig.opened) == 2
    assert rig.captures("one") == rig.captures("two") == [1_000, 3_000]


def test_rendition_that_fails_while_a_viewer_moves_to_it_is_replaced(rig):
    here = rig.join("one")
    here.make(1_000, keyframe=True)
    rig.hub.move("one", THERE)

    rig.hub.reopen(THERE)
    rig.hub.renditions[THERE].make(2_000, keyframe=True)

    assert rig.captures("one") == [1_000, 2_000]
    assert here.is_closed


def test_viewer_that_failed_at_a_replaced_rendition_is_not_sent_away(rig, monkeypatch):
    before = rig.join("one")
    before.make(1_000, keyframe=True)
    rig.hub.reopen(HERE)
    monkeypatch.delattr(FakeSubscriber, "offer")

    before.make(2_000, keyframe=True)

    assert rig.failed == []


def test_rendition_works_once_it_has_given_a_keyframe(rig):
    rendition = rig.join("one")
    rig.join("two", THERE)
    before = rig.hub.working

    rendition.make(1_000, keyframe=True)
    after = rig.hub.working
    rig.hub.reopen(HERE)

    assert (before, after, rig.hub.working) == (set(), {HERE}, set())


def test_viewer_that_moves_away_from_a_failed_rendition_waits_for_nothing_of_it(rig):
    here = rig.join("one")
    rig.hub.move("one", THERE)

    rig.hub.forsake(HERE)
    after = rig.hub.rendition_of("one")
    rig.hub.renditions[THERE].make(1_000, keyframe=True)

    assert here.is_closed
    assert after == THERE
    assert rig.captures("one") == [1_000]


def test_failure_of_a_rendition_that_nobody_takes_is_ignored(rig):
    rig.hub.reopen(HERE)

    assert rig.opened == []


def test_wake_reaches_both_renditions_of_a_viewer_that_moves(rig):
    here = rig.join("one")
    rig.hub.move("one", THERE)
    there = rig.hub.renditions[THERE]
    before = here.wakes, there.wakes

    rig.hub.wake("one")
    rig.hub.wake("nobody")

    assert (here.wakes, there.wakes) == (before[0] + 1, before[1] + 1)


def test_closed_hub_has_closed_every_rendition(rig):
    rig.join("one")
    rig.join("two", THERE)

    rig.hub.close()

    assert all(rendition.is_closed for _, rendition in rig.opened)
    assert rig.hub.rendition_of("one") is None
