import numpy as np
import pytest

from streamer.errors import ConfigError, LocalProtocolError
from streamer.media.frame import PixelFormat, Resolution
from streamer.sources._ring import SurfaceRing, allocate

SIZE = Resolution(64, 48)
OTHER_SIZE = Resolution(32, 48)


@pytest.mark.parametrize("pixel_format", list(PixelFormat))
def test_planes_share_the_memory_of_the_arrays(pixel_format):
    canvas = allocate(pixel_format, SIZE)

    for index, array in enumerate(canvas.arrays):
        array[...] = index + 7

    for index, plane in enumerate(canvas.surface.planes):
        assert plane.buffer is not None
        assert set(bytes(plane.buffer)) == {index + 7}
        assert plane.pointer == canvas.arrays[index].ctypes.data


@pytest.mark.parametrize(
    ("pixel_format", "bytes_per_pixel"),
    [(PixelFormat.BGRA, 4), (PixelFormat.RGB24, 3), (PixelFormat.NV12, 1.5), (PixelFormat.I420, 1.5)],
)
def test_planes_lie_one_after_the_other_on_a_cache_line(pixel_format, bytes_per_pixel):
    planes = allocate(pixel_format, SIZE).surface.planes

    sizes = [plane.buffer.nbytes for plane in planes]
    starts = [plane.pointer for plane in planes]
    assert starts[0] % 64 == 0
    assert [start - starts[0] for start in starts] == list(np.cumsum([0, *sizes[:-1]]))
    assert sum(sizes) == SIZE.pixels * bytes_per_pixel


def test_odd_sizes_are_refused_where_colour_is_halved():
    with pytest.raises(ConfigError, match="65x48 is odd"):
        allocate(PixelFormat.I420, Resolution(65, 48))


def test_ring_gives_none_while_all_are_taken_and_then_the_released_one():
    ring = SurfaceRing(PixelFormat.BGRA, SIZE, surfaces=2)
    first, second = ring.take(), ring.take()
    assert ring.take() is None

    ring.release(first.surface)

    assert ring.take() is first
    assert ring.take() is None
    assert second is not None


def test_ring_gives_what_was_free_for_longest():
    ring = SurfaceRing(PixelFormat.BGRA, SIZE, surfaces=3)
    first = ring.take()
    ring.release(first.surface)

    assert ring.take() is not first


def test_ring_refuses_what_it_did_not_give():
    ring = SurfaceRing(PixelFormat.BGRA, SIZE)

    with pytest.raises(LocalProtocolError):
        ring.release(allocate(PixelFormat.BGRA, SIZE).surface)


def test_ring_refuses_what_came_back_before():
    ring = SurfaceRing(PixelFormat.BGRA, SIZE)
    canvas = ring.take()
    ring.release(canvas.surface)

    with pytest.raises(LocalProtocolError):
        ring.release(canvas.surface)


def test_reshaped_ring_forgets_old_surfaces_when_they_come_back():
    ring = SurfaceRing(PixelFormat.BGRA, SIZE, surfaces=1)
    old = ring.take()

    ring.reshape(PixelFormat.NV12, OTHER_SIZE)
    new = ring.take()
    ring.release(old.surface)

    assert (new.surface.format, new.surface.resolution) == (PixelFormat.NV12, OTHER_SIZE)
    assert ring.take() is None


def test_ring_that_cannot_be_reshaped_stays_as_it_was():
    ring = SurfaceRing(PixelFormat.BGRA, SIZE, surfaces=1)
    odd = Resolution(33, 48)

    # Twice, as by a program that goes on pushing.
    for _ in range(2):
        with pytest.raises(ConfigError):
            ring.reshape(PixelFormat.NV12, odd)
    canvas = ring.take()

    assert (canvas.surface.format, canvas.surface.resolution) == (PixelFormat.BGRA, SIZE)


def test_closed_ring_gives_nothing_and_takes_back_quietly():
    ring = SurfaceRing(PixelFormat.BGRA, SIZE, surfaces=2)
    held = ring.take()

    ring.close()
    ring.release(held.surface)

    assert ring.take() is None
