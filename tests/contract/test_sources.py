"""What every source of frames promises, for every backend that can run here."""

from collections.abc import Iterator
from itertools import pairwise
from threading import Thread

import numpy as np
import pytest

from streamer.errors import LocalProtocolError
from streamer.media.frame import MemoryKind, PixelFormat
from streamer.sources.base import FrameSource, PromptSource
from tests.fakes.availability import available
from tests.fakes.clock import ManualClock
from tests.fakes.sources import SIZE, Rig, bytes_of, frame_sources, open_rig, read_stamp

LONG_US = 30_000_000
SHORT_US = 50_000
# No source owns that many surfaces.
MANY = 64
PLANE_ROWS = {PixelFormat.NV12: (1.0, 0.5), PixelFormat.I420: (1.0, 0.5, 0.5)}


@pytest.fixture(params=frame_sources())
def name(request: pytest.FixtureRequest) -> str:
    return available("sources", request.param)


@pytest.fixture
def rig(name: str) -> Iterator[Rig]:
    with open_rig(name, last_input=lambda: 177) as rig:
        yield rig


def grab(rig: Rig):
    rig.stir()
    frame = rig.source.grab(LONG_US)
    assert frame is not None
    return frame


def take_all(rig: Rig):
    """Grab without releasing until there is no surface left."""
    held = [grab(rig)]
    for _ in range(MANY):
        rig.stir()
        frame = rig.source.grab(SHORT_US)
        if frame is None:
            return held
        held.append(frame)
    pytest.fail(f"{MANY} frames are out and none was ever released")


def test_source_is_of_the_contract(rig):
    source: FrameSource = rig.source

    assert source.resolution == SIZE


def test_frames_have_growing_numbers_and_times(rig):
    seen = []
    for _ in range(8):
        frame = grab(rig)
        seen.append((frame.number, frame.capture_us))
        rig.source.release(frame)

    assert all(number < later and at_us < later_us for (number, at_us), (later, later_us) in pairwise(seen))


def test_surface_says_where_its_pixels_are(rig):
    surface = grab(rig).surface

    assert surface.resolution == rig.source.resolution
    assert surface.memory is MemoryKind.HOST
    rows = PLANE_ROWS.get(surface.format, (1.0,))
    assert len(surface.planes) == len(rows)
    for plane, share in zip(surface.planes, rows, strict=True):
        assert plane.buffer is not None
        assert plane.buffer.nbytes >= plane.pitch_bytes * surface.resolution.height_px * share
        assert plane.pointer is None or plane.pointer == np.frombuffer(plane.buffer, np.uint8).ctypes.data


def test_frame_stays_as_it_is_while_it_is_held(rig):
    held = grab(rig)
    before = bytes_of(held)

    for _ in range(10):
        rig.source.release(grab(rig))

    assert bytes_of(held) == before


def test_grab_gives_none_while_every_surface_is_in_use(rig):
    held = take_all(rig)

    assert len(held) >= 4
    rig.source.release(held.pop())
    assert grab(rig) is not None


def test_surface_cannot_be_released_twice(rig):
    frame = grab(rig)
    rig.source.release(frame)

    with pytest.raises(LocalProtocolError, match="not in use"):
        rig.source.release(frame)


def test_wake_ends_a_blocked_grab(name):
    with open_rig(name, fps=0.001) as rig:
        while (frame := rig.source.grab(SHORT_US)) is not None:
            rig.source.release(frame)
        grabbed = []
        thread = Thread(target=lambda: grabbed.append(rig.source.grab(LONG_US)))
        thread.start()

        rig.source.wake()
        thread.join(LONG_US / 3 / 1_000_000)

        assert grabbed == [None]


def test_wake_makes_the_next_grab_return_at_once(name):
    with open_rig(name) as rig:
        rig.source.wake()

        assert rig.source.grab(LONG_US) is None


def test_grab_goes_on_after_a_wake(rig):
    rig.source.wake()
    rig.source.grab(LONG_US)

    assert grab(rig) is not None


def test_hastened_frame_comes_at_once_with_the_input_and_the_next_an_interval_later(name):
    clock, applied = ManualClock(), [1]
    with open_rig(name, fps=10, clock=clock, last_input=lambda: applied[-1]) as rig:
        if not isinstance(rig.source, PromptSource):
            pytest.skip(f"{name} hands on what comes out of turn by itself")
        rig.source.release(grab(rig))
        clock.at_us += 60_000
        applied.append(2)
        hastened_at_us = clock.now_us()

        rig.source.hasten()
        hastened, following = grab(rig), grab(rig)

        assert (hastened.input_number, hastened.capture_us) == (2, hastened_at_us)
        assert following.capture_us == hastened_at_us + 100_000


def test_frame_carries_the_number_of_the_last_input(rig):
    assert grab(rig).input_number == 177


def test_stamp_in_the_pixels_is_that_of_the_frame(rig):
    if not rig.is_stamped:
        pytest.skip("this source draws no stamp")
    rig.source.release(grab(rig))

    frame = grab(rig)

    stamp = read_stamp(frame)
    assert stamp is not None
    assert (stamp.frame_number, stamp.input_number) == (frame.number, 177)
    assert stamp.time_100us == frame.capture_us // 100 % (1 << 32)


def test_source_can_be_closed_twice_and_held_frames_be_given_back_later(rig):
    frame = grab(rig)

    rig.source.close()
    rig.source.close()

    rig.source.release(frame)
