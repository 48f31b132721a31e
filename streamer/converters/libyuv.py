"""Convert with the system's libyuv: the fastest on a processor.

RGB is converted at its own size, into BT.601 limited range, and the result is scaled: a 4:2:0 picture is 1.5 bytes per
pixel to scale, where RGB is 4. It is scaled as I420, because libyuv's NV12 scaler rounds chroma down twice and so moves
colours by up to 6/255.

On x86 libyuv rounds the chroma of limited range down, half a step of colour on average, and that of full range to the
nearest step. So chroma comes from the conversion into full range and is then pulled towards grey: over all colours its
error fell from 0.6 steps to 0.4 of blue and 0.5 of red (rms), for 0.15 ms of a 720p picture.
"""

import ctypes
import functools
from collections.abc import Callable

import numpy as np

from streamer.converters._memory import YUV_FORMATS, Picture, check_pair, check_surface
from streamer.converters.base import ConverterSettings
from streamer.errors import ConverterError, Unavailable
from streamer.media.frame import BT601_LIMITED, ColourDescription, PixelFormat, Surface, VideoFrame

_NAME = "libyuv"
_LIBRARY = "libyuv.so.0"

# libyuv names packed formats by the word, highest byte first: its ARGB is B, G, R, A in memory, its RAW R, G, B.
_CONVERSIONS = {
    (PixelFormat.BGRA, PixelFormat.I420): "ARGBToI420",
    (PixelFormat.RGBA, PixelFormat.I420): "ABGRToI420",
    (PixelFormat.BGR24, PixelFormat.I420): "RGB24ToI420",
    (PixelFormat.RGB24, PixelFormat.I420): "RAWToI420",
    (PixelFormat.NV12, PixelFormat.I420): "NV12ToI420",
    (PixelFormat.I420, PixelFormat.NV12): "I420ToNV12",
}
# The same into BT.601 full range, which is what libyuv's J stands for.
_FULL_RANGE = {
    PixelFormat.BGRA: "ARGBToJ420",
    PixelFormat.RGBA: "ABGRToJ420",
    PixelFormat.BGR24: "RGB24ToJ420",
    PixelFormat.RGB24: "RAWToJ420",
}
_BLEND = "InterpolatePlane"
# In 256ths. A full colour is 126.5 steps away from grey as libyuv makes it in full range, and 112 in limited range:
# 29.4/256 less. In Chromium 0.01 % of all colours were more than 3/255 off with 29, and 0.35 % with 30.
_BLEND_FRACTION = 29
_GREY = 128
_SCALE = "I420Scale"
_INPUTS = tuple(PixelFormat)
_PLANES = {PixelFormat.NV12: 2, PixelFormat.I420: 3}
# libyuv's kFilterBox: an average when it shrinks, bilinear when it grows.
_FILTER_BOX = 3

# One step: from the surface that comes in, or from the last step's picture, into a picture of our own.
Step = Callable[[Surface], Surface]


def why_unavailable() -> str | None:
    """Return None if this backend can run here, else the reason it cannot."""
    try:
        library = _load()
    except OSError as exc:
        return f"the system has no {_LIBRARY} ({exc}); its package is called libyuv0 in Debian and Ubuntu"
    names = (*_CONVERSIONS.values(), *_FULL_RANGE.values(), _BLEND, _SCALE)
    missing = [name for name in names if not hasattr(library, name)]
    return f"{_LIBRARY} has no {', '.join(missing)}" if missing else None


def create(settings: ConverterSettings) -> "LibyuvConverter":
    """Prepare a conversion.

    Raises:
        Unavailable: the library is not there, or does not do this pair.
    """
    reason = why_unavailable()
    if reason is not None:
        raise Unavailable(_NAME, reason)
    check_pair(_NAME, settings, _INPUTS)
    return LibyuvConverter(settings)


class LibyuvConverter:
    """One pair of formats and sizes. All calls come from the thread of its rendition."""

    def __init__(self, settings: ConverterSettings) -> None:
        self._settings = settings
        is_yuv = settings.input_format in YUV_FORMATS
        self._colour = settings.input_colour if is_yuv else BT601_LIMITED
        pictures = self._plan()
        self._output: Picture | None = pictures[-1]
        surfaces = [picture.surface for picture in pictures]
        formats = [settings.input_format, *(surface.format for surface in surfaces)]
        self._steps = [_step(source, target) for source, target in zip(formats, surfaces, strict=False)]

    @property
    def colour(self) -> ColourDescription:
        return self._colour

    def convert(self, frame: VideoFrame) -> VideoFrame:
        if self._output is None:
            raise ConverterError(_NAME, "the converter is closed")
        check_surface(_NAME, self._settings, frame.surface)
        surface = frame.surface
        for step in self._steps:
            surface = step(surface)
        return self._output.carry(frame)

    def close(self) -> None:
        self._output = None
        self._steps = []

    def _plan(self) -> list[Picture]:
        """Return a picture for each step: formats first, at the size that comes in, then the size."""
        settings = self._settings
        is_scaling = settings.input_resolution != settings.output_resolution
        target = PixelFormat.I420 if is_scaling else settings.output_format
        at_input = [(each, settings.input_resolution) for each in _path(settings.input_format, target)]
        at_output = []
        if is_scaling or settings.input_format == settings.output_format:
            rest = _path(PixelFormat.I420, settings.output_format)
            at_output = [(each, settings.output_resolution) for each in (PixelFormat.I420, *rest)]
        return [Picture(*each, self._colour) for each in (*at_input, *at_output)]


