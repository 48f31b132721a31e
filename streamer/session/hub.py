"""Which viewers are in, and which rendition each one takes.

A rendition opens with its first taker and closes with its last. A viewer moves to another one without a gap: it stays
on the old rendition until the new one has a keyframe for it. Event loop only.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from streamer.media.frame import EncodedFrame, Resolution, Subscriber, Wish

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RenditionKey:
    """What tells one encoded form of a feed from another."""

    codec: str
    resolution: Resolution

    def __str__(self) -> str:
        return f"{self.codec} {self.resolution}"


class Rendition(Protocol):
    """Encoded frames for any number of subscribers."""

    @property
    def is_empty(self) -> bool: ...

    def add(self, subscriber: Subscriber) -> None: ...

    def remove(self, subscriber: Subscriber) -> None: ...

    def wake(self) -> None:
        """Look at the wishes now rather than with the next frame."""

    def close(self) -> None: ...


class _Tap:
    """One viewer's place at one rendition. While it is filling it lets nothing through but a first keyframe."""

    def __init__(self, video: Subscriber, key: RenditionKey, on_filled: Callable[["_Tap"], None] | None) -> None:
        self.key = key
        self._video = video
        self._on_filled = on_filled

    def offer(self, frame: EncodedFrame) -> None:
        if self._on_filled is not None:
            if not frame.is_keyframe:
                return
            on_filled, self._on_filled = self._on_filled, None
            on_filled(self)
        self._video.offer(frame)

    def wish(self) -> Wish:
        wish = self._video.wish()
        return wish if self._on_filled is None else replace(wish, keyframe=True)


class _Place:
    """What one viewer takes, and what it is moving to."""

    def __init__(self, tap: _Tap) -> None:
        self.tap = tap
        self.next_tap: _Tap | None = None


class Hub:
    """The takers of one feed's renditions."""

    def __init__(self, open_rendition: Callable[[RenditionKey], Rendition]) -> None:
        self._open_rendition = open_rendition
        self._renditions: dict[RenditionKey, Rendition] = {}
        self._places: dict[str, _Place] = {}

    @property
    def renditions(self) -> dict[RenditionKey, Rendition]:
        return dict(self._renditions)

    def rendition_of(self, viewer: str) -> RenditionKey | None:
        """Return what a viewer takes now, or None if it takes nothing."""
        place = self._places.get(viewer)
        return None if place is None else place.tap.key

    def join(self, viewer: str, video: Subscriber, key: RenditionKey) -> None:
        """Let a viewer take a rendition from its next keyframe on, opened if nobody takes it yet."""
        self.leave(viewer)
        tap = _Tap(video, key, None)
        self._places[viewer] = _Place(tap)
        self._connect(tap)

    def move(self, viewer: str, video: Subscriber, key: RenditionKey) -> None:
        """Let a viewer take another rendition; its RTP stream goes on, with no frame missing in between."""
        place = self._places[viewer]
        self._abandon_move(place)
        if place.tap.key == key:
            return
        place.next_tap = _Tap(video, key, lambda tap: self._arrive(viewer, tap))
        self._connect(place.next_tap)

    def leave(self, viewer: str) -> None:
        """Let a viewer take nothing any more. Harmless when it took nothing."""
        place = self._places.pop(viewer, None)
        if place is not None:
            self._abandon_move(place)
            self._disconnect(place.tap)

    def reopen(self, key: RenditionKey) -> None:
        """Replace a rendition that has failed by a new one; its takers stay where they are."""
        before = self._renditions.pop(key, None)
        if before is None:
            return
        before.close()
        taps = [tap for place in self._places.values() for tap in (place.tap, place.next_tap) if tap is not None]
        for tap in taps:
            if tap.key == key:
                self._connect(tap)

    def wake(self, viewer: str) -> None:
        """Make the renditions of a viewer look at its wish now."""
        place = self._places.get(viewer)
        if place is not None:
            for tap in filter(None, (place.tap, place.next_tap)):
                self._renditions[tap.key].wake()

    def close(self) -> None:
        for viewer in list(self._places):
            self.leave(viewer)

    def _arrive(self, viewer: str, tap: _Tap) -> None:
        place = self._places[viewer]
        before, place.tap, place.next_tap = place.tap, tap, None
        logger.info("viewer %s takes %s instead of %s", viewer, tap.key, before.key)
        self._disconnect(before)

    def _abandon_move(self, place: _Place) -> None:
        tap, place.next_tap = place.next_tap, None
        if tap is not None:
            self._disconnect(tap)

    def _connect(self, tap: _Tap) -> None:
        rendition = self._renditions.get(tap.key)
        if rendition is None:
            rendition = self._renditions[tap.key] = self._open_rendition(tap.key)
        rendition.add(tap)
        rendition.wake()

    def _disconnect(self, tap: _Tap) -> None:
        rendition = self._renditions[tap.key]
        rendition.remove(tap)
        if rendition.is_empty:
            del self._renditions[tap.key]
            rendition.close()
