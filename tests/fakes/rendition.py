"""A rendition of pushed pictures that a test plays step by step, and the owner that it tells."""

import queue
from collections.abc import Callable

from streamer.clock import SystemClock
from streamer.media.frame import EncodedFrame, Resolution
from streamer.session.assembly import Assembly
from streamer.session.feed import Feed
from streamer.session.hub import RenditionKey
from streamer.session.rendition import EncodedRendition
from tests.fakes.pushed_source import SIZE, PushedSource
from tests.fakes.stepped_clock import SteppedClock
from tests.fakes.subscriber import FakeSubscriber
from tests.fakes.waiting import WAIT_S, block_until

FRAME_US = 16_667


class Owner:
    def __init__(self) -> None:
        self.failures: list[tuple[RenditionKey, str]] = []
        self.resizes = 0
        self.changes: list[str] = []

    def rendition_failed(self, key: RenditionKey, reason: str) -> None:
        self.failures.append((key, reason))

    def encoder_changed(self, codec: str) -> None:
        self.changes.append(codec)

    def source_resized(self) -> None:
        self.resizes += 1


class RenditionRig:
    """A rendition whose event loop is the test: `hear` runs what has been posted."""

    def __init__(self, assembly: Assembly, key: RenditionKey, *, is_extra: bool = False) -> None:
        self.assembly = assembly
        self.clock = SteppedClock()
        self.source = PushedSource()
        self.owner = Owner()
        self.subscriber = FakeSubscriber()
        self.posts: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.feed = Feed(self.source, SystemClock(), lambda _: None)
        self.reader = self.feed.reader()
        self.rendition = EncodedRendition(
            key, self.reader, assembly, self.owner, self.clock, self.posts.put, is_extra=is_extra
        )
        self.rendition.add(self.subscriber, self.subscriber.fail)
        self.rendition.wake()
        self.number = 0

    @property
    def frames(self) -> list[EncodedFrame]:
        return self.subscriber.frames

    def push(self, *, age_us: int = 1_000, resolution: Resolution = SIZE) -> None:
        """Let a frame time pass and push the next picture."""
        self.clock.step(FRAME_US)
        self.source.push(self.number, self.clock.now_us() - age_us, resolution)
        self.number += 1

    def hear(self, claim: Callable[[], object]) -> None:
        while not claim():
            self.posts.get(timeout=WAIT_S)()

    def play(self, count: int) -> None:
        for _ in range(count):
            before = len(self.frames)
            self.push()
            self.hear(lambda before=before: len(self.frames) > before)

    def see(self, number: int) -> None:
        """Wait until the rendition has taken or skipped this picture, and nothing newer is there."""
        block_until(lambda: self.feed.newest and self.feed.newest.frame.number == number and not self.reader.has_new)

    def wake(self, after_us: int) -> None:
        self.clock.step(after_us)
        self.rendition.wake()

    def close(self) -> None:
        self.rendition.close()
        self.rendition.join()
        self.feed.close()
