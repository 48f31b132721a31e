import pytest

from streamer.media.frame import EncodedFrame
from streamer.session.fanout import Fanout
from tests.fakes.pushed_source import SIZE
from tests.fakes.subscriber import WISH, FakeSubscriber


class Rig:
    """Two subscribers, the first of which can be broken, and the event loop that they are on."""

    def __init__(self) -> None:
        self.posts: list = []
        self.fanout = Fanout(self.posts.append)
        self.one, self.other = FakeSubscriber(), FakeSubscriber()
        for subscriber in (self.one, self.other):
            self.fanout.add(subscriber, subscriber.fail)

    def publish(self) -> None:
        self.fanout.publish(EncodedFrame("vp8", b"data", True, 1_000, SIZE, payloads=(b"payload",)))

    def hear(self) -> None:
        while self.posts:
            self.posts.pop(0)()


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.fixture
def break_one(rig, monkeypatch):
    """Let a method of the first subscriber fail."""

    def fail(*_):
        raise ZeroDivisionError("of a library")

    return lambda method: monkeypatch.setattr(rig.one, method, fail)


def test_subscriber_that_cannot_wish_ends_alone(rig, break_one):
    break_one("wish")

    wishes = rig.fanout.wishes()
    rig.publish()
    rig.hear()

    assert wishes == [WISH]
    assert (rig.one.failures, rig.other.failures) == (1, 0)
    assert (len(rig.one.frames), len(rig.other.frames)) == (0, 1)


def test_subscriber_that_cannot_take_a_frame_ends_alone(rig, break_one):
    break_one("offer")

    rig.publish()
    rig.hear()

    assert (rig.one.failures, rig.other.failures) == (1, 0)
    assert len(rig.other.frames) == 1


@pytest.mark.parametrize("method", ["wish", "offer"])
def test_subscriber_that_fails_again_and_again_is_spoken_of_once(rig, break_one, caplog, method):
    break_one(method)

    for _ in range(3):
        rig.fanout.wishes()
        rig.publish()
    rig.hear()

    assert rig.one.failures == 1
    assert len(caplog.records) == 1


def test_subscriber_that_left_before_its_failure_was_heard_of_is_not_told(rig, break_one):
    break_one("wish")
    rig.fanout.wishes()

    rig.fanout.remove(rig.one)
    rig.hear()

    assert rig.one.failures == 0


def test_fanout_is_empty_once_its_only_subscriber_has_failed(rig, break_one):
    rig.fanout.remove(rig.other)
    break_one("wish")

    rig.fanout.wishes()
    rig.hear()

    assert rig.fanout.is_empty


def test_fanout_is_behind_while_more_than_two_frames_wait(rig):
    for _ in range(3):
        rig.publish()
    was_behind = rig.fanout.is_behind

    rig.posts.pop(0)()

    assert was_behind
    assert not rig.fanout.is_behind
