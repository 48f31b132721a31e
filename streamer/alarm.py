"""Alarms that ring on the event loop at an exact instant, set again and again.

asyncio rounds the wait for its timers up to a millisecond, which is a third of what a burst of packets waits for its
turn. The kernel's own timers are descriptors that the loop watches, and ring within 0.1 ms.
"""

import asyncio
import os
import time
from collections.abc import Callable
from typing import Any, Protocol

from cffi import FFI

_NS_PER_US = 1_000
_NS_PER_S = 1_000_000_000
# timerfd_settime(2): the time is an instant and not a duration.
_ABSOLUTE = 1
_EXPIRATIONS_BYTES = 8


class Timer(Protocol):
    """A call that has been arranged and can be taken back."""

    def cancel(self) -> None: ...


class Alarm(Protocol):
    """Calls back on the event loop at the instant it was last set to. Used on the event loop only."""

    def set(self, at_us: int) -> None:
        """Ring at `at_us` of the monotonic clock, and at no other instant; at once when that has passed."""

    def clear(self) -> None:
        """Do not ring."""

    def close(self) -> None:
        """Give up what the alarm holds, its callback too. It cannot be set again. Harmless when called twice."""


def _stay_silent() -> None:
    """Do nothing."""


class TimerAlarm:
    """An alarm made of single timers, as exact as these are. `call_at_us` arranges one."""

    def __init__(self, call_at_us: Callable[[int, Callable[[], None]], Timer], ring: Callable[[], None]) -> None:
        self._call_at_us = call_at_us
        self._ring = ring
        self._timer: Timer | None = None

    def set(self, at_us: int) -> None:
        self.clear()
        self._timer = self._call_at_us(at_us, self._rings)

    def clear(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def close(self) -> None:
        self.clear()
        self._ring = _stay_silent

    def _rings(self) -> None:
        self._timer = None
        self._ring()


_ffi = FFI()
_ffi.cdef("""
struct timespec { long tv_sec; long tv_nsec; };
struct itimerspec { struct timespec it_interval; struct timespec it_value; };
int timerfd_create(int clockid, int flags);
int timerfd_settime(int fd, int flags, const struct itimerspec *new_value, struct itimerspec *old_value);
""")


class KernelAlarm:
    """An alarm of the kernel's (timerfd). Its descriptor is opened when it is first set."""

    # Python has these calls itself from 3.13 on; cffi's are three times as fast as ctypes'.
    _library: Any = _ffi.dlopen(None)

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._spec: Any = _ffi.new("struct itimerspec *")
        self._descriptor: int | None = None
        self._is_set = False

    @classmethod
    def is_there(cls) -> bool:
        """Return whether this system has such timers."""
        return hasattr(cls._library, "timerfd_create")

    def set(self, at_us: int) -> None:
        # A time of zero would disarm the timer.
        at_ns = max(1, at_us * _NS_PER_US)
        self._is_set = True
        self._arm(at_ns)

    def clear(self) -> None:
        if self._is_set:
            self._is_set = False
            self._arm(0)

    def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        self._is_set = False
        self._ring = _stay_silent
        if descriptor is not None:
            asyncio.get_running_loop().remove_reader(descriptor)
            os.close(descriptor)

    def _arm(self, at_ns: int) -> None:
        if self._descriptor is None:
            self._descriptor = self._open()
        value = self._spec.it_value
        value.tv_sec, value.tv_nsec = divmod(at_ns, _NS_PER_S)
        self._check(self._library.timerfd_settime(self._descriptor, _ABSOLUTE, self._spec, _ffi.NULL))

    def _open(self) -> int:
        flags = os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = self._check(self._library.timerfd_create(time.CLOCK_MONOTONIC, flags))
        asyncio.get_running_loop().add_reader(descriptor, self._rings)
        return descriptor

    def _check(self, result: int) -> int:
        if result < 0:
            raise OSError(_ffi.errno, os.strerror(_ffi.errno))
        return result

    def _rings(self) -> None:
        # The loop may have found the timer expired just before it was set again.
        assert self._descriptor is not None
        try:
            os.read(self._descriptor, _EXPIRATIONS_BYTES)
        except BlockingIOError:
            return
        self._is_set = False
        self._ring()
