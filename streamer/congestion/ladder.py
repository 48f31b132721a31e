"""What gives way when the rate is too low for the picture: how many pixels, or how many pictures a second.

Rules: one step at a time. Downwards when a pixel has had too few bits for a second, or the viewer cannot decode in
time; upwards when a pixel of the step above would have had enough of them for five seconds, with room to spare, so that
a rate that stays brings it to rest. Which of the two gives way first is the user's preference, the other one follows
when it cannot give more.
"""

from dataclasses import dataclass
from enum import StrEnum

# Bits per pixel of H.264 at speed: below, blocks show in motion (a game at 720p60 and 2.5 Mbit/s).
LOW_BITS_PER_PIXEL = 0.045
# How much more the step above must have had, so that a rate that varies by a fifth does not bring it back.
ROOM_RATIO = 1.25
# A keyframe or a drained queue is no reason to give up pixels; a second is what a viewer puts up with.
DOWN_AFTER_US = 1_000_000
# Each step costs a keyframe and is seen, so it shall be worth it for a while.
UP_AFTER_US = 5_000_000
# A client that holds more than three pictures of 60 fps decodes too slowly, or has just got them all at once.
DECODE_BACKLOG_US = 50_000
# A decoder that is busy for more of the time than this has no reserve for a picture that is harder than usual: it is
# too slow if it gave up frames. One that is busy for all of the time is, whether it did or not.
BUSY_RATIO = 0.7
FULL_RATIO = 0.95
# A network that stood still hands over a heap of pictures, which fills one report; a slow decoder fills each.
SLOW_REPORTS = 2
# A client says once a second how it fares; what it does not say again does not hold any more.
DECODE_HEEDED_US = 2_000_000
# After it was too slow, more is tried this seldom: its machine does not change with the path.
DECODE_UP_AFTER_US = 20_000_000
# Of the full width and height: each has about half of the pixels of the one before.
SCALE_STEPS = (1.0, 0.75, 0.5, 0.375, 0.25)
FPS_STEPS = (1.0, 0.8, 0.5)


class Prefer(StrEnum):
    """What is kept for as long as possible: frames per second (games), or sharpness (text)."""

    FPS = "fps"
    SHARPNESS = "sharpness"


@dataclass(frozen=True, slots=True)
class Decoding:
    """How a viewer's decoder fares, on average over the frames since it said so last; None where there were none.

    `wait_us` is what a frame waits before it is decoded, for the network or for those before it. `frames_dropped`
    counts from the beginning.
    """

    decode_us: int | None
    wait_us: int | None
    frames_dropped: int


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of the ladder, as shares of what the source delivers."""

    scale_ratio: float
    fps_ratio: float

    @property
    def load_ratio(self) -> float:
        """Its pixels per second, of all."""
        return self.scale_ratio * self.scale_ratio * self.fps_ratio


def _rungs(prefer: Prefer) -> tuple[Rung, ...]:
    if prefer is Prefer.FPS:
        return (
            *(Rung(scale, 1.0) for scale in SCALE_STEPS),
            *(Rung(SCALE_STEPS[-1], fps) for fps in FPS_STEPS[1:]),
        )
    return (*(Rung(1.0, fps) for fps in FPS_STEPS), *(Rung(scale, FPS_STEPS[-1]) for scale in SCALE_STEPS[1:]))


class Ladder:
    """The place of one viewer on the ladder. Called from the event loop only."""

    __slots__ = (
        "_at",
        "_frames_dropped",
        "_pixels_per_s",
        "_rungs",
        "_since_us",
        "_slow_reports",
        "_slow_until_us",
        "_spared_until_us",
        "_trend",
    )

    def __init__(self, prefer: Prefer) -> None:
        self._rungs = _rungs(prefer)
        self._at = 0
        # Of the source as it is; None until it is known.
        self._pixels_per_s: float | None = None
        # Which way it has wanted to go, and since when.
        self._trend = 0
        self._since_us = 0
        # Until when the viewer's decoder is held to be too slow, and until when it is given no more.
        self._slow_until_us = self._spared_until_us = 0
        # How many reports in a row have said so.
        self._slow_reports = 0
        self._frames_dropped = 0

    @property
    def rung(self) -> Rung:
        """Where it stands."""
        return self._rungs[self._at]

    def describe(self, pixels: int, fps: float) -> None:
        """Take note of what the source delivers."""
        self._pixels_per_s = pixels * fps

    def decodes(self, decoding: Decoding, interval_us: int, now_us: int) -> None:
        """Take note of how the viewer's decoder fares, which gets a frame every `interval_us`."""
        is_slow = self._is_slow(decoding, interval_us)
        self._slow_reports = self._slow_reports + 1 if is_slow else 0
        self._frames_dropped = decoding.frames_dropped
        if self._slow_reports >= SLOW_REPORTS:
            self._slow_until_us = now_us + DECODE_HEEDED_US
            self._spared_until_us = now_us + DECODE_UP_AFTER_US
        else:
            self._slow_until_us = now_us

    def update(self, target_bps: int, now_us: int, *, is_tested: bool) -> bool:
        """Move if it is time; return whether it moved. `is_tested`: the target is what the path was found to carry."""
        trend = self._direction(target_bps, now_us, is_tested=is_tested)
        if trend != self._trend:
            self._trend, self._since_us = trend, now_us
        waited_us = now_us - self._since_us
        if trend == 0 or waited_us < (DOWN_AFTER_US if trend > 0 else UP_AFTER_US):
            return False
        self._at += trend
        self._since_us = now_us
        return True

    def _is_slow(self, decoding: Decoding, interval_us: int) -> bool:
        """Return whether frames wait for the decoder: for the network they wait as well."""
        if decoding.decode_us is None or (decoding.wait_us or 0) <= DECODE_BACKLOG_US:
            return False
        has_dropped = decoding.frames_dropped > self._frames_dropped
        return decoding.decode_us > (BUSY_RATIO if has_dropped else FULL_RATIO) * interval_us

    def _direction(self, target_bps: int, now_us: int, *, is_tested: bool) -> int:
        """Return 1 for a step down, -1 for one up, 0 for none."""
        is_lowest = self._at == len(self._rungs) - 1
        if now_us < self._slow_until_us:
            return 0 if is_lowest else 1
        if self._pixels_per_s is None:
            return 0
        if not is_lowest and is_tested and target_bps < LOW_BITS_PER_PIXEL * self._load(self._at):
            return 1
        if self._at == 0 or now_us < self._spared_until_us:
            return 0
        return -1 if target_bps > ROOM_RATIO * LOW_BITS_PER_PIXEL * self._load(self._at - 1) else 0

    def _load(self, at: int) -> float:
        assert self._pixels_per_s is not None
        return self._pixels_per_s * self._rungs[at].load_ratio
