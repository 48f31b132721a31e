"""The only reader of time: a monotonic microsecond clock, timers on the event loop and waits in threads.

Tests inject a clock of their own with the same methods; ground-floor code is handed `now_us` and never sees this file.
"""

import asyncio
import ctypes
import time
from collections.abc import Callable
from threading import Event
from typing import Protocol

from streamer.alarm import Alarm, KernelAlarm, Timer, TimerAlarm

# prctl(2): timer slack of the calling thread in nanoseconds. The default of 50 us makes every sleep late by that much.
_PR_SET_TIMERSLACK = 29
_TIMER_SLACK_NS = 1


class Clock(Protocol):
    """Monotonic time in integer microseconds, and the ways to wait for it."""

    def now_us(self) -> int:
        """Return the monotonic time. Callable from any thread."""

    def wall_us(self) -> int:
        """Return microseconds since 1970 (UTC), for NTP stamps and logs alone: it can jump."""

    def call_at_us(self, at_us: int, callback: Callable[[], None]) -> Timer:
        """Call `callback` on the running event loop at `at_us`; at once when that has passed."""

    def alarm(self, ring: Callable[[], None]) -> Alarm:
        """Return an alarm that calls `ring` on the running event loop: more exact than `call_at_us`, set many times."""

    async def sleep_until_us(self, at_us: int) -> None:
        """Suspend the calling task until `at_us`."""

    def wait_until_us(self, at_us: int, interrupt: Event) -> bool:
        """Block the calling thread until `at_us` or until `interrupt` is set; return whether it was set."""

    def block_until_us(self, at_us: int) -> None:
        """Block the calling thread until `at_us`, as exactly as the kernel allows. Nothing interrupts it."""


class SystemClock:
    """The clock of this machine. One instance is enough for a process."""

    def now_us(self) -> int:
        return time.monotonic_ns() // 1000

    def wall_us(self) -> int:
        return time.time_ns() // 1000

    def call_at_us(self, at_us: int, callback: Callable[[], None]) -> Timer:
        loop = asyncio.get_running_loop()
        return loop.call_later(max(0, at_us - self.now_us()) / 1_000_000, callback)

    def alarm(self, ring: Callable[[], None]) -> Alarm:
        return KernelAlarm(ring) if KernelAlarm.is_there() else TimerAlarm(self.call_at_us, ring)

    async def sleep_until_us(self, at_us: int) -> None:
        await asyncio.sleep(max(0, at_us - self.now_us()) / 1_000_000)

    def wait_until_us(self, at_us: int, interrupt: Event) -> bool:
        return interrupt.wait(max(0, at_us - self.now_us()) / 1_000_000)

    def block_until_us(self, at_us: int) -> None:
        remaining_us = at_us - self.now_us()
        if remaining_us > 0:
            time.sleep(remaining_us / 1_000_000)


def sharpen_thread_timers() -> None:
    """Ask the kernel for exact timers in the calling thread; does nothing where the kernel has no such call."""
    try:
        ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, _TIMER_SLACK_NS, 0, 0, 0)
    except (OSError, AttributeError):
        return
