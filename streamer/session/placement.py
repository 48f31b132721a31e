"""Decide which rendition each viewer belongs into, so that a slow path takes nothing away from the others.

Owns the rate classes of a feed. Viewers whose targets lie within a factor of two share a rendition, which follows the
lowest of them; one far below gets a rendition of a class further down, until as many are open as the machine can make;
then the lowest governs. Opening and moving are the hub's business. Sans-IO: wishes and the time are handed in.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from streamer.congestion.fold import RATE_CLASS_RATIO
from streamer.media.frame import Resolution
from streamer.session.hub import RenditionKey

# One encoder more is what a software host can carry beside the first; hardware has engines to spare.
EXTRA_RENDITIONS_SOFTWARE = 1
EXTRA_RENDITIONS_HARDWARE = 2
# A path that dips for a moment is not worth a rendition of its own, and one that has just recovered may dip again: a
# move costs a keyframe on a path that has little to spare.
FALL_PATIENCE_US = 1_000_000
RISE_PATIENCE_US = 5_000_000
# Back among the others only with some room, or the next small dip would move the viewer again.
_RISE_ROOM_RATIO = 1.25


@dataclass(frozen=True, slots=True)
class Need:
    """What one viewer can take: its codec, the size of picture that it is to get, and its target."""

    codec: str
    resolution: Resolution
    target_bps: int


class Placement:
    """The rate classes of one feed's viewers. Event loop only."""

    def __init__(self, extra_renditions: int) -> None:
        self._extra_renditions = extra_renditions
        self._classes: dict[str, int] = {}
        # Whether a viewer belongs further down or up than it is, and since when.
        self._pending: dict[str, tuple[bool, int]] = {}

    def forget(self, viewer: str) -> None:
        """Let a viewer go."""
        self._classes.pop(viewer, None)
        self._pending.pop(viewer, None)

    def place(self, needs: Mapping[str, Need], now_us: int) -> dict[str, RenditionKey]:
        """Return what each viewer should take from now on."""
        for viewer in self._classes.keys() - needs.keys():
            self.forget(viewer)
        for group in _by_form(needs).values():
            self._settle_group({viewer: needs[viewer].target_bps for viewer in group}, now_us)
        keys = {
            viewer: RenditionKey(need.codec, need.resolution, self._classes[viewer]) for viewer, need in needs.items()
        }
        return self._within_limit(keys)

    def _settle_group(self, targets_bps: Mapping[str, int], now_us: int) -> None:
        """Give each viewer of one codec and size the class that it has belonged into for long enough."""
        highest_bps = max(targets_bps.values())
        occupied = {self._classes[viewer] for viewer in targets_bps if viewer in self._classes}
        for viewer, target_bps in targets_bps.items():
            # What a newcomer can take is not known yet.
            current = self._classes.setdefault(viewer, min(occupied, default=0))
            wanted = _rate_class(target_bps, highest_bps)
            if wanted < current:
                wanted = min(current, _rate_class(target_bps / _RISE_ROOM_RATIO, highest_bps))
            if wanted < current and wanted not in occupied:
                # Nobody is there to share with, so that nothing is gained.
                wanted = current
            self._approach(viewer, current, wanted, now_us)

    def _approach(self, viewer: str, current: int, wanted: int, now_us: int) -> None:
        if wanted == current:
            self._pending.pop(viewer, None)
            return
        is_fall = wanted > current
        was_fall, since_us = self._pending.get(viewer, (is_fall, now_us))
        if was_fall != is_fall:
            since_us = now_us
        self._pending[viewer] = is_fall, since_us
        if now_us - since_us >= (FALL_PATIENCE_US if is_fall else RISE_PATIENCE_US):
            self._classes[viewer] = wanted
            del self._pending[viewer]

    def _within_limit(self, keys: dict[str, RenditionKey]) -> dict[str, RenditionKey]:
        """Join the lowest classes of the same form until no more renditions are asked for than can be made."""
        while len(set(keys.values())) > 1 + self._extra_renditions:
            divided = [key for key in set(keys.values()) if _class_above(key, keys.values()) is not None]
            if not divided:
                # What is left differs in codec or size, which viewers cannot share.
                break
            lowest = max(divided, key=lambda key: (key.rate_class, str(key)))
            above = _class_above(lowest, keys.values())
            assert above is not None
            keys = {viewer: above if key == lowest else key for viewer, key in keys.items()}
        return keys


def _by_form(needs: Mapping[str, Need]) -> dict[tuple[str, Resolution], list[str]]:
    groups: dict[tuple[str, Resolution], list[str]] = {}
    for viewer, need in needs.items():
        groups.setdefault((need.codec, need.resolution), []).append(viewer)
    return groups


def _rate_class(target_bps: float, highest_bps: float) -> int:
    """Return how many factors of two a target is below the highest; exactly one factor is still the same class."""
    rate_class = 0
    while target_bps * RATE_CLASS_RATIO < highest_bps:
        highest_bps /= RATE_CLASS_RATIO
        rate_class += 1
    return rate_class


def _class_above(key: RenditionKey, keys: Iterable[RenditionKey]) -> RenditionKey | None:
    """Return the rendition of the same form and the next higher class that somebody takes."""
    above = [
        other
        for other in keys
        if (other.codec, other.resolution) == (key.codec, key.resolution) and other.rate_class < key.rate_class
    ]
    return max(above, key=lambda other: other.rate_class, default=None)
