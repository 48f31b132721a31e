"""Wait in a capture thread for the next turn of a steady cadence, so that whoever calls `wake` is heard.

Owns the deadlines of one source. Turns that were missed are skipped and never made up for: a burst of late pictures is
worth less than the next one in time.
"""

from threading import Event

from streamer.clock import Clock, sharpen_thread_timers

_US_PER_S = 1_000_000
# The end of a wait is spent in one exact sleep that nothing interrupts: an `Event` alone wakes 0.18 ms late (median of
# 180 waits at 59.7 per second), with this split 0.08 ms. A `wake` is heard at most this much later.
_EXACT_US = 2_000


def wait_until_us(clock: Clock, at_us: int, interrupt: Event) -> bool:
    """Block until `at_us` or until `interrupt` is set, and return whether it was set before the exact end began."""
    if clock.wait_until_us(at_us - _EXACT_US, interrupt):
        return True
    clock.block_until_us(at_us)
    return False


class Ticker:
    """A cadence of `fps` turns per second. `wait` belongs to one thread; `wake` may be called from any."""

    def __init__(self, clock: Clock, fps: float) -> None:
        self._clock = clock
        self._interval_us = _US_PER_S / fps
        self._origin_us: int | None = None
        self._turn = 0
        self._woken = Event()

    def wake(self) -> None:
        """Make a blocked or the next `wait` return at once."""
        self._woken.set()

    def wait(self, timeout_us: int) -> bool:
        """Block until the next turn and return True, or False after `timeout_us` or a `wake`. The first is at once."""
        now_us = self._clock.now_us()
        if self._origin_us is None:
            sharpen_thread_timers()
            self._origin_us = now_us
        due_us = self._due_us(self._origin_us)
        until_us = min(due_us, now_us + timeout_us)
        if wait_until_us(self._clock, until_us, self._woken):
            self._woken.clear()
            return False
        if until_us < due_us:
            return False
        self._advance(self._origin_us)
        return True

    def _due_us(self, origin_us: int) -> int:
        # From the origin and not from the last turn, so that rounding and lateness do not add up.
        return origin_us + round(self._turn * self._interval_us)

    def _advance(self, origin_us: int) -> None:
        """Choose the next turn: the first that is at least half an interval away."""
        passed = (self._clock.now_us() - origin_us) / self._interval_us
        self._turn = max(self._turn + 1, int(passed + 0.5) + 1)
