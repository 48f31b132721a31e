"""Which viewers are in, and which rendition each one takes.

A rendition opens with its first taker and closes with its last. Whoever comes to a rendition gets its frames from a
keyframe on. A viewer moves to another one without a gap: it stays on the old rendition until the new one has a keyframe
for it; but for one of pictures that are no more, which closes first. Event loop only.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from streamer.media.frame import EncodedFrame, Resolution, Subscriber, Wish

logger = logging.getLogger(__name__)

# A tick of RTP's clock for video is 11.1 us (RFC 6184, 8.2.1): frames closer than this could share a timestamp, and a
# viewer takes what shares a timestamp for one frame.
MIN_CAPTURE_STEP_US = 12


@dataclass(frozen=True, slots=True)
class RenditionKey:
    """What tells one encoded form of a feed from another.

    `rate_class` counts the factors of two by which the rate of its takers lies below that of the others (placement.py).
    """

    codec: str
    resolution: Resolution
    rate_class: int = 0

    def __str__(self) -> str:
        form = f"{self.codec} {self.resolution}"
        return f"{form}, class {self.rate_class}" if self.rate_class else form


class Rendition(Protocol):
    """Encoded frames for any number of subscribers."""

    key: RenditionKey

    @property
    def is_empty(self) -> bool: ...

    @property
    def picture_at_work(self) -> int | None:
        """A number for the picture that is being made, which a later one does not have again; None between two."""

    def give_up_hardware(self, reason: str) -> bool:
        """Have another encoder serve whoever comes after this rendition; False if it is not stuck in hardware.

        `reason` says what the hardware did, without its name.
        """

    def add(self, subscriber: Subscriber, on_failed: Callable[[], None]) -> None:
        """Let a subscriber take frames; `on_failed` is called when what it does with them raises an error."""

    def remove(self, subscriber: Subscriber) -> None: ...

    def wake(self) -> None:
        """Look at the wishes now rather than with the next frame."""

    def close(self) -> None: ...


class _Tap:
    """One viewer's place at one rendition. While it is filling it lets nothing through but a first keyframe."""

    def __init__(self, taker: "_Taker", key: RenditionKey, on_filled: Callable[["_Tap"], None]) -> None:
        self.key = key
        self.taker = taker
        self.is_filling = True
        self._on_filled = on_filled

    def offer(self, frame: EncodedFrame) -> None:
        if self.is_filling:
            if not frame.is_keyframe:
                return
            self.is_filling = False
            self._on_filled(self)
        self.taker.pass_on(frame)

    def wish(self) -> Wish:
        wish = self.taker.video.wish()
        return replace(wish, keyframe=True) if self.is_filling else wish


class _Taker:
    """What one viewer takes, and what it is moving to."""

    def __init__(self, viewer: str, video: Subscriber) -> None:
        self.viewer = viewer
        self.video = video
        self.tap: _Tap | None = None
        self.next_tap: _Tap | None = None
        self._earliest_us = 0

    @property
    def taps(self) -> list[_Tap]:
        return [tap for tap in (self.tap, self.next_tap) if tap is not None]

    def pass_on(self, frame: EncodedFrame) -> None:
        """Offer a frame, captured after the one before: of two renditions of one picture, one can be slower."""
        if frame.capture_us < self._earliest_us:
            frame = replace(frame, capture_us=self._earliest_us)
        self._earliest_us = frame.capture_us + MIN_CAPTURE_STEP_US
        self.video.offer(frame)


