"""One source, opened once: its capture thread, and the newest frame for each reader.

A feed captures only while somebody reads. It keeps the newest frame, so that whoever comes while the screen stands
still gets a picture at once, and gives a surface back to its source when nobody holds the frame any more.
"""

import logging
from collections.abc import Callable
from threading import Condition, Thread

from streamer.clock import Clock, sharpen_thread_timers
from streamer.errors import StreamerError
from streamer.media.frame import VideoFrame
from streamer.sources.base import FrameSource

logger = logging.getLogger(__name__)

# A grab blocks at most this long, so that a closing feed is noticed even by a source that misses a wake.
_GRAB_TIMEOUT_US = 250_000


class _Held:
    """A frame and how many hold it; the feed itself counts as one while the frame is the newest."""

    __slots__ = ("frame", "holders")

    def __init__(self, frame: VideoFrame) -> None:
        self.frame = frame
        self.holders = 1


class Lease:
    """The right to read a frame's surface, until `release`."""

    __slots__ = ("_feed", "_held", "frame")

    def __init__(self, feed: "Feed", held: _Held) -> None:
        self._feed = feed
        self._held: _Held | None = held
        self.frame = held.frame

    def release(self) -> None:
        """Give the frame back. Harmless when called twice."""
        held, self._held = self._held, None
        if held is not None:
            self._feed.drop(held)


class FeedReader:
    """One reader's view of a feed: at most one unseen frame, always the newest. Used by one thread, but for `wake`."""

    def __init__(self, feed: "Feed", changed: Condition) -> None:
        self._feed = feed
        self._changed = changed
        self._seen_number: int | None = None
        self._is_woken = False

    @property
    def has_new(self) -> bool:
        newest = self._feed.newest
        return newest is not None and newest.frame.number != self._seen_number

    @property
    def has_kept(self) -> bool:
        return self._feed.newest is not None

    def wait(self, timeout_us: int | None, *, for_new: bool) -> None:
        """Block until `wake`, until `timeout_us` has passed, or, with `for_new`, until there is an unseen frame."""
        timeout_s = None if timeout_us is None else max(0, timeout_us) / 1_000_000
        with self._changed:
            self._changed.wait_for(lambda: self._is_woken or (for_new and self.has_new), timeout_s)
            self._is_woken = False

    def take(self) -> Lease | None:
        """Return the newest frame, seen or not, and count it as seen; None before the first frame."""
        with self._changed:
            newest = self._feed.newest
            if newest is None:
                return None
            self._seen_number = newest.frame.number
            newest.holders += 1
            return Lease(self._feed, newest)

    def skip(self) -> None:
        """Count the newest frame as seen without reading it."""
        with self._changed:
            if self._feed.newest is not None:
                self._seen_number = self._feed.newest.frame.number

    def wake(self) -> None:
        """Make `wait` return. Callable from any thread."""
        with self._changed:
            self._is_woken = True
            self._changed.notify_all()

    def close(self) -> None:
        self._feed.forget(self)


class Feed:
    """Captures from one source for any number of readers."""

    def __init__(self, source: FrameSource, clock: Clock, on_failed: Callable[[str], None]) -> None:
        self._source = source
        self._clock = clock
        self._on_failed = on_failed
        self._changed = Condition()
        self._readers: set[FeedReader] = set()
        self._is_closing = False
        self.newest: _Held | None = None
        self._thread = Thread(target=self._capture, name="capture", daemon=True)
        self._thread.start()

    @property
    def source(self) -> FrameSource:
        return self._source

    def reader(self) -> FeedReader:
        """Return a new reader; the feed captures while there is one."""
        reader = FeedReader(self, self._changed)
        with self._changed:
            self._readers.add(reader)
            self._changed.notify_all()
        return reader

    def forget(self, reader: FeedReader) -> None:
        with self._changed:
            self._readers.discard(reader)

    def drop(self, held: _Held) -> None:
        """Take one hold off a frame; the last one gives the surface back to the source."""
        with self._changed:
            held.holders -= 1
            is_free = held.holders == 0
        if is_free:
            self._source.release(held.frame)

    def close(self) -> None:
        """Stop capturing and close the source. Blocks until the capture thread has ended."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        self._source.wake()
        self._thread.join()

    def _capture(self) -> None:
        sharpen_thread_timers()
        try:
            while self._wait_for_readers():
                frame = self._source.grab(_GRAB_TIMEOUT_US)
                if frame is not None:
                    self._publish(frame)
        except StreamerError as exc:
            self._on_failed(str(exc))
        except (Exception, SystemExit):
            # The top of a thread: whatever the source's library raises ends this feed and nothing else. A program that
            # draws may call for an exit, which ends no more than a thread: without this, the picture would stand still.
            logger.exception("capture ends because the source failed")
            self._on_failed("the source failed; the log has the details")
        finally:
            self._let_go()

    def _wait_for_readers(self) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._is_closing or bool(self._readers))
            return not self._is_closing

    def _publish(self, frame: VideoFrame) -> None:
        with self._changed:
            before, self.newest = self.newest, _Held(frame)
            self._changed.notify_all()
        if before is not None:
            self.drop(before)

    def _let_go(self) -> None:
        with self._changed:
            before, self.newest = self.newest, None
        if before is not None:
            self.drop(before)
        self._source.close()
