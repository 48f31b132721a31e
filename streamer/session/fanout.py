"""From a thread that makes frames to the subscribers on the event loop: in order, and never more than a few waiting."""

from collections.abc import Sequence

from streamer.media.frame import EncodedFrame, Post, Subscriber, Wish

# More encoded frames than this waiting for the event loop are a backlog.
_MAX_UNDELIVERED_FRAMES = 2


class Fanout:
    """The subscribers of one rendition. `add` and `remove` on the event loop, the rest from the thread."""

    def __init__(self, post: Post) -> None:
        self._post = post
        # Replaced as a whole, so that the thread reads it without a lock.
        self._subscribers: tuple[Subscriber, ...] = ()
        self._published_frames = 0
        self._delivered_frames = 0

    @property
    def is_empty(self) -> bool:
        return not self._subscribers

    @property
    def is_behind(self) -> bool:
        """Whether the event loop has not kept up: the next raw frame should wait."""
        return self._published_frames - self._delivered_frames > _MAX_UNDELIVERED_FRAMES

    def add(self, subscriber: Subscriber) -> None:
        self._subscribers = (*self._subscribers, subscriber)

    def remove(self, subscriber: Subscriber) -> None:
        self._subscribers = tuple(other for other in self._subscribers if other is not subscriber)

    def wishes(self) -> Sequence[Wish]:
        return [subscriber.wish() for subscriber in self._subscribers]

    def publish(self, frame: EncodedFrame) -> None:
        """Offer `frame` to every subscriber, on the event loop."""
        self._published_frames += 1
        self._post(lambda: self._deliver(frame))

    def _deliver(self, frame: EncodedFrame) -> None:
        self._delivered_frames += 1
        for subscriber in self._subscribers:
            subscriber.offer(frame)