class Hub:
    """The takers of one feed's renditions.

    `on_moved` is told the name of a viewer that has arrived where it moved, `on_failed` of one that cannot take frames.
    """

    def __init__(
        self,
        open_rendition: Callable[[RenditionKey], Rendition],
        on_moved: Callable[[str], None],
        on_failed: Callable[[str], None],
    ) -> None:
        self._open_rendition = open_rendition
        self._on_moved = on_moved
        self._on_failed = on_failed
        self._renditions: dict[RenditionKey, Rendition] = {}
        self._takers: dict[str, _Taker] = {}

    @property
    def renditions(self) -> dict[RenditionKey, Rendition]:
        return dict(self._renditions)

    @property
    def working(self) -> frozenset[RenditionKey]:
        """The renditions that have given somebody a keyframe."""
        taps = [tap for taker in self._takers.values() for tap in taker.taps]
        return frozenset(tap.key for tap in taps if not tap.is_filling)

    def rendition_of(self, viewer: str) -> RenditionKey | None:
        """Return what a viewer takes now, or None if it takes nothing."""
        taker = self._takers.get(viewer)
        return None if taker is None or taker.tap is None else taker.tap.key

    def join(self, viewer: str, video: Subscriber, key: RenditionKey) -> None:
        """Let a viewer take a rendition from its next keyframe on, opened if nobody takes it yet."""
        self.leave(viewer)
        taker = self._takers[viewer] = _Taker(viewer, video)
        taker.tap = self._connect(taker, key, lambda _: None)

    def move(self, viewer: str, key: RenditionKey) -> None:
        """Let a viewer take another rendition; its RTP stream goes on, with no frame missing in between."""
        taker = self._takers[viewer]
        if taker.taps[-1].key == key:
            return
        self._abandon_move(taker)
        if taker.taps[-1].key != key:
            taker.next_tap = self._connect(taker, key, self._arrive)

    def settle(self, keys: Mapping[str, RenditionKey]) -> None:
        """Let viewers take the renditions of a source that has changed its form; what nobody takes then closes first.

        It would make nothing of use in the meantime, and a device may have no room for it and its successor at once.
        """
        takers = [taker for viewer, taker in self._takers.items() if viewer in keys]
        movers = [taker for taker in takers if taker.taps[-1].key != keys[taker.viewer]]
        for taker in movers:
            for tap in taker.taps:
                self._disconnect(tap)
            taker.tap = taker.next_tap = None
        for taker in movers:
            taker.tap = self._connect(taker, keys[taker.viewer], lambda tap: self._on_moved(tap.taker.viewer))
        for rendition in self._renditions.values():
            rendition.wake()

    def leave(self, viewer: str) -> None:
        """Let a viewer take nothing any more. Harmless when it took nothing."""
        taker = self._takers.pop(viewer, None)
        if taker is not None:
            for tap in taker.taps:
                self._disconnect(tap)

    def reopen(self, key: RenditionKey) -> None:
        """Replace a rendition that has failed by a new one; its takers stay where they are."""
        before = self._renditions.pop(key, None)
        if before is None:
            return
        before.close()
        for taker in self._takers.values():
            for tap in taker.taps:
                if tap.key == key:
                    before.remove(tap)
                    tap.is_filling = True
                    self._attach(tap)

    def forsake(self, key: RenditionKey) -> None:
        """Expect nothing more of a rendition that has failed: whoever moves away from it is there at once."""
        for taker in list(self._takers.values()):
            if taker.tap is not None and taker.tap.key == key and taker.next_tap is not None:
                self._arrive(taker.next_tap)

    def wake(self, viewer: str) -> None:
        """Make the renditions of a viewer look at its wish now."""
        taker = self._takers.get(viewer)
        if taker is not None:
            for tap in taker.taps:
                self._renditions[tap.key].wake()

    def close(self) -> None:
        for viewer in list(self._takers):
            self.leave(viewer)

    def _arrive(self, tap: _Tap) -> None:
        taker = tap.taker
        if tap is not taker.next_tap or taker.tap is None:
            return
        before, taker.tap, taker.next_tap = taker.tap, tap, None
        logger.info("viewer %s takes %s instead of %s", taker.viewer, tap.key, before.key)
        self._disconnect(before)
        self._on_moved(taker.viewer)

    def _abandon_move(self, taker: _Taker) -> None:
        tap, taker.next_tap = taker.next_tap, None
        if tap is not None:
            self._disconnect(tap)

    def _connect(self, taker: _Taker, key: RenditionKey, on_filled: Callable[[_Tap], None]) -> _Tap:
        tap = _Tap(taker, key, on_filled)
        self._attach(tap)
        return tap

    def _attach(self, tap: _Tap) -> None:
        rendition = self._renditions.get(tap.key)
        if rendition is None:
            rendition = self._renditions[tap.key] = self._open_rendition(tap.key)
        rendition.add(tap, partial(self._on_failed, tap.taker.viewer))
        rendition.wake()

    def _disconnect(self, tap: _Tap) -> None:
        rendition = self._renditions[tap.key]
        rendition.remove(tap)
        if rendition.is_empty:
            del self._renditions[tap.key]
            rendition.close()
