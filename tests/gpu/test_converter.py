"""The CUDA converter, its kernels compiled by NVRTC for the GPU at hand."""

import numpy as np
import pytest

from streamer.converters import cuda
from streamer.converters.base import ConverterSettings
from streamer.cuda.gpu import Gpu
from streamer.cuda.surface import allocate
from streamer.media.frame import BT601_LIMITED, MemoryKind, PixelFormat, Resolution, VideoFrame
from tests.cuda.conversions import CHANNELS, YUV, Form, convert, on_host, packed, planes, shrunk, yuv_of
from tests.cuda.machine import picture
from tests.gpu.timing import timed

SIZE, HALF = Resolution(1280, 720), Resolution(640, 360)
CUDA = MemoryKind.CUDA


@pytest.fixture(autouse=True)
def _needs_a_compiler():
    reason = cuda.why_unavailable()
    if reason is not None:
        pytest.skip(reason)


@pytest.mark.parametrize("target", YUV)
@pytest.mark.parametrize("source", CHANNELS)
def test_cuda_converts_by_the_formulas(source, target):
    rgb = picture(SIZE.height_px, SIZE.width_px, 3)
    wanted = Form(target, SIZE)

    found = planes(convert(packed(rgb, source), Form(source, SIZE), wanted), wanted)

    luma, blue, red = yuv_of(rgb)
    for plane, expected in zip(found, (luma, shrunk(blue, 2), shrunk(red, 2)), strict=True):
        assert np.abs(plane - expected).max() <= 0.51


@pytest.mark.parametrize("target", YUV)
def test_cuda_agrees_with_the_converters_of_the_host(target):
    patches = picture(90, 160, 3).repeat(8, 0).repeat(8, 1)
    came, wanted = Form(PixelFormat.RGBA, SIZE), Form(target, SIZE)

    here = planes(convert(packed(patches, came.format), came, wanted), wanted)

    there = planes(on_host(packed(patches, came.format), came, wanted), wanted)
    for step, mine, theirs in zip((8, 4, 4), here, there, strict=True):
        inside = np.s_[step // 2 :: step, step // 2 :: step]
        assert np.abs(mine[inside].astype(int) - theirs[inside]).max() <= 2


def test_cuda_shrinks_by_means():
    rgb = picture(SIZE.height_px, SIZE.width_px, 3)
    wanted = Form(PixelFormat.BGRA, HALF)

    (found,) = planes(convert(rgb, Form(PixelFormat.RGB24, SIZE), wanted), wanted)

    assert np.abs(found[..., 2::-1] - shrunk(rgb, 2)).max() <= 0.51


@pytest.mark.parametrize("target", YUV)
@pytest.mark.parametrize("source", YUV)
def test_cuda_keeps_planar_samples_as_they_are(source, target):
    content = picture(SIZE.pixels * 3 // 2)

    found = planes(convert(content, Form(source, SIZE), Form(target, SIZE)), Form(target, SIZE))

    for mine, theirs in zip(found, planes(content, Form(source, SIZE)), strict=True):
        assert np.array_equal(mine, theirs)


@pytest.mark.parametrize("wanted", [Resolution(1920, 1080), Resolution(1280, 720)], ids=str)
@pytest.mark.parametrize("came", [Resolution(1920, 1080), Resolution(3840, 2160)], ids=str)
def test_cuda_converts_quickly(note, came, wanted):
    gpu = Gpu.open(0)
    canvas = allocate(gpu, PixelFormat.RGBA, came)
    frame = VideoFrame(canvas.surface, 0, 0)
    settings = ConverterSettings(PixelFormat.RGBA, came, PixelFormat.NV12, wanted, BT601_LIMITED, CUDA, CUDA, device=0)
    converter = cuda.create(settings)

    def convert_and_wait():
        surface = converter.convert(frame).surface
        stream = gpu.borrow_stream(surface.stream)
        with gpu.current():
            stream.wait()

    note(f"convert rgba {came} to nv12 {wanted}", **timed(convert_and_wait))
    converter.close()
