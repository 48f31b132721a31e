"""When a rendition encodes: the new frame, the kept one again, none for now, or never this one.

Sans-IO: time and what is known are handed in. Raw frames are free to lose, encoded ones are not, so everything that
must be dropped is dropped here, before the encoder.
"""

from dataclasses import dataclass
from enum import Enum

from streamer.media.frame import EncodedFrame, EncodeOrder
from streamer.media.units import BITS_PER_BYTE, BITS_PER_BYTE_US

# The long-run rate may exceed the ordered one by this much: a source whose clock runs a little fast against ours must
# not collect delay until a frame is lost, and a frame that came out of turn must be caught up with.
_HEADROOM_RATIO = 0.1
# A keyframe waits this many frame intervals for the picture that a moving source is about to deliver: making it of the
# kept one would encode two frames where one does.
_KEYFRAME_PATIENCE_RATIO = 1.5
# A backlog is made of frames that were encoded already; after so many skipped ones in a row a fresh picture is worth
# more than a shorter queue.
_MAX_SKIPPED_FRAMES = 3
# Long enough that scrolling and typing have paused, short enough that the eye has not begun to read: desktop streamers
# use 150 to 300 ms.
REFINEMENT_DELAY_US = 200_000
# A picture full of text needs many frames' bytes to become sharp: at 720p and 8 Mbit/s its keyframe had 19 dB, and
# sixteen refinements brought it to 42 dB. They take every second frame's turn, so that what moves next finds room.
MAX_REFINEMENTS = 16
REFINEMENT_SPACING_FRAMES = 2
# So much that page needs to become sharp: at low targets that is more than sixteen refinements, which then come less
# often, each when the one before it has left.
REFINED_BYTES = 256 * 1024
# A refinement that takes less than this share of its budget found nothing more to improve. On 640x360 patches of colour
# one that did not took libx264 11 bytes and libvpx 700 to 900. With 0.05, which is 833 bytes at 8 Mbit/s and 60 fps,
# libvpx ended with its quantizer still sinking and patches 4/255 off; where it goes on they end 2 off.
SETTLED_RATIO = 0.02
# Keeps the receiver's statistics and our reports alive while nothing changes, at the price of one small frame.
HEARTBEAT_INTERVAL_US = 1_000_000


