"""A rendition of ready-made access units: the source encodes, so there is neither cadence nor converter nor encoder."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import Event, Lock, Thread

from streamer.clock import Clock, sharpen_thread_timers
from streamer.congestion.fold import Fold
from streamer.errors import StreamerError
from streamer.media.frame import Capabilities, EncodedFrame, MemoryKind, Post, Subscriber, Wish
from streamer.media.trace import FrameTrace, Stage
from streamer.session.assembly import load_codec
from streamer.session.fanout import Fanout
from streamer.session.hub import RenditionKey
from streamer.session.rendition import MAX_PAYLOAD_BYTES, RenditionOwner
from streamer.sources.base import EncodedSource

logger = logging.getLogger(__name__)

# How long the source may block, so that a closing rendition is noticed even by a source that misses a wake.
_NEXT_TIMEOUT_US = 250_000


class PreparedRendition:
    """The one rendition of an `EncodedSource`. `add`, `remove`, `close` on the event loop; `wake` from anywhere."""

    def __init__(
        self, key: RenditionKey, source: EncodedSource, turn: Lock, owner: RenditionOwner, clock: Clock, post: Post
    ) -> None:
        """Begin once `turn` is free: a source has one reader, and the rendition before this one may still be it."""
        self.key = key
        self._source = source
        self._turn = turn
        self._owner = owner
        self._clock = clock
        self._post = post
        self._codec = load_codec(key.codec)
        self._fanout = Fanout(post)
        self._fold = Fold(_capabilities(key))
        self._is_closing = False
        self._looks = Event()
        self._thread = Thread(target=self._run, name=f"rendition {key}", daemon=True)
        self._thread.start()

    @property
    def is_empty(self) -> bool:
        return self._fanout.is_empty

    @property
    def picture_at_work(self) -> int | None:
        # How long the source takes is its own affair.
        return None

    def give_up_hardware(self, reason: str) -> bool:  # noqa: ARG002 - part of the protocol
        return False

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    @property
    def is_closing(self) -> bool:
        return self._is_closing

    @property
    def is_leaving(self) -> bool:
        return self._is_closing and self.is_alive

    def add(self, subscriber: Subscriber, on_failed: Callable[[], None]) -> None:
        self._fanout.add(subscriber, on_failed)
        self._looks.set()

    def remove(self, subscriber: Subscriber) -> None:
        self._fanout.remove(subscriber)

    def wake(self) -> None:
        self._looks.set()
        self._source.wake()

    def close(self) -> None:
        """Let the thread end. Returns at once; `join` waits."""
        self._is_closing = True
        self.wake()

    def join(self, timeout_us: int | None = None) -> None:
        """Block until the thread has ended, or so much time has passed."""
        self._thread.join(None if timeout_us is None else timeout_us / 1_000_000)

    def _run(self) -> None:
        sharpen_thread_timers()
        try:
            with self._turn:
                while not self._is_closing:
                    self._step(self._fanout.wishes())
        except StreamerError as exc:
            self._fail(str(exc))
        except Exception:
            # The top of a thread: whatever the source raises ends this rendition and nothing else.
            logger.exception("%s failed", self.key)
            self._fail("the source failed; the log has the details")

    def _step(self, wishes: Sequence[Wish]) -> None:
        if not wishes:
            self._looks.wait()
            self._looks.clear()
            return
        now_us = self._clock.now_us()
        frame = self._source.next(self._fold.order(wishes, now_us), _NEXT_TIMEOUT_US)
        # Access units depend on those before them, so none is dropped here; a loop that has fallen behind catches up.
        if frame is not None:
            if frame.is_keyframe:
                self._fold.keyframe_made(now_us)
            self._publish(frame)

    def _publish(self, frame: EncodedFrame) -> None:
        trace = FrameTrace()
        trace.stamp(Stage.CAPTURE, frame.capture_us)
        data = self._codec.conform(frame.data)
        payloads = self._codec.packetize(data, MAX_PAYLOAD_BYTES)
        trace.stamp(Stage.PACKETIZE, self._clock.now_us())
        self._fanout.publish(replace(frame, data=data, payloads=payloads, trace=trace))

    def _fail(self, reason: str) -> None:
        def tell() -> None:
            # Asked on the event loop, where `close` is called: another rendition may have taken the place of this one.
            if not self._is_closing:
                self._owner.rendition_failed(self.key, reason)

        self._post(tell)


def _capabilities(key: RenditionKey) -> Capabilities:
    return Capabilities(
        codecs=(key.codec,),
        formats=(),
        memory=(MemoryKind.HOST,),
        max_resolution=key.resolution,
        is_hardware=False,
    )
