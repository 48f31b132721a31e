"""Who takes which rendition: what viewers wish for, what placement makes of it, and what the hub does about it.

Owns the hub and the placement of a session, what follows when the source changes its size, and what follows when a
rendition fails: one that has worked, or has nobody to share with, is opened again, and a few failures in a row give its
codec up; that of the last codec on offer ends the session. One that never worked while another of its codec does, or is
still opening, is an extra that the machine cannot make: its viewers share the others', and it is tried again later. One
that does not return from a picture is left behind, and its hardware given up. Event loop only.
"""

import logging
from collections import defaultdict
from collections.abc import Collection
from functools import partial
from typing import Protocol

from streamer.clock import Clock
from streamer.session.failures import MOST_RETRIES, Failures
from streamer.session.hub import Hub, Rendition, RenditionKey
from streamer.session.placement import RETRY_US, Need, Placement
from streamer.session.stalls import LOOKS, Stalls
from streamer.session.studio import Studio
from streamer.session.tasks import attempt, complete, in_thread
from streamer.session.viewer import Viewer

logger = logging.getLogger(__name__)

# How often it is looked at which rendition each viewer belongs into: patience there is measured in seconds.
_ARRANGE_INTERVAL_US = 250_000
_STUCK_AFTER_S = LOOKS * _ARRANGE_INTERVAL_US // 1_000_000


class ArrangementOwner(Protocol):
    """The session, as its arrangement sees it."""

    def stream_changed(self, viewer: str) -> None:
        """Note that a viewer takes another rendition from its last frame on."""

    def video_failed(self, viewer: str) -> None:
        """Note that a viewer's video is of no use any more."""

    def codec_failed(self, codec: str, reason: str) -> None:
        """Note that a codec cannot be made, and is offered no more: its viewers need another one."""

    def encoder_changed(self, codec: str) -> None:
        """Note that another encoder makes this codec from here on."""

    def source_ended(self, reason: str) -> None:
        """Note that no more pictures can be made."""