class Action(Enum):
    """What to do now. `ENCODE_NEW` takes the newest frame: not encoded before, though perhaps skipped."""

    ENCODE_NEW = "encode new"
    ENCODE_KEPT = "encode kept"
    SKIP = "skip"
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do now; for a wait, until when at the latest: a new frame, a wish or that instant ends it."""

    action: Action
    until_us: int | None = None
    is_refinement: bool = False


_NEW = Decision(Action.ENCODE_NEW)
_KEPT = Decision(Action.ENCODE_KEPT)
_REFINED = Decision(Action.ENCODE_KEPT, is_refinement=True)
_SKIP = Decision(Action.SKIP)


class Cadence:
    """The policy of one rendition. Called from its thread only.

    The rate is held by a bucket of one frame, so that jitter of a whole frame interval decimates nothing: what comes
    late once leaves room for the next one to come early.
    """

    def __init__(self) -> None:
        self._encoded_at_us: int | None = None
        self._changed_at_us = 0
        self._due_at_us = 0
        self._interval_us = 0
        self._sent_at_us = 0
        self._refinements = 0
        self._refined_bytes = 0
        self._is_refined = False
        self._skipped_frames = 0
        self._skipped_at_us = 0
        self._wants_keyframe = False

    def decide(
        self, now_us: int, *, fps: float, backlog_us: int, has_new_frame: bool, wants_keyframe: bool
    ) -> Decision:
        """Return what to do now."""
        self._interval_us = round(1_000_000 / fps)
        self._wants_keyframe = wants_keyframe
        if self._encoded_at_us is None:
            return _NEW if has_new_frame else _KEPT
        has_unsent_frame = has_new_frame or self._skipped_frames > 0
        if not has_unsent_frame and not wants_keyframe:
            return self._rest(now_us, self._encoded_at_us)
        if now_us < self._due_at_us:
            return Decision(Action.WAIT, self._due_at_us)
        if wants_keyframe:
            return _NEW if has_unsent_frame else self._repeat(now_us)
        return self._weigh(now_us, backlog_us, has_new_frame=has_new_frame)

    def encoded(
        self,
        now_us: int,
        *,
        is_new: bool,
        is_refinement: bool = False,
        is_settled: bool = True,
        size_bytes: int = 0,
        target_bps: int | None = None,
    ) -> None:
        """Note what was encoded after the last decision; a refinement that changed next to nothing has settled.

        With `target_bps` it takes its time to leave, before which no refinement follows.
        """
        self._sent_at_us = now_us if target_bps is None else now_us + size_bytes * BITS_PER_BYTE_US // target_bps
        period_us = round(self._interval_us * (1 - _HEADROOM_RATIO))
        self._due_at_us = max(self._due_at_us, now_us - period_us) + period_us
        if is_new or self._wants_keyframe or self._encoded_at_us is None:
            # A keyframe is coarser than what it replaces, so it is followed by a refinement as a new picture is.
            self._changed_at_us = now_us
            self._refinements = 0
            self._refined_bytes = 0
            self._is_refined = False
        elif is_refinement:
            self._refinements += 1
            self._refined_bytes += size_bytes
            is_enough = self._refinements >= MAX_REFINEMENTS and self._refined_bytes >= REFINED_BYTES
            self._is_refined = is_settled or is_enough
        self._encoded_at_us = now_us
        self._skipped_frames = 0

    def _weigh(self, now_us: int, backlog_us: int, *, has_new_frame: bool) -> Decision:
        """Encode the newest frame, unless what waits in the pacer takes longer to leave than a frame may."""
        if backlog_us <= self._interval_us:
            return _NEW
        if has_new_frame:
            if self._skipped_frames == _MAX_SKIPPED_FRAMES:
                return _NEW
            self._skipped_frames += 1
            self._skipped_at_us = now_us
            return _SKIP
        # The source stopped at a skipped frame: it must be seen, as soon as there is room and not much later.
        latest_us = self._skipped_at_us + _MAX_SKIPPED_FRAMES * self._interval_us
        if now_us >= latest_us:
            return _NEW
        return Decision(Action.WAIT, min(latest_us, now_us + backlog_us - self._interval_us))

    def _repeat(self, now_us: int) -> Decision:
        """Nothing is new and a keyframe is wanted: give the source a moment to deliver, then take the kept frame."""
        patience_us = self._changed_at_us + round(_KEYFRAME_PATIENCE_RATIO * self._interval_us)
        return Decision(Action.WAIT, patience_us) if now_us < patience_us else _KEPT

    def _rest(self, now_us: int, encoded_at_us: int) -> Decision:
        """Nothing is new: refine the picture until it has settled, then show a sign of life now and then."""
        if not self._is_refined:
            spacing_us = REFINEMENT_SPACING_FRAMES * self._interval_us
            refine_at_us = self._changed_at_us + REFINEMENT_DELAY_US + self._refinements * spacing_us
            refine_at_us = max(refine_at_us, self._sent_at_us)
            return _REFINED if now_us >= refine_at_us else Decision(Action.WAIT, refine_at_us)
        heartbeat_at_us = encoded_at_us + HEARTBEAT_INTERVAL_US
        return _KEPT if now_us >= heartbeat_at_us else Decision(Action.WAIT, heartbeat_at_us)


def is_settled(refinement: EncodedFrame, order: EncodeOrder) -> bool:
    """Return whether a refinement changed next to nothing."""
    budget_bytes = order.target_bps / order.fps / BITS_PER_BYTE
    return len(refinement.data) < SETTLED_RATIO * budget_bytes
