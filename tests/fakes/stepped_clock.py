"""A clock that stands still until the test steps it. Timers run inside `step`, in order."""

import asyncio
import heapq
import itertools
from collections.abc import Callable
from threading import Event

from streamer.alarm import TimerAlarm

# How often a thread that waits looks whether the test has stepped.
_LOOK_S = 0.002


class SteppedTimer:
    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self.callback = None


class SteppedClock:
    """A `Clock`. `step` and timers belong to the event loop or the test's thread; `now_us` to everybody."""

    def __init__(self, now_us: int = 1_000_000_000) -> None:
        self._now_us = now_us
        self._count = itertools.count()
        self._timers: list[tuple[int, int, SteppedTimer]] = []

    @property
    def timers(self) -> int:
        """How many calls are arranged."""
        return sum(timer.callback is not None for _, _, timer in self._timers)

    def step(self, by_us: int) -> None:
        """Let time pass, and everything happen that was arranged for it."""
        until_us = self._now_us + by_us
        while self._timers and self._timers[0][0] <= until_us:
            at_us, _, timer = heapq.heappop(self._timers)
            self._now_us = max(self._now_us, at_us)
            if timer.callback is not None:
                callback, timer.callback = timer.callback, None
                callback()
        self._now_us = until_us

    def now_us(self) -> int:
        return self._now_us

    def wall_us(self) -> int:
        return self._now_us + 1_700_000_000_000_000

    def call_at_us(self, at_us: int, callback: Callable[[], None]) -> SteppedTimer:
        timer = SteppedTimer(callback)
        heapq.heappush(self._timers, (at_us, next(self._count), timer))
        return timer

    def alarm(self, ring: Callable[[], None]) -> TimerAlarm:
        return TimerAlarm(self.call_at_us, ring)

    async def sleep_until_us(self, at_us: int) -> None:
        passed = asyncio.Event()
        timer = self.call_at_us(at_us, passed.set)
        try:
            await passed.wait()
        finally:
            timer.cancel()

    def wait_until_us(self, at_us: int, interrupt: Event) -> bool:
        while self._now_us < at_us:
            if interrupt.wait(_LOOK_S):
                return True
        return interrupt.is_set()

    def block_until_us(self, at_us: int) -> None:
        self.wait_until_us(at_us, Event())
