"""Surfaces in host and device memory, and the colours that come out."""

from dataclasses import replace

import numpy as np
import pytest

from streamer.errors import UnfitError
from streamer.media.frame import (
    BT601_LIMITED,
    BT709_LIMITED,
    SRGB_FULL,
    MemoryKind,
    PixelFormat,
    Plane,
    Resolution,
    Surface,
)
from tests.fakes import clips
from tests.nvidia.machine import ORDER, SMALL, decode, device_frame, means, opened

WIDTH_PX, HEIGHT_PX = SMALL.width_px, SMALL.height_px
# An orange, and its samples by BT.601 in limited range (H.273, clause 8.3).
RED, GREEN, BLUE = 220, 120, 40
ORANGE = (
    16 + 219 / 255 * (0.299 * RED + 0.587 * GREEN + 0.114 * BLUE),
    128 + 224 / 255 * (BLUE - (0.299 * RED + 0.587 * GREEN + 0.114 * BLUE)) / 1.772,
    128 + 224 / 255 * (RED - (0.299 * RED + 0.587 * GREEN + 0.114 * BLUE)) / 1.402,
)
CHANNELS = {PixelFormat.BGRA: (BLUE, GREEN, RED, 255), PixelFormat.RGBA: (RED, GREEN, BLUE, 255)}


def packed_surface(pixel_format):
    pixels = np.tile(np.array(CHANNELS[pixel_format], np.uint8), (HEIGHT_PX, WIDTH_PX))
    plane = Plane(WIDTH_PX * 4, memoryview(pixels).cast("B"))
    return pixels, Surface(MemoryKind.HOST, pixel_format, SMALL, (plane,), SRGB_FULL)


@pytest.mark.parametrize("pixel_format", CHANNELS)
def test_nvenc_converts_packed_pixels_from_host_memory(pixel_format):
    _, surface = packed_surface(pixel_format)
    frame = replace(clips.smooth_frame(SMALL), surface=surface)

    with opened(format=pixel_format, colour=SRGB_FULL) as encoder:
        (picture,) = decode(encoder.encode(frame, ORDER))

    assert means(picture) == pytest.approx(ORANGE, abs=2)
    # What the trial has found the driver to do, and not what we would like it to do.
    assert (picture.colorspace, picture.color_primaries, picture.color_trc) == (6, 1, 1)


@pytest.mark.parametrize("pixel_format", CHANNELS)
@pytest.mark.parametrize("stream", [None, 0, 1, 2], ids=lambda stream: f"stream-{stream}")
def test_nvenc_takes_packed_pixels_from_device_memory(pixel_format, stream):
    pixels, surface = packed_surface(pixel_format)

    with (
        device_frame([pixels], surface) as frame,
        opened(format=pixel_format, colour=SRGB_FULL, memory=MemoryKind.CUDA) as encoder,
    ):
        placed = replace(frame, surface=replace(frame.surface, stream=stream))
        (picture,) = decode(encoder.encode(placed, ORDER))

    assert means(picture) == pytest.approx(ORANGE, abs=2)


def nv12():
    luma = np.full((HEIGHT_PX, WIDTH_PX), 70, np.uint8)
    chroma = np.tile(np.array((90, 180), np.uint8), (HEIGHT_PX // 2, WIDTH_PX // 2))
    return [luma, chroma], Surface(MemoryKind.HOST, PixelFormat.NV12, SMALL, (), BT709_LIMITED)


def test_nvenc_takes_planes_from_device_memory():
    planes, surface = nv12()

    with device_frame(planes, surface) as frame, opened(memory=MemoryKind.CUDA, colour=BT709_LIMITED) as encoder:
        (picture,) = decode(encoder.encode(frame, ORDER))

    assert means(picture) == pytest.approx((70, 90, 180), abs=2)
    assert picture.colorspace == 1


def test_nvenc_lets_go_of_device_memory_when_it_returns():
    planes, surface = nv12()

    with opened(memory=MemoryKind.CUDA) as encoder:
        with device_frame(planes, surface) as frame:
            first = encoder.encode(frame, ORDER)
        with device_frame([plane // 2 for plane in planes], surface) as frame:
            second = encoder.encode(frame, replace(ORDER, keyframe=True))

    assert means(decode(first)[0]) == pytest.approx((70, 90, 180), abs=2)
    assert means(decode(second)[0]) == pytest.approx((35, 45, 90), abs=2)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"memory": MemoryKind.HOST}, "a surface in host memory; accepted is cuda"),
        ({"device": 1}, "a surface on GPU 1; the encoder runs on GPU 0"),
        ({"format": PixelFormat.RGBA}, "format rgba; accepted is nv12"),
        ({"resolution": Resolution(64, 64)}, "a surface of 64x64; accepted is 160x96"),
        ({"planes": (Plane(WIDTH_PX, pointer=4096),)}, "1 planes; accepted are 2"),
        ({"planes": (Plane(WIDTH_PX), Plane(WIDTH_PX))}, "no address in device memory"),
        (
            {"planes": (Plane(256, pointer=4096), Plane(256, pointer=8192))},
            "a pitch of 256 bytes; accepted is 160, rows without padding",
        ),
        ({"stream": 4096}, "a surface whose stream cannot be waited for"),
    ],
    ids=["host", "device", "format", "size", "planes", "address", "pitch", "stream"],
)
def test_nvenc_refuses_a_wrong_device_surface_and_goes_on(change, complaint):
    planes, surface = nv12()

    with device_frame(planes, surface) as frame, opened(memory=MemoryKind.CUDA) as encoder:
        with pytest.raises(UnfitError, match=complaint):
            encoder.encode(replace(frame, surface=replace(frame.surface, **change)), ORDER)

        assert encoder.encode(frame, ORDER).is_keyframe


@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_nvenc_signals_the_colours_of_a_surface(codec):
    with opened(codec=codec, colour=BT709_LIMITED) as encoder, opened(codec=codec, colour=BT601_LIMITED) as other:
        frame = clips.smooth_frame(SMALL)

        (picture,), (another,) = decode(encoder.encode(frame, ORDER)), decode(other.encode(frame, ORDER))

    assert (picture.colorspace, another.colorspace) == (1, 6)


def test_nvenc_refuses_host_memory_that_is_smaller_than_the_smallest():
    with (
        pytest.raises(UnfitError, match="pictures of 64x64; the smallest are 145x49"),
        opened(resolution=Resolution(64, 64)),
    ):
        pass