class Arrangement:
    """The viewers that take video, each at the rendition that it belongs into."""

    def __init__(self, studio: Studio, clock: Clock, owner: ArrangementOwner) -> None:
        self._studio = studio
        self._clock = clock
        self._owner = owner
        self._hub = Hub(studio.open_rendition, owner.stream_changed, owner.video_failed)
        self._placement = Placement(studio.extra_renditions)
        self._takers: dict[str, Viewer] = {}
        self._resolution = studio.resolution
        self._failures: defaultdict[str, Failures] = defaultdict(Failures)
        self._stalls = Stalls()
        # The codecs of which a rendition has been stuck in software.
        self._stuck: set[str] = set()
        # Why the last extra rendition did not open, as the log has it.
        self._refusal: str | None = None

    @property
    def renditions(self) -> dict[RenditionKey, Rendition]:
        return self._hub.renditions

    def rendition_of(self, viewer: str) -> RenditionKey | None:
        """Return what a viewer takes now, or None if it takes nothing."""
        return self._hub.rendition_of(viewer)

    def join(self, viewer: Viewer) -> None:
        """Let a viewer take video."""
        self.leave(viewer.name)
        self._takers[viewer.name] = viewer
        viewer.describe(self._resolution)
        self.arrange()

    def leave(self, viewer: str) -> None:
        """Let a viewer take nothing any more. Harmless when it took nothing."""
        self._takers.pop(viewer, None)
        self._hub.leave(viewer)

    def wake(self, viewer: str) -> None:
        """Make the renditions of a viewer look at its wish now."""
        self._hub.wake(viewer)

    def close(self) -> None:
        self._takers.clear()
        self._hub.close()

    async def run(self) -> None:
        """Move viewers to the renditions that their paths carry, as these change."""
        while True:
            await self._clock.sleep_until_us(self._clock.now_us() + _ARRANGE_INTERVAL_US)
            attempt(self.arrange, "the arrangement of viewers")
            await complete(self._replace_stuck(), "the replacement of stuck renditions")

    def arrange(self) -> None:
        """Look at once which rendition each viewer belongs into."""
        has_changed = self._follow_source()
        keys = self._keys()
        if has_changed:
            self._hub.settle(keys)
        for name, key in keys.items():
            if self._hub.rendition_of(name) is None:
                self._hub.join(name, self._takers[name], key)
            else:
                self._hub.move(name, key)

    def rendition_failed(self, key: RenditionKey, reason: str) -> None:
        """Share others instead of a rendition that did not open; open again what has failed, unless it keeps on."""
        # One that is still opening is to be hoped for: what it lacks to work is perhaps no more than time.
        others = self._hub.renditions.keys() - {key}
        if key not in self._hub.working and any(other.codec == key.codec for other in others):
            self._do_without(key, others, reason)
            return
        logger.warning("%s failed because %s", key, reason)
        if self._failures[key.codec].may_retry(self._clock.now_us()):
            self._hub.reopen(key)
        else:
            self._give_up(key.codec, f"{key} failed {MOST_RETRIES + 1} times, last because {reason}")

    async def _replace_stuck(self) -> None:
        """Open others in the place of renditions that do not return from a picture.

        Also of those that nobody takes any more: people reload a page whose picture stands still, and would meet the
        same hardware again.
        """
        for rendition in self._stalls.look(self._studio.renditions):
            key = rendition.key
            reason = f"has not returned from a picture for {_STUCK_AFTER_S} s"
            logger.warning("%s is left behind because it %s", key, reason)
            # The encoder that takes over is opened once to see that it can be.
            has_fallen_back = await in_thread(partial(rendition.give_up_hardware, reason), f"successor of {key}")
            is_taken = self._hub.renditions.get(key) is rendition
            if has_fallen_back:
                self._owner.encoder_changed(key.codec)
            elif is_taken and key.codec in self._stuck:
                # Each one that is left behind keeps a surface of the source, and a source has four.
                self._give_up(key.codec, f"{key} was stuck twice")
                continue
            else:
                self._stuck.add(key.codec)
            if is_taken:
                self._hub.reopen(key)

    def _give_up(self, codec: str, reason: str) -> None:
        """Do without a codec while there is another: each that is on offer has had its encoder open once."""
        if all(other == codec for other in self._studio.codecs):
            self._owner.source_ended(reason)
            return
        logger.warning("%s is offered no more because %s", codec, reason)
        self._studio.give_up(codec)
        self._owner.codec_failed(codec, reason)

    def _do_without(self, key: RenditionKey, others: Collection[RenditionKey], reason: str) -> None:
        if reason != self._refusal:
            self._refusal = reason
            retry_s = RETRY_US // 1_000_000
            logger.warning(
                "%s is not to be had because %s; others are shared, with a try each %d s", key, reason, retry_s
            )
        self._placement.hold(others, self._clock.now_us())
        self.arrange()
        self._hub.forsake(key)

    def _follow_source(self) -> bool:
        """Note the size of the source's pictures, and return whether it is another one."""
        resolution = self._studio.resolution
        if resolution == self._resolution:
            return False
        logger.info("the source is %s from here on", resolution)
        self._resolution = resolution
        self._placement.lift()
        for viewer in self._takers.values():
            viewer.describe(resolution)
        return True

    def _keys(self) -> dict[str, RenditionKey]:
        needs = self._needs()
        if self._studio.can_scale:
            return self._placement.place(needs, self._clock.now_us())
        return {name: RenditionKey(need.codec, self._resolution) for name, need in needs.items()}

    def _needs(self) -> dict[str, Need]:
        needs: dict[str, Need] = {}
        for name, viewer in list(self._takers.items()):
            if not attempt(partial(self._note_need, needs, viewer), "the wish of a viewer"):
                self._owner.video_failed(name)
        return needs

    def _note_need(self, needs: dict[str, Need], viewer: Viewer) -> None:
        assert viewer.codec is not None
        wish, source = viewer.wish(), self._resolution
        resolution = source if source.fits_in(wish.max_resolution) else wish.max_resolution
        needs[viewer.name] = Need(viewer.codec, resolution, wish.target_bps)
