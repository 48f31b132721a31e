"""Convert and scale on an NVIDIA GPU what its encoder does not take as it is, without a copy to the host.

RGB becomes BT.601 limited range, as with the other converters; 4:2:0 keeps the colours it came with. The arithmetic is
in `_kernels.cu`.
"""

from dataclasses import replace
from pathlib import Path

from streamer.converters._device import check_device_surface
from streamer.converters.base import ConverterSettings
from streamer.cuda.errors import CudaError
from streamer.cuda.gpu import Gpu, why_missing
from streamer.cuda.kernels import Kernels, Pointer, why_no_compiler
from streamer.cuda.surface import DeviceSurface, allocate
from streamer.errors import ConverterError, Unavailable
from streamer.media.frame import (
    BT601_LIMITED,
    SRGB_FULL,
    ColourDescription,
    MemoryKind,
    PixelFormat,
    Surface,
    VideoFrame,
)
from streamer.media.planes import PIXEL_BYTES

_NAME = "cuda"
_KERNELS = Path(__file__).with_name("_kernels.cu")
_NAMES = ("rgb_to_yuv", "rgb_to_rgb", "scale_plane")
_CHANNELS = {
    PixelFormat.BGRA: "bgr",
    PixelFormat.RGBA: "rgb",
    PixelFormat.BGR24: "bgr",
    PixelFormat.RGB24: "rgb",
}
_YUV = (PixelFormat.NV12, PixelFormat.I420)
_FOUR_BYTES = (PixelFormat.BGRA, PixelFormat.RGBA)


def why_unavailable() -> str | None:
    """Return None if there is a GPU and a compiler for it, else what is missing."""
    return why_missing() or why_no_compiler()


def create(settings: ConverterSettings) -> "CudaConverter":
    """Prepare a conversion.

    Raises:
        Unavailable: there is no such GPU, it does not do this pair, or the kernels do not compile for it.
        ConverterError: there is no memory left.
    """
    if {settings.input_memory, settings.output_memory} != {MemoryKind.CUDA}:
        raise Unavailable(_NAME, "reads and writes cuda memory alone")
    outputs = _YUV if settings.input_format in _YUV else (*_YUV, *_FOUR_BYTES)
    if settings.output_format not in outputs:
        raise Unavailable(_NAME, f"does not make {settings.output_format} of {settings.input_format}")
    for pixel_format, resolution in (
        (settings.input_format, settings.input_resolution),
        (settings.output_format, settings.output_resolution),
    ):
        is_odd = resolution.width_px % 2 or resolution.height_px % 2
        if not resolution.pixels or (pixel_format in _YUV and is_odd):
            raise Unavailable(_NAME, f"does not convert {pixel_format} of {resolution}")
    reason = why_missing(settings.device or 0) or why_no_compiler()
    if reason is not None:
        raise Unavailable(_NAME, reason)
    gpu = Gpu.open(settings.device or 0)
    try:
        kernels = Kernels.compiled(gpu, _KERNELS, _NAMES)
    except CudaError as exc:
        raise Unavailable(_NAME, str(exc)) from exc
    try:
        return CudaConverter(settings, gpu, kernels)
    except CudaError as exc:
        raise ConverterError(_NAME, str(exc)) from exc


class CudaConverter:
    """One pair of formats and sizes. All calls come from the thread of its rendition."""

    def __init__(self, settings: ConverterSettings, gpu: Gpu, kernels: Kernels) -> None:
        self._settings = settings
        self._gpu = gpu
        self._kernels = kernels
        self._colour = _colour(settings)
        self._output: DeviceSurface | None = allocate(
            self._gpu, settings.output_format, settings.output_resolution, self._colour
        )

    @property
    def colour(self) -> ColourDescription:
        return self._colour

    def convert(self, frame: VideoFrame) -> VideoFrame:
        output = self._output
        if output is None:
            raise ConverterError(_NAME, "the converter is closed")
        check_device_surface(_NAME, self._settings, frame.surface)
        try:
            with self._gpu.current():
                if frame.surface.stream is not None:
                    output.stream.follow(self._gpu.borrow_stream(frame.surface.stream))
                self._queue(frame.surface, output)
        except CudaError as exc:
            raise ConverterError(_NAME, str(exc)) from exc
        return replace(frame, surface=output.surface)

    def close(self) -> None:
        output, self._output = self._output, None
        if output is None:
            return
        try:
            with self._gpu.current():
                output.stream.wait()
        except CudaError:
            # The GPU is lost; there is nothing to wait for.
            return

    def _queue(self, source: Surface, output: DeviceSurface) -> None:
        target = output.surface
        if source.format in _YUV:
            self._scale_planes(source, output)
            return
        width_px, height_px = target.resolution.width_px, target.resolution.height_px
        channels = _CHANNELS[source.format]
        offsets = [channels.index(each) for each in _CHANNELS.get(target.format, "rgb")]
        size = source.resolution.width_px, source.resolution.height_px
        pixels = (*_place(source, 0), PIXEL_BYTES[source.format], *size, *offsets)
        luma, luma_pitch = _place(target, 0)
        if target.format in _YUV:
            (u, pitch, step), (v, _, _) = _chroma(target)
            made = (luma, u, v, luma_pitch, pitch, step, width_px, height_px)
            # One thread for each sample of chroma.
            self._kernels.launch("rgb_to_yuv", output.stream, width_px // 2, height_px // 2, *pixels, *made)
        else:
            made_size = width_px, height_px
            self._kernels.launch("rgb_to_rgb", output.stream, *made_size, *pixels, luma, luma_pitch, *made_size)

    def _scale_planes(self, source: Surface, output: DeviceSurface) -> None:
        target = output.surface
        pairs = zip(
            [(*_place(source, 0), 1), *_chroma(source)], [(*_place(target, 0), 1), *_chroma(target)], strict=True
        )
        for number, (came, made) in enumerate(pairs):
            part = 1 if number == 0 else 2
            came_size = source.resolution.width_px // part, source.resolution.height_px // part
            made_size = target.resolution.width_px // part, target.resolution.height_px // part
            self._kernels.launch("scale_plane", output.stream, *made_size, *came, *came_size, *made, *made_size)


def _colour(settings: ConverterSettings) -> ColourDescription:
    if settings.input_format in _YUV:
        return settings.input_colour
    return BT601_LIMITED if settings.output_format in _YUV else SRGB_FULL


def _place(surface: Surface, number: int) -> tuple[Pointer, int]:
    """Return address and pitch of a plane."""
    plane = surface.planes[number]
    return Pointer(plane.pointer or 0), plane.pitch_bytes


def _chroma(surface: Surface) -> list[tuple[Pointer, int, int]]:
    """Return address, pitch and distance of the samples of U and of V."""
    if surface.format is PixelFormat.NV12:
        first, pitch_bytes = _place(surface, 1)
        return [(first, pitch_bytes, 2), (Pointer(first + 1), pitch_bytes, 2)]
    return [(*_place(surface, number), 1) for number in (1, 2)]
