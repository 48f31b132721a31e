"""Whoever takes encoded frames, with a wish that the test sets; and renditions that the test drives."""

from dataclasses import replace
from typing import Any

from streamer.media.frame import EncodedFrame, Resolution, Subscriber, Wish
from tests.fakes.pushed_source import SIZE

WISH = Wish(target_bps=1_000_000, fps=60, max_resolution=SIZE)


class FakeSubscriber:
    """Keeps what it is offered. Its wish for a keyframe is fulfilled by any keyframe."""

    def __init__(self) -> None:
        self.frames: list[EncodedFrame] = []
        self._wish = WISH

    def want(self, **changes: Any) -> None:
        self._wish = replace(self._wish, **changes)

    def offer(self, frame: EncodedFrame) -> None:
        self.frames.append(frame)
        if frame.is_keyframe:
            self.want(keyframe=False)

    def wish(self) -> Wish:
        return self._wish


class FakeRendition:
    """A rendition without a thread: the test makes its frames."""

    def __init__(self) -> None:
        self.subscribers: list[Subscriber] = []
        self.wakes = 0
        self.is_closed = False

    @property
    def is_empty(self) -> bool:
        return not self.subscribers

    @property
    def wants_keyframe(self) -> bool:
        return any(subscriber.wish().keyframe for subscriber in self.subscribers)

    def add(self, subscriber: Subscriber) -> None:
        self.subscribers.append(subscriber)

    def remove(self, subscriber: Subscriber) -> None:
        self.subscribers.remove(subscriber)

    def wake(self) -> None:
        self.wakes += 1

    def close(self) -> None:
        self.is_closed = True

    def make(self, capture_us: int, *, keyframe: bool = False, resolution: Resolution = SIZE) -> None:
        frame = EncodedFrame("vp8", b"data", keyframe, capture_us, resolution, payloads=(b"payload",))
        for subscriber in list(self.subscribers):
            subscriber.offer(frame)
