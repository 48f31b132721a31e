"""The CUDA converter: what it makes of pictures, with a processor playing its kernels; NVRTC is of a real driver."""

import functools

import numpy as np
import pytest

from streamer.converters import cuda
from streamer.converters.base import ConverterSettings
from streamer.cuda.kernels import Kernels
from streamer.errors import ConverterError, Unavailable
from streamer.media.frame import BT709_LIMITED, MemoryKind, PixelFormat, Resolution
from tests.cuda.conversions import (
    CHANNELS,
    YUV,
    Form,
    clip,
    convert,
    on_host,
    packed,
    planes,
    shrunk,
    yuv_of,
)
from tests.cuda.host_kernels import HostKernels
from tests.cuda.machine import picture

SIZE = Resolution(32, 20)
DOUBLE = Resolution(64, 40)
FOUR_BYTES = (PixelFormat.BGRA, PixelFormat.RGBA)
NV12, RGBA = PixelFormat.NV12, PixelFormat.RGBA
CUDA, HOST = MemoryKind.CUDA, MemoryKind.HOST


@pytest.fixture(autouse=True)
def _kernels_on_the_processor(monkeypatch):
    monkeypatch.setattr(cuda, "why_no_compiler", lambda: None)
    monkeypatch.setattr(Kernels, "compiled", functools.cache(lambda _, path, __: HostKernels(path)))


def rgb_noise(size):
    return picture(size.height_px, size.width_px, 3)


@pytest.mark.parametrize("target", YUV)
@pytest.mark.parametrize("source", CHANNELS)
def test_cuda_converts_by_the_formulas(source, target):
    rgb = rgb_noise(SIZE)
    wanted = Form(target, SIZE)

    found = planes(convert(packed(rgb, source), Form(source, SIZE), wanted), wanted)

    luma, blue, red = yuv_of(rgb)
    for plane, expected in zip(found, (luma, shrunk(blue, 2), shrunk(red, 2)), strict=True):
        # Half a step by rounding, and what floats of 32 bits lose.
        assert np.abs(plane - expected).max() <= 0.51


@pytest.mark.parametrize("target", YUV)
def test_cuda_agrees_with_the_converters_of_the_host(target):
    patches = picture(5, 8, 3).repeat(8, 0).repeat(8, 1)
    came, wanted = Form(RGBA, DOUBLE), Form(target, DOUBLE)

    here = planes(convert(packed(patches, RGBA), came, wanted), wanted)

    there = planes(on_host(packed(patches, RGBA), came, wanted), wanted)
    for step, mine, theirs in zip((8, 4, 4), here, there, strict=True):
        inside = np.s_[step // 2 :: step, step // 2 :: step]
        assert np.abs(mine[inside].astype(int) - theirs[inside]).max() <= 2


@pytest.mark.parametrize("target", FOUR_BYTES)
@pytest.mark.parametrize("source", CHANNELS)
def test_cuda_reorders_packed_pixels(source, target):
    rgb = rgb_noise(Resolution(33, 7))
    size = Resolution(33, 7)

    (found,) = planes(convert(packed(rgb, source), Form(source, size), Form(target, size)), Form(target, size))

    assert np.array_equal(found[..., :3], packed(rgb, target)[..., :3])
    assert (found[..., 3] == 255).all()


def test_cuda_shrinks_by_means():
    rgb = rgb_noise(DOUBLE)
    wanted = Form(RGBA, SIZE)

    (found,) = planes(convert(rgb, Form(PixelFormat.RGB24, DOUBLE), wanted), wanted)

    assert np.abs(found[..., :3] - shrunk(rgb, 2)).max() <= 0.51


def test_cuda_shrinks_while_it_converts():
    rgb = rgb_noise(DOUBLE)
    wanted = Form(NV12, SIZE)

    found = planes(convert(packed(rgb, RGBA), Form(RGBA, DOUBLE), wanted), wanted)

    luma, blue, red = yuv_of(rgb)
    for plane, expected in zip(found, (shrunk(luma, 2), shrunk(blue, 4), shrunk(red, 4)), strict=True):
        assert np.abs(plane - expected).max() <= 0.51


@pytest.mark.parametrize("size", [Resolution(48, 30), Resolution(20, 14), Resolution(96, 60)], ids=str)
@pytest.mark.parametrize("source", [RGBA, NV12])
def test_cuda_keeps_flat_colours_at_any_size(source, size):
    form = Form(source, SIZE)
    if source is RGBA:
        content = np.full(4 * SIZE.pixels, 40, np.uint8)
    else:
        content = np.repeat(np.array([40, 80], np.uint8), [SIZE.pixels, SIZE.pixels // 2])
    wanted = Form(source if source is RGBA else PixelFormat.I420, size)

    found = planes(convert(content, form, wanted), wanted)

    if source is RGBA:
        assert (found[0][..., :3] == 40).all()
    else:
        assert [set(np.unique(plane)) for plane in found] == [{40}, {80}, {80}]


def test_cuda_grows_bilinearly():
    ramp = np.repeat(np.arange(0, 256, 8, dtype=np.uint8)[None, :, None], 20, 0).repeat(3, 2)
    wanted = Form(RGBA, DOUBLE)

    (found,) = planes(convert(ramp, Form(PixelFormat.RGB24, SIZE), wanted), wanted)

    # Between the middles of two pixels of the source, quarters of the way.
    assert found[10, 1:-1, 0].tolist() == [8 * n + part for n in range(31) for part in (2, 6)]


@pytest.mark.parametrize("target", YUV)
@pytest.mark.parametrize("source", YUV)
def test_cuda_keeps_planar_samples_as_they_are(source, target):
    content = picture(SIZE.pixels * 3 // 2)
    came, wanted = Form(source, SIZE), Form(target, SIZE)

    found = planes(convert(content, came, wanted, BT709_LIMITED), wanted)

    for mine, theirs in zip(found, planes(content, came), strict=True):
        assert np.array_equal(mine, theirs)


def settings(**changes):
    plain = {
        "input_format": RGBA,
        "input_resolution": SIZE,
        "output_format": NV12,
        "output_resolution": SIZE,
        "input_memory": CUDA,
        "output_memory": CUDA,
        "device": 0,
    }
    return ConverterSettings(**{**plain, **changes})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"input_memory": HOST}, "cuda memory alone"),
        ({"output_memory": HOST}, "cuda memory alone"),
        ({"output_format": PixelFormat.RGB24}, "does not make rgb24 of rgba"),
        ({"input_format": NV12, "output_format": RGBA}, "does not make rgba of nv12"),
        ({"output_resolution": Resolution(31, 20)}, "nv12 of 31x20"),
        ({"input_resolution": Resolution(0, 20)}, "rgba of 0x20"),
        ({"device": 7}, "GPU 7 is asked for"),
    ],
)
def test_cuda_says_which_pairs_it_does_not_do(changes, words):
    with pytest.raises(Unavailable, match=words):
        cuda.create(settings(**changes))


def test_cuda_refuses_a_surface_in_host_memory():
    converter = cuda.create(settings())

    with pytest.raises(ConverterError, match="rgba of 32x20 in host memory came; accepted is rgba of 32x20 in cuda"):
        converter.convert(clip(packed(rgb_noise(SIZE), RGBA), Form(RGBA, SIZE)))


def test_cuda_closes_twice_and_is_closed():
    converter = cuda.create(settings())

    converter.close()
    converter.close()

    with pytest.raises(ConverterError, match="closed"):
        converter.convert(clip(packed(rgb_noise(SIZE), RGBA), Form(RGBA, SIZE)))
