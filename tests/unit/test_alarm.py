import asyncio
from pathlib import Path

import pytest

from streamer.alarm import KernelAlarm, TimerAlarm
from streamer.clock import SystemClock

_CLOCK = SystemClock()
_FAR_US = 3_600_000_000


def _open_descriptors():
    return len(list(Path("/proc/self/fd").iterdir()))


def _kernel(ring):
    return KernelAlarm(ring)


def _timers(ring):
    return TimerAlarm(_CLOCK.call_at_us, ring)


pytestmark = pytest.mark.parametrize("make", [_kernel, _timers])


async def test_alarm_rings_at_its_instant_and_not_before(make):
    rung, due_us = asyncio.Event(), _CLOCK.now_us() + 3_000
    alarm = make(rung.set)

    alarm.set(due_us)
    await rung.wait()

    assert _CLOCK.now_us() >= due_us
    alarm.close()


@pytest.mark.parametrize("at_us", [0, 1, -5])
async def test_alarm_rings_at_once_when_its_instant_has_passed(make, at_us):
    rung = asyncio.Event()
    alarm = make(rung.set)

    alarm.set(at_us)
    await rung.wait()

    alarm.close()


async def test_alarm_rings_once_for_the_instant_that_was_set_last(make):
    rings = []
    alarm = make(lambda: rings.append(_CLOCK.now_us()))
    due_us = _CLOCK.now_us() + 4_000

    alarm.set(_FAR_US + due_us)
    alarm.set(due_us)
    await _CLOCK.sleep_until_us(due_us + 10_000)

    (rung_us,) = rings
    assert rung_us >= due_us
    alarm.close()


async def test_alarm_that_was_cleared_is_silent(make):
    rings = []
    alarm = make(lambda: rings.append("rung"))

    alarm.set(_CLOCK.now_us() + 1_000)
    alarm.clear()
    alarm.clear()
    await _CLOCK.sleep_until_us(_CLOCK.now_us() + 5_000)

    assert rings == []
    alarm.close()


async def test_alarm_can_be_set_from_within_its_ring(make):
    rings, done = [], asyncio.Event()

    def ring():
        rings.append(_CLOCK.now_us())
        if len(rings) == 3:
            done.set()
        else:
            alarm.set(_CLOCK.now_us() + 500)

    alarm = make(ring)
    alarm.set(0)
    await done.wait()

    assert rings == sorted(rings)
    alarm.close()


async def test_alarm_that_was_set_again_after_it_expired_waits_for_the_new_instant(make):
    rings = []
    alarm = make(lambda: rings.append(_CLOCK.now_us()))
    alarm.set(_CLOCK.now_us())

    # The loop has not had a turn: the first instant has passed unheard.
    alarm.set(_CLOCK.now_us() + _FAR_US)
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert rings == []
    alarm.close()


async def test_alarm_gives_its_descriptor_back(make):
    before = _open_descriptors()

    for _ in range(3):
        alarm = make(lambda: None)
        alarm.set(_CLOCK.now_us() + _FAR_US)
        alarm.close()
        alarm.close()

    assert _open_descriptors() == before
