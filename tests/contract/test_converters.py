"""What every converter promises, for every backend that can run here and every pair that it does."""

import resource

import numpy as np
import pytest

from streamer import registry
from streamer.converters.base import Converter, ConverterSettings
from streamer.errors import ConverterError, Unavailable
from streamer.media.frame import (
    BT601_LIMITED,
    BT709_LIMITED,
    ColourDescription,
    PixelFormat,
    Plane,
    Resolution,
    Surface,
    VideoFrame,
)
from tests.fakes import clips
from tests.fakes.availability import available

PACKED = tuple(clips.CHANNELS)
PLANAR = (PixelFormat.NV12, PixelFormat.I420)
SMALL = Resolution(320, 180)
# Sixteen levels of each channel, in patches of 8 pixels: swscale filters chroma across some of them.
LEVELS, PATCH_PX = np.arange(0, 256, 17), 8
# H.273, equations 38 to 40: the share of red and blue in luma.
LUMA_SHARES = {6: (0.299, 0.114), 1: (0.2126, 0.0722)}


@pytest.fixture(params=registry.names("converters"))
def backend(request: pytest.FixtureRequest) -> str:
    return available("converters", request.param)


def open_converter(
    backend: str,
    pair: tuple[PixelFormat, PixelFormat],
    sizes: tuple[Resolution, Resolution] = (SMALL, SMALL),
    colour: ColourDescription = BT601_LIMITED,
) -> Converter:
    settings = ConverterSettings(pair[0], sizes[0], pair[1], sizes[1], colour)
    try:
        return registry.load("converters", backend).create(settings)
    except Unavailable as exc:
        pytest.skip(exc.reason)


