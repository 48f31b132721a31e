"""What the CUDA converter has to make of pictures, whoever runs its kernels: formulas, and the host's converters."""

from typing import NamedTuple

import numpy as np

from streamer import registry
from streamer.converters import cuda
from streamer.converters.base import ConverterSettings
from streamer.cuda.gpu import Gpu
from streamer.cuda.memory import Rows, copy_rows
from streamer.cuda.surface import allocate
from streamer.media.frame import BT601_LIMITED, ColourDescription, MemoryKind, PixelFormat, Resolution, VideoFrame
from streamer.media.planes import PIXEL_BYTES, plane_shapes
from streamer.sources._ring import allocate as allocate_on_host
from tests.cuda.machine import read_back
from tests.fakes.cuda_arrays import InterfacedArray

CUDA = MemoryKind.CUDA
CHANNELS = {PixelFormat.BGRA: "bgra", PixelFormat.RGBA: "rgba", PixelFormat.BGR24: "bgr", PixelFormat.RGB24: "rgb"}
YUV = (PixelFormat.NV12, PixelFormat.I420)


class Form(NamedTuple):
    """One side of a conversion."""

    format: PixelFormat
    resolution: Resolution


def packed(rgb: np.ndarray, pixel_format: PixelFormat) -> np.ndarray:
    """Return R, G, B in the order of a format; the fourth byte means nothing."""
    channels = {**{name: rgb[..., index] for index, name in enumerate("rgb")}, "a": np.full(rgb.shape[:2], 7, np.uint8)}
    return np.stack([channels[name] for name in CHANNELS[pixel_format]], axis=-1)


def convert(content: np.ndarray, came: Form, wanted: Form, colour: ColourDescription = BT601_LIMITED) -> np.ndarray:
    """Put a picture onto the GPU, convert it there, and return all rows of the result."""
    gpu = Gpu.open(0)
    settings = ConverterSettings(*came, *wanted, colour, CUDA, CUDA, device=0)
    canvas = allocate(gpu, *came)
    array = InterfacedArray(np.ascontiguousarray(content).reshape(1, -1))
    with gpu.current():
        target = Rows(canvas.memory.pointer, content.size)
        copy_rows(gpu, Rows(array.pointer, content.size), target, content.size, 1, canvas.stream)
    converter = cuda.create(settings)
    try:
        frame = converter.convert(VideoFrame(canvas.surface, capture_us=5, number=6, input_number=7))
        assert (frame.capture_us, frame.number, frame.input_number) == (5, 6, 7)
        assert (frame.surface.memory, frame.surface.format, frame.surface.resolution) == (CUDA, *wanted)
        assert frame.surface.colour == converter.colour
        return read_back(frame.surface)
    finally:
        converter.close()


def planes(flat: np.ndarray, form: Form) -> list[np.ndarray]:
    """Return Y, U and V, or the one packed plane, of the bytes of a picture."""
    begin, found = 0, []
    for rows, width_bytes in plane_shapes(*form):
        found.append(flat[begin : begin + rows * width_bytes].reshape(rows, width_bytes))
        begin += rows * width_bytes
    if form.format is PixelFormat.NV12:
        return [found[0], found[1][:, 0::2], found[1][:, 1::2]]
    if form.format in PIXEL_BYTES:
        return [found[0].reshape(form.resolution.height_px, form.resolution.width_px, -1)]
    return found


def yuv_of(rgb: np.ndarray) -> list[np.ndarray]:
    """Return Y, U and V of each pixel by BT.601 in limited range (H.273, equations 38 to 40), in floats."""
    red, green, blue = np.moveaxis(rgb / 255, -1, 0)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    return [16 + 219 * luma, 128 + 112 * (blue - luma) / 0.886, 128 + 112 * (red - luma) / 0.701]


def shrunk(plane: np.ndarray, factor: int) -> np.ndarray:
    """Return the means of squares of `factor` by `factor`."""
    rows, columns, *rest = plane.shape
    return plane.reshape(rows // factor, factor, columns // factor, factor, *rest).mean((1, 3))


def on_host(content: np.ndarray, came: Form, wanted: Form) -> np.ndarray:
    """Return what the best of the host's converters makes of a picture."""
    name = next(name for name in ("libyuv", "swscale") if registry.why_unavailable("converters", name) is None)
    converter = registry.load("converters", name).create(ConverterSettings(*came, *wanted))
    frame = clip(content, came)
    result = converter.convert(frame).surface
    return np.concatenate([np.frombuffer(plane.buffer, np.uint8) for plane in result.planes])


def clip(content: np.ndarray, form: Form) -> VideoFrame:
    """Return a picture in host memory."""
    canvas = allocate_on_host(*form)
    begin, flat = 0, np.ascontiguousarray(content).reshape(-1)
    for array in canvas.arrays:
        array[...] = flat[begin : begin + array.size].reshape(array.shape)
        begin += array.size
    return VideoFrame(canvas.surface, capture_us=5, number=6)
