from dataclasses import replace

import numpy as np
import pytest

from streamer.encoders._picture import Pictures
from streamer.media.frame import PixelFormat, Plane, Resolution, Surface
from tests.fakes import clips

SIZE = Resolution(64, 32)
OTHER = {PixelFormat.NV12: PixelFormat.I420, PixelFormat.I420: PixelFormat.NV12}


def address(surface: Surface) -> int:
    return int(np.frombuffer(surface.planes[0].buffer, np.uint8).ctypes.data)


def picture_address(pictures: Pictures, surface: Surface) -> int:
    return int(np.frombuffer(pictures.wrap(surface).planes[0], np.uint8).ctypes.data)


@pytest.mark.parametrize("pixel_format", OTHER)
def test_picture_of_adjacent_planes_is_the_same_memory(pixel_format: PixelFormat) -> None:
    surface = clips.smooth_frame(SIZE, pixel_format).surface

    assert picture_address(Pictures(pixel_format, SIZE), surface) == address(surface)


def test_picture_of_a_later_part_of_a_buffer_is_the_same_memory() -> None:
    pool = np.zeros(3 * 64 * 48, np.uint8)
    frame = clips.block_frame(pool[64 * 48 : 2 * 64 * 48].reshape(48, 64), PixelFormat.NV12, SIZE)

    assert picture_address(Pictures(PixelFormat.NV12, SIZE), frame.surface) == address(frame.surface)


@pytest.mark.parametrize("pixel_format", OTHER)
def test_picture_of_planes_in_different_places_is_gathered(pixel_format: PixelFormat) -> None:
    surface = clips.smooth_frame(SIZE, pixel_format).surface
    apart = replace(
        surface, planes=tuple(Plane(each.pitch_bytes, memoryview(bytes(each.buffer))) for each in surface.planes)
    )
    pictures = Pictures(pixel_format, SIZE)

    picture = pictures.wrap(apart)

    for plane, wanted in zip(picture.planes, surface.planes, strict=True):
        assert bytes(plane) == bytes(wanted.buffer)


@pytest.mark.parametrize("pixel_format", OTHER)
def test_picture_of_the_other_format_has_the_same_samples(pixel_format: PixelFormat) -> None:
    surface = clips.smooth_frame(SIZE, pixel_format).surface
    twice = Pictures(OTHER[pixel_format], SIZE), Pictures(pixel_format, SIZE)

    planes = [memoryview(bytes(plane)) for plane in twice[0].wrap(surface).planes]
    pitches = [64, 64] if len(planes) == 2 else [64, 32, 32]
    there = replace(
        surface, format=OTHER[pixel_format], planes=tuple(Plane(*each) for each in zip(pitches, planes, strict=True))
    )
    back = twice[1].wrap(there)

    for plane, wanted in zip(back.planes, surface.planes, strict=True):
        assert bytes(plane) == bytes(wanted.buffer)