def _path(source: PixelFormat, target: PixelFormat) -> list[PixelFormat]:
    """Return the formats to go through from `source` to `target`, at one size."""
    if source == target:
        return []
    return [target] if (source, target) in _CONVERSIONS else [PixelFormat.I420, target]


def _step(source: PixelFormat, target: Surface) -> Step:
    """Return the call that fills `target` from a surface of format `source`."""
    if source == target.format:
        return functools.partial(_scale, getattr(_load(), _SCALE), target)
    function = getattr(_load(), _CONVERSIONS[source, target.format])
    if source in YUV_FORMATS:
        return functools.partial(_convert, function, target)
    return _RgbStep(function, getattr(_load(), _FULL_RANGE[source]), target)


class _RgbStep:
    """Fill an I420 picture from RGB: `convert` gives its luma, `convert_full_range` its chroma."""

    def __init__(self, convert: Callable[..., int], convert_full_range: Callable[..., int], target: Surface) -> None:
        self._convert = convert
        self._convert_full_range = convert_full_range
        self._blend = getattr(_load(), _BLEND)
        self._target = target
        self._half = ((target.resolution.width_px + 1) // 2, (target.resolution.height_px + 1) // 2)
        # One row each, used for all rows: luma of full range that nobody reads, and grey.
        self._no_luma = np.empty(target.resolution.width_px, np.uint8)
        self._grey = np.full(self._half[0], _GREY, np.uint8)

    def __call__(self, source: Surface) -> Surface:
        size = (self._target.resolution.width_px, self._target.resolution.height_px)
        packed, planes = _planes(source), _planes(self._target)
        _call(self._convert, *packed, *planes, *size)
        _call(self._convert_full_range, *packed, self._no_luma.ctypes.data, 0, *planes[2:], *size)
        for plane in (planes[2:4], planes[4:6]):
            _call(self._blend, *plane, self._grey.ctypes.data, 0, *plane, *self._half, _BLEND_FRACTION)
        return self._target


def _convert(function: Callable[..., int], target: Surface, source: Surface) -> Surface:
    size = (target.resolution.width_px, target.resolution.height_px)
    _call(function, *_planes(source), *_planes(target), *size)
    return target


def _scale(function: Callable[..., int], target: Surface, source: Surface) -> Surface:
    from_size = (source.resolution.width_px, source.resolution.height_px)
    to_size = (target.resolution.width_px, target.resolution.height_px)
    _call(function, *_planes(source), *from_size, *_planes(target), *to_size, _FILTER_BOX)
    return target


def _call(function: Callable[..., int], *arguments: int) -> None:
    status = function(*arguments)
    if status:
        raise ConverterError(_NAME, f"libyuv refused a picture with status {status}")


def _planes(surface: Surface) -> list[int]:
    """Return address and pitch of each plane."""
    flat: list[int] = []
    for plane in surface.planes:
        assert plane.buffer is not None
        flat += [int(np.frombuffer(plane.buffer, np.uint8).ctypes.data), plane.pitch_bytes]
    return flat


@functools.cache
def _load() -> ctypes.CDLL:
    library = ctypes.CDLL(_LIBRARY)
    plane, size = [ctypes.c_void_p, ctypes.c_int], [ctypes.c_int, ctypes.c_int]
    for (source, target), name in _CONVERSIONS.items():
        if hasattr(library, name):
            getattr(library, name).argtypes = [*plane * (_PLANES.get(source, 1) + _PLANES[target]), *size]
    for name in _FULL_RANGE.values():
        if hasattr(library, name):
            getattr(library, name).argtypes = [*plane * 4, *size]
    if hasattr(library, _BLEND):
        getattr(library, _BLEND).argtypes = [*plane * 3, *size, ctypes.c_int]
    if hasattr(library, _SCALE):
        side = [*plane * _PLANES[PixelFormat.I420], *size]
        getattr(library, _SCALE).argtypes = [*side, *side, ctypes.c_int]
    return library