def planes_of(frame: VideoFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return Y, U and V of a frame as a converter makes them, as arrays of rows."""
    surface = frame.surface
    width_px, height_px = surface.resolution.width_px, surface.resolution.height_px
    arrays = [np.frombuffer(plane.buffer, np.uint8).reshape(-1, plane.pitch_bytes) for plane in surface.planes]
    if surface.format == PixelFormat.NV12:
        luma, chroma = arrays
        arrays = [luma, chroma[:, 0::2], chroma[:, 1::2]]
    assert [array.shape for array in arrays] == [
        (height_px, width_px),
        (height_px // 2, width_px // 2),
        (height_px // 2, width_px // 2),
    ]
    return arrays[0], arrays[1], arrays[2]


def to_rgb(y: float, u: float, v: float, colour: ColourDescription) -> np.ndarray:
    """Return the colour of one sample by the formulas of H.273, in floats."""
    assert not colour.is_full_range
    red_share, blue_share = LUMA_SHARES[colour.matrix]
    luma, blue, red = (y - 16) / 219, (u - 128) / 224, (v - 128) / 224
    r = luma + 2 * (1 - red_share) * red
    b = luma + 2 * (1 - blue_share) * blue
    g = (luma - red_share * r - blue_share * b) / (1 - red_share - blue_share)
    return np.array([r, g, b]).clip(0, 1) * 255


def patch_errors(frame: VideoFrame) -> float:
    """Return the largest difference between the middle of a patch and its colour, in steps of 1/255."""
    y, u, v = planes_of(frame)
    errors = []
    for index, wanted in enumerate(clips.BARS):
        row = (2 * (index // 4) + 1) * y.shape[0] // 8
        column = (2 * (index % 4) + 1) * y.shape[1] // 8
        sample = float(y[row, column]), float(u[row // 2, column // 2]), float(v[row // 2, column // 2])
        got = to_rgb(*sample, frame.surface.colour)
        errors.append(np.abs(got - wanted).max())
    return max(errors)


def colour_cube() -> np.ndarray:
    """Return colours from all over the cube as 64 by 64 patches of R, G, B."""
    return np.stack(np.meshgrid(LEVELS, LEVELS, LEVELS, indexing="ij"), axis=-1).reshape(64, 64, 3).astype(np.uint8)


def convert_patches(backend: str, pair: tuple[PixelFormat, PixelFormat], patches: np.ndarray) -> list[np.ndarray]:
    """Return Y, U and V of the middle of each patch."""
    rgb = patches.repeat(PATCH_PX, 0).repeat(PATCH_PX, 1)
    size = Resolution(rgb.shape[1], rgb.shape[0])
    result = open_converter(backend, pair, (size, size)).convert(clips.packed_frame(rgb, pair[0]))
    planes = planes_of(result)
    steps_px = [plane.shape[0] // patches.shape[0] for plane in planes]
    return [plane[step // 2 :: step, step // 2 :: step] for plane, step in zip(planes, steps_px, strict=True)]


@pytest.mark.parametrize("target", PLANAR)
@pytest.mark.parametrize("source", PACKED)
def test_converter_keeps_every_colour_within_3_of_255(backend: str, source: PixelFormat, target: PixelFormat) -> None:
    cube = colour_cube()

    samples = np.stack(convert_patches(backend, (source, target), cube), axis=-1).astype(float)

    got = np.array([to_rgb(*sample, BT601_LIMITED) for sample in samples.reshape(-1, 3)])
    assert np.abs(got - cube.reshape(-1, 3)).max() <= 3


@pytest.mark.parametrize("target", PLANAR)
@pytest.mark.parametrize("source", PACKED)
def test_converter_rounds_chroma_to_both_sides(backend: str, source: PixelFormat, target: PixelFormat) -> None:
    cube = colour_cube()
    red, green, blue = np.moveaxis(cube / 255, -1, 0)
    red_share, blue_share = LUMA_SHARES[BT601_LIMITED.matrix]
    luma = red_share * red + (1 - red_share - blue_share) * green + blue_share * blue

    _, u, v = (plane.astype(float) for plane in convert_patches(backend, (source, target), cube))

    # What always rounds down is half a step off on average, and shifts every colour the same way.
    assert abs((u - 128 - 112 * (blue - luma) / (1 - blue_share)).mean()) < 0.25
    assert abs((v - 128 - 112 * (red - luma) / (1 - red_share)).mean()) < 0.25


@pytest.mark.parametrize("target", PLANAR)
@pytest.mark.parametrize("source", PACKED)
def test_converter_keeps_colours_within_3_of_255(backend: str, source: PixelFormat, target: PixelFormat) -> None:
    converter = open_converter(backend, (source, target))

    result = converter.convert(clips.packed_frame(clips.bars(SMALL), source))

    assert result.surface.colour == converter.colour
    assert patch_errors(result) <= 3


@pytest.mark.parametrize("target", PLANAR)
@pytest.mark.parametrize("size", [Resolution(160, 90), Resolution(640, 360), Resolution(214, 120)], ids=str)
def test_converter_keeps_colours_when_it_scales(backend: str, size: Resolution, target: PixelFormat) -> None:
    for source in (PixelFormat.BGRA, PixelFormat.RGB24):
        converter = open_converter(backend, (source, target), (SMALL, size))

        result = converter.convert(clips.packed_frame(clips.bars(SMALL), source))

        assert result.surface.resolution == size
        assert patch_errors(result) <= 3


@pytest.mark.parametrize("source", PACKED)
def test_converter_reads_rows_with_padding(backend: str, source: PixelFormat) -> None:
    plain = open_converter(backend, (source, PixelFormat.NV12)).convert(clips.packed_frame(clips.bars(SMALL), source))
    padded_frame = clips.packed_frame(clips.bars(SMALL), source, padding_bytes=52)

    padded = open_converter(backend, (source, PixelFormat.NV12)).convert(padded_frame)

    assert [bytes(plane.buffer) for plane in padded.surface.planes] == [
        bytes(plane.buffer) for plane in plain.surface.planes
    ]


@pytest.mark.parametrize("odd", [Resolution(321, 181), Resolution(319, 180), Resolution(320, 179)], ids=str)
def test_converter_reads_odd_sizes_and_writes_even_ones(backend: str, odd: Resolution) -> None:
    converter = open_converter(backend, (PixelFormat.BGRA, PixelFormat.NV12), (odd, SMALL))

    result = converter.convert(clips.packed_frame(clips.bars(odd), PixelFormat.BGRA))

    assert patch_errors(result) <= 3


@pytest.mark.parametrize("odd", [Resolution(319, 180), Resolution(320, 181), Resolution(0, 0)], ids=str)
def test_converter_refuses_to_write_odd_sizes(backend: str, odd: Resolution) -> None:
    settings = ConverterSettings(PixelFormat.BGRA, SMALL, PixelFormat.NV12, odd)

    with pytest.raises(Unavailable, match=str(odd)):
        registry.load("converters", backend).create(settings)


@pytest.mark.parametrize("colour", [BT601_LIMITED, BT709_LIMITED], ids=["bt601", "bt709"])
@pytest.mark.parametrize("pair", [PLANAR, PLANAR[::-1]], ids=["nv12-i420", "i420-nv12"])
def test_converter_keeps_planar_samples_as_they_are(
    backend: str, pair: tuple[PixelFormat, PixelFormat], colour: ColourDescription
) -> None:
    converter = open_converter(backend, pair, colour=colour)
    frame = clips.smooth_frame(SMALL, pair[0])

    result = converter.convert(frame)

    assert converter.colour == colour
    for got, wanted in zip(planes_of(result), planes_of(frame), strict=True):
        assert np.array_equal(got, wanted)


@pytest.mark.parametrize("pixel_format", PLANAR)
def test_converter_scales_planar_pictures(backend: str, pixel_format: PixelFormat) -> None:
    size = Resolution(160, 90)
    converter = open_converter(backend, (pixel_format, pixel_format), (SMALL, size))

    result = converter.convert(clips.smooth_frame(SMALL, pixel_format))

    luma = clips.luma_of(clips.smooth_frame(SMALL, pixel_format)).reshape(90, 2, 160, 2).mean((1, 3))
    assert np.abs(planes_of(result)[0] - luma).max() <= 3


def test_converter_writes_one_buffer_without_padding(backend: str) -> None:
    for target in PLANAR:
        converter = open_converter(backend, (PixelFormat.BGRA, target))

        surface = converter.convert(clips.packed_frame(clips.bars(SMALL), PixelFormat.BGRA)).surface

        assert len({id(plane.buffer.obj) for plane in surface.planes}) == 1
        starts = [np.frombuffer(plane.buffer, np.uint8).ctypes.data for plane in surface.planes]
        lengths = [plane.buffer.nbytes for plane in surface.planes]
        assert starts[1:] == [start + length for start, length in zip(starts, lengths, strict=True)][:-1]
        assert sum(lengths) == SMALL.pixels * 3 // 2


def test_converter_carries_time_and_numbers(backend: str) -> None:
    frame = clips.packed_frame(clips.bars(SMALL), PixelFormat.BGRA, number=4321)

    result = open_converter(backend, (PixelFormat.BGRA, PixelFormat.NV12)).convert(frame)

    assert (result.capture_us, result.number, result.input_number) == (77, 4321, 9)


def with_plane(plane: Plane) -> VideoFrame:
    frame = clips.packed_frame(clips.bars(SMALL), PixelFormat.BGRA)
    surface = frame.surface
    changed = Surface(surface.memory, surface.format, surface.resolution, (plane,), surface.colour)
    return VideoFrame(changed, frame.capture_us, frame.number)


WRONG = {
    "format": (clips.packed_frame(clips.bars(SMALL), PixelFormat.RGBA), "rgba"),
    "size": (clips.packed_frame(clips.bars(Resolution(318, 180)), PixelFormat.BGRA), "318x180"),
    "short buffer": (with_plane(Plane(1280, memoryview(bytes(1280 * 180 - 1)))), str(1280 * 180 - 1)),
    "small pitch": (with_plane(Plane(1276, memoryview(bytes(1280 * 180)))), "1276"),
    "no buffer": (with_plane(Plane(1280)), "no buffer"),
}


@pytest.mark.parametrize("case", WRONG)
def test_converter_refuses_a_wrong_surface(backend: str, case: str) -> None:
    frame, name = WRONG[case]
    converter = open_converter(backend, (PixelFormat.BGRA, PixelFormat.NV12))

    with pytest.raises(ConverterError, match=name):
        converter.convert(frame)


def test_converter_closes_twice_and_is_closed(backend: str) -> None:
    converter = open_converter(backend, (PixelFormat.BGRA, PixelFormat.NV12))

    converter.close()
    converter.close()

    with pytest.raises(ConverterError, match="closed"):
        converter.convert(clips.packed_frame(clips.bars(SMALL), PixelFormat.BGRA))


def test_converter_does_not_grow(backend: str) -> None:
    frame = clips.packed_frame(clips.bars(SMALL), PixelFormat.BGRA)
    converter = open_converter(backend, (PixelFormat.BGRA, PixelFormat.NV12), (SMALL, Resolution(160, 90)))
    for _ in range(200):
        converter.convert(frame)
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    for _ in range(1500):
        converter.convert(frame)

    # A picture of 160x90 is 21 KiB: one that were kept at each call would be 32 MiB.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib < 4096
