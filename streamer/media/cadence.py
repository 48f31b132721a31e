"""When a rendition encodes: the new frame, the kept one again, none for now, or never this one.

Sans-IO: time and what is known are handed in. Raw frames are free to lose, encoded ones are not, so everything that
must be dropped is dropped here, before the encoder.
"""

from dataclasses import dataclass
from enum import Enum

# A frame this much of an interval early is on time: sources and timers jitter, and a source at 60 fps whose frames are
# now 15 and now 18 ms apart must not be cut to every second one.
_EARLY_RATIO = 0.25
# A backlog is made of frames that were encoded already; after so many skipped ones in a row a fresh picture is worth
# more than a shorter queue.
_MAX_SKIPPED_FRAMES = 3
# Long enough that scrolling and typing have paused, short enough that the eye has not begun to read (facts of desktop
# streaming: 150 to 300 ms are in use).
REFINEMENT_DELAY_US = 200_000
# Keeps the receiver's statistics and our reports alive while nothing changes, at the price of one small frame.
HEARTBEAT_INTERVAL_US = 1_000_000


class Action(Enum):
    """What to do now."""

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
    """The policy of one rendition. Called from its thread only."""

    def __init__(self) -> None:
        self._encoded_at_us: int | None = None
        self._changed_at_us = 0
        self._is_refined = False
        self._skipped_frames = 0

    def decide(
        self, now_us: int, *, fps: float, backlog_us: int, has_new_frame: bool, wants_keyframe: bool
    ) -> Decision:
        """Return what to do now."""
        interval_us = round(1_000_000 / fps)
        if self._encoded_at_us is None:
            return _NEW if has_new_frame else _KEPT
        due_at_us = self._encoded_at_us + round(interval_us * (1 - _EARLY_RATIO))
        if now_us < due_at_us and (has_new_frame or wants_keyframe):
            return Decision(Action.WAIT, due_at_us)
        if has_new_frame:
            return self._weigh(backlog_us, interval_us, wants_keyframe=wants_keyframe)
        if wants_keyframe:
            return _KEPT
        return self._rest(now_us)

    def encoded(self, now_us: int, *, is_new: bool, is_refinement: bool = False) -> None:
        """Note what was encoded."""
        self._encoded_at_us = now_us
        self._skipped_frames = 0
        if is_new:
            self._changed_at_us = now_us
            self._is_refined = False
        elif is_refinement:
            self._is_refined = True

    def _weigh(self, backlog_us: int, interval_us: int, *, wants_keyframe: bool) -> Decision:
        """Encode the new frame, unless what waits in the pacer takes longer to leave than a frame may."""
        if backlog_us > interval_us and self._skipped_frames < _MAX_SKIPPED_FRAMES and not wants_keyframe:
            self._skipped_frames += 1
            return _SKIP
        return _NEW

    def _rest(self, now_us: int) -> Decision:
        """Nothing is new: refine the picture once, then show a sign of life now and then."""
        assert self._encoded_at_us is not None
        heartbeat_at_us = self._encoded_at_us + HEARTBEAT_INTERVAL_US
        refine_at_us = self._changed_at_us + REFINEMENT_DELAY_US
        if not self._is_refined and now_us >= refine_at_us:
            return _REFINED
        if now_us >= heartbeat_at_us:
            return _KEPT
        return Decision(Action.WAIT, heartbeat_at_us if self._is_refined else min(refine_at_us, heartbeat_at_us))
