"""Wait in a capture thread for the next turn of a steady cadence, so that `wake` and `hasten` are heard.

Owns the deadlines of one source. A turn that was hastened moves those after it. Turns that were missed are skipped and
never made up for: a burst of late pictures is worth less than the next one in time.
"""

from threading import Event

from streamer.clock import Clock, sharpen_thread_timers
from streamer.sources._rate_limit import RateLimit

_US_PER_S = 1_000_000
# The end of a wait is spent in one exact sleep that nothing interrupts: an `Event` alone wakes 0.18 ms late (median of
# 180 waits at 59.7 per second), with this split 0.08 ms. A `wake` is heard at most this much later.
_EXACT_US = 2_000
# Input that never ends may raise the rate by this much. The cadence of a rendition has the same headroom, so what comes
# early is encoded at once; and at 60 fps a key or a button each 170 ms never waits for room.
_HASTE_RATIO = 0.1


def wait_until_us(clock: Clock, at_us: int, interrupt: Event) -> bool:
    """Block until `at_us` or until `interrupt` is set, and return whether it was set before the exact end began."""
    if clock.wait_until_us(at_us - _EXACT_US, interrupt):
        return True
    clock.block_until_us(at_us)
    return False


class Ticker:
    """A cadence of `fps` turns per second. `wait` belongs to one thread; `hasten` and `wake` may be called from any."""

    def __init__(self, clock: Clock, fps: float) -> None:
        self._clock = clock
        self._interval_us = _US_PER_S / fps
        self._limit = RateLimit(fps * (1 + _HASTE_RATIO))
        self._origin_us: int | None = None
        self._turn = 0
        self._news = Event()
        self._is_hastened = False
        self._is_woken = False

    def hasten(self) -> None:
        """Let the next turn come at once, as far as the rate allows, and those after it follow from there."""
        self._is_hastened = True
        self._news.set()

    def wake(self) -> None:
        """Make a blocked or the next `wait` return at once."""
        self._is_woken = True
        self._news.set()

    def wait(self, timeout_us: int) -> bool:
        """Block until the next turn and return True, or False after `timeout_us` or a `wake`. The first is at once."""
        until_us = self._clock.now_us() + timeout_us
        if self._origin_us is None:
            sharpen_thread_timers()
            self._origin_us = self._clock.now_us()
        due_us = self._due_us(self._origin_us)
        while wait_until_us(self._clock, min(due_us, until_us), self._news):
            # Cleared before the look, so that what comes after it ends the next wait.
            self._news.clear()
            if self._is_woken:
                self._is_woken = False
                return False
            due_us = self._due_us(self._origin_us)
        if until_us < due_us:
            return False
        self._advance(self._origin_us, due_us)
        return True

    def _due_us(self, origin_us: int) -> int:
        # From the origin and not from the last turn, so that rounding and lateness do not add up.
        turn_us = origin_us + round(self._turn * self._interval_us)
        if not self._is_hastened:
            return turn_us
        return min(turn_us, max(self._clock.now_us(), self._limit.earliest_us))

    def _advance(self, origin_us: int, due_us: int) -> None:
        """Choose the next turn: the first that is at least half an interval away."""
        now_us = self._clock.now_us()
        self._limit.count(now_us)
        if self._is_hastened:
            # Whatever this turn draws shows the input, so those who hastened it have got what they wanted.
            self._is_hastened = False
            origin_us = self._origin_us = due_us
            self._turn = 0
        passed = (now_us - origin_us) / self._interval_us
        self._turn = max(self._turn + 1, int(passed + 0.5) + 1)
