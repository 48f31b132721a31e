"""OpenGL's pictures that stay on the GPU: the demo scene at sizes that count."""

import numpy as np
import pytest

from streamer.cuda.gpu import Gpu
from streamer.cuda.memory import host_copies
from streamer.media.frame import MemoryKind, PixelFormat, Resolution
from streamer.sources import gl
from streamer.sources._gl.context import device
from streamer.sources.base import SourceSettings
from tests.cuda.machine import read_back
from tests.fakes.clock import ManualClock
from tests.gpu.timing import timed

FULL_HD, UHD = Resolution(1920, 1080), Resolution(3840, 2160)
LONG_US = 30_000_000


@pytest.fixture(autouse=True)
def _needs_opengl_on_the_gpu():
    reason = gl.why_unavailable()
    if reason is None and "NVIDIA" not in device().renderer:
        reason = f"OpenGL is done by {device().renderer}: is libnvidia-egl here? (NVIDIA_DRIVER_CAPABILITIES=graphics)"
    if reason is not None:
        pytest.skip(reason)


def opened(size, gpu, *, has_stamp=False):
    options = gl.Options(has_stamp=has_stamp)
    stays = gpu is not None
    return gl.create(SourceSettings(size, 60, ManualClock(), options, gpu=gpu or 0, stays_on_gpu=lambda: stays))


def first_picture(size, gpu, *, has_stamp=False):
    source = opened(size, gpu, has_stamp=has_stamp)
    frame = source.grab(LONG_US)
    surface = frame.surface
    assert (surface.memory is MemoryKind.CUDA, surface.format) == (gpu is not None, PixelFormat.BGRA)
    content = np.frombuffer(surface.planes[0].buffer, np.uint8).copy() if gpu is None else read_back(surface)
    source.release(frame)
    source.close()
    return content.reshape(size.height_px, size.width_px, 4)


@pytest.mark.parametrize("has_stamp", [False, True], ids=["plain", "stamped"])
@pytest.mark.parametrize("size", [FULL_HD, UHD, Resolution(98, 54)], ids=str)
def test_picture_on_the_gpu_is_that_of_the_host(size, has_stamp):
    here, there = first_picture(size, 0, has_stamp=has_stamp), first_picture(size, None, has_stamp=has_stamp)

    assert np.array_equal(here[..., :3], there[..., :3])


@pytest.mark.parametrize("size", [FULL_HD, UHD], ids=str)
def test_demo_is_drawn_and_handed_over_without_the_host(note, size):
    gpu = Gpu.open(0)
    source = opened(size, 0)
    counted = host_copies.count

    def draw():
        frame = source.grab(LONG_US)
        stream = gpu.borrow_stream(frame.surface.stream)
        with gpu.current():
            stream.wait()
        source.release(frame)

    note(f"draw the demo at {size} and hand it over", **timed(draw))

    assert host_copies.count == counted
    source.close()
