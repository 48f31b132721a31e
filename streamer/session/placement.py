"""Decide which rendition each viewer belongs into, so that a slow path takes nothing away from the others.

Owns the rate classes of a feed, and how its renditions join. Opening and moving are the hub's business. Sans-IO: needs
and the time are handed in.

A viewer belongs into a form: its codec, the size of picture that its path carries, and a class of rate. Viewers of one
codec and size whose targets lie within a factor of two are of one class; one far below is of a class further down.

Each form is a rendition until that would be more than the machine can make, whatever they differ in. Then renditions of
one codec join, those first whose viewers lose least by it. Together they take the smaller picture, since a path that is
too narrow for the larger one stays so, and the rate that congestion/fold.py makes of their targets: the lowest, but no
less than half of the highest. Whoever could take more loses some of its picture; whoever is below that half gets more
than its path carries, which is much worse. Codecs cannot join: each that is in use has a rendition at least.

Who has joined whom stays until somebody belongs into another form: targets change all the time, and each move costs a
keyframe.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

from streamer.congestion.fold import RATE_CLASS_RATIO, fold_target_bps
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
# What viewers lose is counted in halvings. A stream of twice what the path carries stands still before long, which is
# as bad as the whole way down the ladder (congestion/ladder.py): to a sixteenth of the pixels.
_OVERLOAD_WEIGHT = 4
# What keeps a rendition from opening (sessions of the GPU that others have, memory) seldom passes in a moment, and each
# try takes a device's time.
RETRY_US = 10_000_000


@dataclass(frozen=True, slots=True)
class Need:
    """What one viewer can take: its codec, the size of picture that it is to get, and its target."""

    codec: str
    resolution: Resolution
    target_bps: int


_Keys: TypeAlias = dict[str, RenditionKey]


class Placement:
    """The forms of one feed's viewers, and the renditions they share. Event loop only."""

    def __init__(self, extra_renditions: int) -> None:
        self._most_renditions = 1 + extra_renditions
        self._classes: dict[str, int] = {}
        # Whether a viewer belongs further down or up than it is, and since when.
        self._pending: dict[str, tuple[bool, int]] = {}
        self._forms: _Keys = {}
        self._joined: _Keys = {}
        # While renditions do not open, those that do, or still may.
        self._open: frozenset[RenditionKey] = frozenset()
        self._held_until_us = 0

    def hold(self, others: Collection[RenditionKey], now_us: int) -> None:
        """Ask for no rendition beside these for a while: one that was asked for did not open."""
        self._open = frozenset(others)
        self._held_until_us = now_us + RETRY_US

    def lift(self) -> None:
        """Ask for any rendition again: those that are open are of no more use than one that may not open."""
        self._open = frozenset()

    def place(self, needs: Mapping[str, Need], now_us: int) -> dict[str, RenditionKey]:
        """Return what each viewer should take from now on."""
        for viewer in self._classes.keys() - needs.keys():
            self._classes.pop(viewer)
            self._pending.pop(viewer, None)
        for group in _by_form(needs).values():
            self._settle_group({viewer: needs[viewer].target_bps for viewer in group}, now_us)
        forms = {
            viewer: RenditionKey(need.codec, need.resolution, self._classes[viewer]) for viewer, need in needs.items()
        }
        if forms != self._forms:
            self._forms, self._joined = forms, _join(forms, needs, self._most_renditions)
        if now_us >= self._held_until_us:
            self.lift()
        return {viewer: self._nearest_open(key) for viewer, key in self._joined.items()}

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

    def _nearest_open(self, key: RenditionKey) -> RenditionKey:
        shared = [other for other in self._open if other.codec == key.codec]
        return min(shared, key=lambda other: (_distance(other, key), str(other)), default=key)


def _join(forms: _Keys, needs: Mapping[str, Need], most_renditions: int) -> _Keys:
    """Return the renditions that remain when those have joined whose viewers lose least, until there are few enough."""
    keys = dict(forms)
    while len(set(keys.values())) > most_renditions:
        members: dict[RenditionKey, list[Need]] = {}
        for viewer, key in keys.items():
            members.setdefault(key, []).append(needs[viewer])
        pairs = [pair for pair in combinations(members, 2) if pair[0].codec == pair[1].codec]
        if not pairs:
            break
        pair = min(pairs, key=lambda pair: _loss_of_joining(members[pair[0]], members[pair[1]]))
        joined = min(pair, key=lambda key: (key.resolution.pixels, key.rate_class))
        keys = {viewer: joined if key in pair else key for viewer, key in keys.items()}
    return keys


def _loss_of_joining(some: Sequence[Need], others: Sequence[Need]) -> float:
    return _loss([*some, *others]) - _loss(some) - _loss(others)


def _loss(needs: Sequence[Need]) -> float:
    """Return how many halvings those who share a rendition lose, all together."""
    pixels = min(need.resolution.pixels for need in needs)
    target_bps = fold_target_bps([need.target_bps for need in needs])
    loss = 0.0
    for need in needs:
        loss += math.log2(need.resolution.pixels / pixels)
        spared = math.log2(need.target_bps / target_bps)
        loss += spared if spared > 0 else -spared * _OVERLOAD_WEIGHT
    return loss


def _distance(one: RenditionKey, other: RenditionKey) -> float:
    """Return how many halvings of pixels and of rate lie between two forms."""
    return abs(math.log2(one.resolution.pixels / other.resolution.pixels)) + abs(one.rate_class - other.rate_class)


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
