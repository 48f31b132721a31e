"""OpenGL's pictures in CUDA's memory: Mesa draws, and the substitute driver takes its buffers for the device's."""

import numpy as np
import pytest

from streamer.cuda.errors import CudaError
from streamer.cuda.gpu import Gpu
from streamer.cuda.graphics import PixelBuffer
from streamer.cuda.memory import host_copies
from streamer.media.frame import MemoryKind, PixelFormat, Resolution
from streamer.sources import gl
from streamer.sources._gl import exits
from streamer.sources.base import SourceSettings
from tests.cuda.machine import read_back
from tests.fakes.clock import ManualClock

SIZE = Resolution(98, 54)
LONG_US = 30_000_000
PICTURES = 6


@pytest.fixture(autouse=True)
def _mesa_is_taken_for_nvidias(monkeypatch):
    monkeypatch.setattr(exits, "_VENDOR", "")


def opened(gpu, *, has_stamp=False):
    options = gl.Options(has_stamp=has_stamp)
    return gl.create(
        SourceSettings(SIZE, 60, ManualClock(), options, gpu=gpu or 0, stays_on_gpu=lambda: gpu is not None)
    )


def pictures(gpu, *, has_stamp):
    source = opened(gpu, has_stamp=has_stamp)
    for _ in range(PICTURES):
        frame = source.grab(LONG_US)
        surface = frame.surface
        assert (surface.memory is MemoryKind.CUDA, surface.format) == (gpu is not None, PixelFormat.BGRA)
        content = np.frombuffer(surface.planes[0].buffer, np.uint8).copy() if gpu is None else read_back(surface)
        yield content.reshape(SIZE.height_px, SIZE.width_px, 4)[..., :3]
        source.release(frame)
    source.close()


@pytest.mark.parametrize("has_stamp", [False, True], ids=["plain", "stamped"])
@pytest.mark.parametrize("gpu", [0, 1])
def test_picture_on_the_gpu_is_that_of_the_host(gpu, has_stamp):
    here, there = pictures(gpu, has_stamp=has_stamp), pictures(None, has_stamp=has_stamp)

    for mine, theirs in zip(here, there, strict=True):
        assert np.array_equal(mine, theirs)


def test_picture_is_drawn_and_handed_over_without_the_host():
    source = opened(0)
    counted = host_copies.count

    frame = source.grab(LONG_US)

    assert host_copies.count == counted
    source.release(frame)
    source.close()


def test_pictures_go_through_the_host_where_the_gpu_cannot_be_used(caplog):
    source = opened(7)

    frame = source.grab(LONG_US)

    assert frame.surface.memory is MemoryKind.HOST
    assert "copied through the host because GPU 7 is asked for, but there are 2" in caplog.text
    source.release(frame)
    source.close()


def test_pixel_buffer_needs_a_context_of_opengl():
    with pytest.raises(CudaError, match="INVALID_GRAPHICS_CONTEXT"):
        PixelBuffer(Gpu.open(0), name=1, pitch_bytes=4)
