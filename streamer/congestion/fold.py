"""Fold the wishes of all subscribers of a rendition into the order for its next frame.

The lowest wish governs, as far down as half of the highest: one viewer far below the others takes nothing more away
from them, and belongs into another rendition. Who is in which rendition is the hub's business.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from streamer.congestion.recovery import MIN_KEYFRAME_INTERVAL_US
from streamer.errors import LocalProtocolError
from streamer.media.frame import Capabilities, EncodeOrder, Wish
from streamer.media.units import BITS_PER_BYTE

# Renditions are a factor of two apart.
RATE_CLASS_RATIO = 2
# Longer than any queue that leaving out frames drains, shorter than what viewers call a freeze.
STALLED_US = 250_000
# An encoder that pays for a rate change with a keyframe is told of changes that are worth one: each costs about three
# frames' bytes, so at most one in 5 s is 1 % of a stream of 60 fps. What counts is what a frame may take: a new frame
# rate and a new limit of a frame's bytes are changes like a new target.
SPARED_CHANGE_RATIO = 0.15
SPARED_INTERVAL_US = 5_000_000
# Each viewer's recovery keeps its requests apart; what also makes a keyframe is that viewers come, return and move. A
# keyframe costs all viewers of the rendition three frames' bytes. So many may follow each other at the distance that
# recovery keeps, as one viewer's losses need them, and later one a second, which is 5 % of a stream of 60 fps.
SUSTAINED_KEYFRAME_INTERVAL_US = 1_000_000
KEYFRAME_BURST = 5
# Refinements smaller than this are mostly headers: at 300 kbit/s a 720p page of text had 16 dB after 24 kB in those of
# 1/60 s, and 45 dB after 230 kB in those of this size.
LEAST_REFINEMENT_BYTES = 6000
_SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True)
class _Rates:
    """What an encoder's rate control is told."""

    target_bps: int
    fps: float
    max_frame_bytes: int | None
    is_refinement: bool = False

    @property
    def frame_bits(self) -> float:
        bits = self.target_bps / self.fps
        return bits if self.max_frame_bytes is None else min(bits, self.max_frame_bytes * BITS_PER_BYTE)

    def refining(self) -> "_Rates":
        """Return what makes a frame that is worth its headers."""
        return _Rates(
            self.target_bps,
            min(self.fps, self.target_bps / (LEAST_REFINEMENT_BYTES * BITS_PER_BYTE)),
            # No picture waits behind it that its queue could delay. Encoders aim below the limit, hence twice.
            max(self.max_frame_bytes or 0, 2 * LEAST_REFINEMENT_BYTES),
            is_refinement=True,
        )


