"""Whoever takes encoded frames, with a wish that the test sets; and renditions that the test drives."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from streamer.media.frame import EncodedFrame, Resolution, Subscriber, Wish
from streamer.session.fanout import Fanout
from tests.fakes.pushed_source import SIZE

WISH = Wish(target_bps=1_000_000, fps=60, max_resolution=SIZE)


class FakeSubscriber:
    """Keeps what it is offered. Its wish for a keyframe is fulfilled by any keyframe."""

    def __init__(self) -> None:
        self.frames: list[EncodedFrame] = []
        self.failures = 0
        self._wish = WISH

    def want(self, **changes: Any) -> None:
        self._wish = replace(self._wish, **changes)

    def fail(self) -> None:
        """Take note that it has been given up."""
        self.failures += 1

    def offer(self, frame: EncodedFrame) -> None:
        self.frames.append(frame)
        if frame.is_keyframe:
            self.want(keyframe=False)

    def wish(self) -> Wish:
        return self._wish


class FakeRendition:
    """A rendition without a thread: the test makes its frames."""

    def __init__(self) -> None:
        self._fanout = Fanout(lambda what: what())
        self.wakes = 0
        self.is_closed = False

    @property
    def is_empty(self) -> bool:
        return self._fanout.is_empty

    @property
    def wants_keyframe(self) -> bool:
        return any(wish.keyframe for wish in self._fanout.wishes())

    def add(self, subscriber: Subscriber, on_failed: Callable[[], None]) -> None:
        self._fanout.add(subscriber, on_failed)

    def remove(self, subscriber: Subscriber) -> None:
        self._fanout.remove(subscriber)

    def wake(self) -> None:
        self.wakes += 1

    def close(self) -> None:
        self.is_closed = True

    def make(self, capture_us: int, *, keyframe: bool = False, resolution: Resolution = SIZE) -> None:
        self._fanout.publish(EncodedFrame("vp8", b"data", keyframe, capture_us, resolution, payloads=(b"payload",)))
