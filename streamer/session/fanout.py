"""From a thread that makes frames to the subscribers on the event loop: in order, and never more than a few waiting."""

from collections.abc import Callable, Sequence
from functools import partial

from streamer.media.frame import EncodedFrame, Post, Subscriber, Wish
from streamer.session.tasks import attempt

# More encoded frames than this waiting for the event loop are a backlog.
_MAX_UNDELIVERED_FRAMES = 2


class _Outlet:
    """What one subscriber gets, and what is done when it fails."""

    def __init__(self, subscriber: Subscriber, on_failed: Callable[[], None]) -> None:
        self.subscriber = subscriber
        self.on_failed = on_failed
        # Set by whichever thread sees it first; nothing is asked or offered from there on.
        self.has_failed = False


class Fanout:
    """The subscribers of one rendition. `add` and `remove` on the event loop, the rest from the thread.

    A subscriber that fails, whatever it raises, ends alone: the others get their frames.
    """

    def __init__(self, post: Post) -> None:
        self._post = post
        # Replaced as a whole, so that the thread reads it without a lock.
        self._outlets: tuple[_Outlet, ...] = ()
        self._published_frames = 0
        self._delivered_frames = 0

    @property
    def is_empty(self) -> bool:
        return not self._outlets

    @property
    def is_behind(self) -> bool:
        """Whether the event loop has not kept up: the next raw frame should wait."""
        return self._published_frames - self._delivered_frames > _MAX_UNDELIVERED_FRAMES

    def add(self, subscriber: Subscriber, on_failed: Callable[[], None]) -> None:
        """Let a subscriber take frames; `on_failed` is called on the event loop, once, when it cannot any more."""
        self._outlets = (*self._outlets, _Outlet(subscriber, on_failed))

    def remove(self, subscriber: Subscriber) -> None:
        self._outlets = tuple(outlet for outlet in self._outlets if outlet.subscriber is not subscriber)

    def wishes(self) -> Sequence[Wish]:
        """Return what each subscriber wishes for that can say so."""
        wishes: list[Wish] = []
        for outlet in self._outlets:
            self._try(outlet, lambda subscriber: wishes.append(subscriber.wish()), "the wish of a subscriber")
        return wishes

    def publish(self, frame: EncodedFrame) -> None:
        """Offer `frame` to every subscriber, on the event loop."""
        self._published_frames += 1
        self._post(lambda: self._deliver(frame))

    def _deliver(self, frame: EncodedFrame) -> None:
        self._delivered_frames += 1
        for outlet in self._outlets:
            self._try(outlet, lambda subscriber: subscriber.offer(frame), "the video of a subscriber")

    def _try(self, outlet: _Outlet, work: Callable[[Subscriber], None], name: str) -> None:
        if not outlet.has_failed and not attempt(partial(work, outlet.subscriber), name):
            outlet.has_failed = True
            self._post(lambda: self._expel(outlet))

    def _expel(self, outlet: _Outlet) -> None:
        # It may have left before this was heard of.
        if outlet in self._outlets:
            self.remove(outlet.subscriber)
            outlet.on_failed()