def fold_target_bps(targets_bps: Sequence[int]) -> int:
    """Return the lowest target, but no less than half of the highest."""
    return max(min(targets_bps), max(targets_bps) // RATE_CLASS_RATIO)


def governing(wishes: Sequence[Wish]) -> list[Wish]:
    """Return the wishes that the others have to put up with: those within a factor of two of the highest target."""
    highest_bps = max(wish.target_bps for wish in wishes)
    return [wish for wish in wishes if wish.target_bps * RATE_CLASS_RATIO >= highest_bps]


def fold_backlog_us(wishes: Sequence[Wish]) -> int:
    """Return the backlog that the next frame should wait for.

    A viewer whose path has stopped is not helped by frames that are left out for the others too, unless it is alone.
    """
    wishes = governing(wishes)
    moving = [wish for wish in wishes if wish.backlog_us < STALLED_US] or wishes
    return max(wish.backlog_us for wish in moving)


class Fold:
    """The orders of one rendition. Called from its thread only."""

    def __init__(self, capabilities: Capabilities) -> None:
        self.serve(capabilities)
        self._rates: _Rates | None = None
        self._changed_at_us = 0
        self._keyframe_due_us = 0
        # By when the keyframes so far would have been made at the sustained rate.
        self._paid_until_us = 0

    def serve(self, capabilities: Capabilities) -> None:
        """Make the next orders for an encoder with these capabilities."""
        self._spares_changes = capabilities.rate_change_needs_keyframe
        changes_per_s = capabilities.max_rate_changes_per_s
        self._min_change_us = 0 if changes_per_s is None else _SECOND_US // changes_per_s

    def keyframe_due_us(self, wishes: Sequence[Wish]) -> int | None:
        """Return from when on the next frame shall be a keyframe, or None if nobody wishes for one."""
        return self._keyframe_due_us if any(wish.keyframe for wish in wishes) else None

    def keyframe_made(self, now_us: int) -> None:
        """Note that a frame became a keyframe, whether it was ordered or not."""
        self._paid_until_us = max(self._paid_until_us, now_us) + SUSTAINED_KEYFRAME_INTERVAL_US
        credit_us = KEYFRAME_BURST * SUSTAINED_KEYFRAME_INTERVAL_US
        self._keyframe_due_us = max(now_us + MIN_KEYFRAME_INTERVAL_US, self._paid_until_us - credit_us)

    def order(self, wishes: Sequence[Wish], now_us: int, *, is_refinement: bool = False) -> EncodeOrder:
        """Return the order for the next frame.

        Raises:
            LocalProtocolError: there is no wish: nobody would take the frame.
        """
        if not wishes:
            raise LocalProtocolError("an order without a wish")
        keyframe_due_us = self.keyframe_due_us(wishes)
        keyframe = keyframe_due_us is not None and keyframe_due_us <= now_us
        governors = governing(wishes)
        limits = [wish.max_frame_bytes for wish in governors if wish.max_frame_bytes is not None]
        losses = [wish.lost_capture_us for wish in wishes if wish.lost_capture_us is not None]
        wanted = _Rates(
            fold_target_bps([wish.target_bps for wish in wishes]),
            min(wish.fps for wish in governors),
            self._fold_limits(limits),
        )
        if is_refinement and not self._spares_changes:
            wanted = wanted.refining()
        # More than a frame waits: the path takes less than the encoder makes.
        is_backlogged = any(wish.backlog_us * wish.fps > _SECOND_US for wish in wishes)
        rates = self._settle(wanted, now_us, is_backlogged=is_backlogged, keyframe=keyframe)
        return EncodeOrder(
            target_bps=rates.target_bps,
            fps=rates.fps,
            keyframe=keyframe,
            max_frame_bytes=rates.max_frame_bytes,
            is_refinement=is_refinement,
            lost_capture_us=min(losses, default=None),
        )

    def _fold_limits(self, limits: Sequence[int]) -> int | None:
        """Return the most that the next frame may take; it changes too often for an encoder that is to be spared."""
        if not limits or self._spares_changes:
            return None
        # As with targets: no less than half of what the widest path takes.
        return max(min(limits), max(limits) // RATE_CLASS_RATIO)

    def _settle(self, wanted: _Rates, now_us: int, *, is_backlogged: bool, keyframe: bool) -> _Rates:
        """Return the rates to order: the wanted ones, or the last ones where the encoder is to be spared."""
        last = self._rates
        if wanted == last:
            return wanted
        if last is not None and self._is_spared(last, wanted, now_us, is_backlogged=is_backlogged, keyframe=keyframe):
            return last
        self._rates, self._changed_at_us = wanted, now_us
        return wanted

    def _is_spared(self, last: _Rates, wanted: _Rates, now_us: int, *, is_backlogged: bool, keyframe: bool) -> bool:
        since_us = now_us - self._changed_at_us
        # The way back from a refinement is always open: it would make moving pictures as large as still ones. The way
        # there takes twice the time, so that both together are no more changes than the encoder bears.
        is_way_back = last.is_refinement and not wanted.is_refinement
        if not is_way_back and since_us < self._min_change_us * (2 if wanted.is_refinement else 1):
            return True
        if not self._spares_changes or keyframe:
            return False
        is_small = abs(wanted.frame_bits - last.frame_bits) < SPARED_CHANGE_RATIO * last.frame_bits
        is_urgent = is_backlogged and wanted.frame_bits < last.frame_bits
        return is_small or (since_us < SPARED_INTERVAL_US and not is_urgent)
