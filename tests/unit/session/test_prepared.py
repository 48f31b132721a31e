import queue
from threading import Condition, Lock

import pytest

from streamer.clock import SystemClock
from streamer.errors import SourceError
from streamer.media.frame import EncodedFrame, EncodeOrder
from streamer.session.hub import RenditionKey
from streamer.session.prepared import PreparedRendition
from tests.fakes.pushed_source import SIZE
from tests.fakes.subscriber import FakeSubscriber
from tests.fakes.waiting import WAIT_S, block_until

KEY = RenditionKey("vp8", SIZE)
# RFC 6386, 9.1: the lowest bit of a frame is 0 for a keyframe.
KEYFRAME, DELTA = b"\x10" + bytes(9), b"\x11" + bytes(9)


class ScriptedSource:
    """An `EncodedSource` whose access units come from the test; it counts who is inside `next`."""

    codec = "vp8"
    resolution = SIZE

    def __init__(self) -> None:
        self._changed = Condition()
        self._frames: list[EncodedFrame] = []
        self._is_woken = False
        self._failure: SourceError | None = None
        self.orders: list[EncodeOrder] = []
        self.readers = self.most_readers = 0

    def push(self, number: int, *, keyframe: bool = False) -> None:
        data = KEYFRAME if keyframe else DELTA
        with self._changed:
            self._frames.append(EncodedFrame("vp8", data, keyframe, 1_000 * number, SIZE, number=number))
            self._changed.notify_all()

    def fail(self) -> None:
        with self._changed:
            self._failure = SourceError("scripted", "the test says so")
            self._changed.notify_all()

    def next(self, order: EncodeOrder, timeout_us: int) -> EncodedFrame | None:  # noqa: ARG002 - only a wake ends it
        with self._changed:
            self.orders.append(order)
            self.readers += 1
            self.most_readers = max(self.readers, self.most_readers)
            self._changed.wait_for(lambda: self._frames or self._is_woken or self._failure, WAIT_S)
            self.readers -= 1
            self._is_woken = False
            if self._failure is not None:
                raise self._failure
            return self._frames.pop(0) if self._frames else None

    def wake(self) -> None:
        with self._changed:
            self._is_woken = True
            self._changed.notify_all()

    def close(self) -> None:
        return


class Rig:
    def __init__(self) -> None:
        self.source = ScriptedSource()
        self.turn = Lock()
        self.subscriber = FakeSubscriber()
        self.failures: list[str] = []
        self.posts: queue.SimpleQueue = queue.SimpleQueue()
        self.opened: list[PreparedRendition] = []

    def rendition_failed(self, key, reason) -> None:
        assert key == KEY
        self.failures.append(reason)

    def encoder_changed(self, codec: str) -> None: ...

    def source_resized(self) -> None:
        raise AssertionError("what is ready-made has one size")

    def open(self) -> PreparedRendition:
        self.opened.append(PreparedRendition(KEY, self.source, self.turn, self, SystemClock(), self.posts.put))
        self.opened[-1].add(self.subscriber, self.subscriber.fail)
        return self.opened[-1]

    def hear(self, claim) -> None:
        while not claim():
            self.posts.get(timeout=WAIT_S)()

    def close(self) -> None:
        for rendition in self.opened:
            rendition.close()
        for rendition in self.opened:
            rendition.join()


@pytest.fixture
def rig():
    rig = Rig()
    yield rig
    rig.close()


def test_ready_made_frames_come_in_order_with_payloads(rig):
    rig.open()
    for number in range(4):
        rig.source.push(number, keyframe=number == 0)

    rig.hear(lambda: len(rig.subscriber.frames) == 4)

    assert [frame.number for frame in rig.subscriber.frames] == [0, 1, 2, 3]
    assert all(frame.payloads for frame in rig.subscriber.frames)
    assert all("packetize" in frame.trace.durations_us() for frame in rig.subscriber.frames)


def test_source_that_waits_hears_of_a_keyframe_that_is_wanted(rig):
    rendition = rig.open()
    block_until(lambda: rig.source.readers)

    rig.subscriber.want(keyframe=True)
    rendition.wake()

    block_until(lambda: rig.source.orders[-1].keyframe)


def test_source_is_not_asked_for_a_keyframe_right_after_one(rig):
    rig.open()
    rig.source.push(0, keyframe=True)
    rig.hear(lambda: rig.subscriber.frames)
    block_until(lambda: rig.source.readers)

    rig.subscriber.want(keyframe=True)
    rig.source.push(1)
    rig.hear(lambda: len(rig.subscriber.frames) == 2)

    assert not rig.source.orders[1].keyframe


def test_source_without_a_viewer_is_not_read(rig):
    rendition = PreparedRendition(KEY, rig.source, rig.turn, rig, SystemClock(), rig.posts.put)
    rig.opened.append(rendition)
    rendition.wake()

    rig.close()

    assert rig.source.orders == []


def test_source_has_one_reader_when_a_rendition_follows_another(rig):
    first = rig.open()
    block_until(lambda: rig.source.readers)

    first.close()
    rig.open()
    rig.source.push(0, keyframe=True)
    rig.hear(lambda: rig.subscriber.frames)

    assert rig.source.most_readers == 1


def test_owner_is_told_that_the_source_failed(rig):
    rendition = rig.open()

    rig.source.fail()
    rig.hear(lambda: rig.failures)
    rendition.join()

    assert rig.failures == ["scripted: the test says so"]


def test_closed_rendition_ends_although_its_source_waits(rig):
    rendition = rig.open()
    block_until(lambda: rig.source.readers)

    rendition.close()
    rendition.join()

    assert not rendition.is_alive
