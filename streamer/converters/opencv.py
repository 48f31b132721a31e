"""Convert with OpenCV where it is installed: nearly as fast as libyuv, BT.601 limited range.

OpenCV writes I420 alone; for NV12 its chroma planes are interleaved afterwards. It does not read 4:2:0.
"""

import numpy as np

from streamer.converters._memory import Block, Picture, check_pair, check_surface, pixels_of
from streamer.converters.base import ConverterSettings
from streamer.errors import ConverterError, Unavailable
from streamer.media.frame import BT601_LIMITED, ColourDescription, PixelFormat, Resolution, VideoFrame
from streamer.media.planes import PIXEL_BYTES

_NAME = "opencv"
_CODES = {
    PixelFormat.BGRA: "COLOR_BGRA2YUV_I420",
    PixelFormat.RGBA: "COLOR_RGBA2YUV_I420",
    PixelFormat.BGR24: "COLOR_BGR2YUV_I420",
    PixelFormat.RGB24: "COLOR_RGB2YUV_I420",
}


def why_unavailable() -> str | None:
    """Return None if this backend can run here, else the reason it cannot."""
    try:
        import cv2  # noqa: F401 - an optional library
    except ImportError as exc:
        return f"OpenCV is not installed ({exc}); opencv-python-headless is enough"
    return None


def create(settings: ConverterSettings) -> "OpencvConverter":
    """Prepare a conversion.

    Raises:
        Unavailable: OpenCV is not installed, or does not do this pair.
    """
    reason = why_unavailable()
    if reason is not None:
        raise Unavailable(_NAME, reason)
    check_pair(_NAME, settings, tuple(_CODES))
    return OpencvConverter(settings)


class OpencvConverter:
    """One pair of formats and sizes. All calls come from the thread of its rendition."""

    def __init__(self, settings: ConverterSettings) -> None:
        import cv2

        self._cv2 = cv2
        self._settings = settings
        self._code = getattr(cv2, _CODES[settings.input_format])
        self._output: Picture | None = Picture(settings.output_format, settings.output_resolution, BT601_LIMITED)
        width_px, height_px = settings.output_resolution.width_px, settings.output_resolution.height_px
        is_scaling = settings.input_resolution != settings.output_resolution
        shape = (height_px, width_px, PIXEL_BYTES[settings.input_format])
        self._scaled: Block | None = np.empty(shape, np.uint8) if is_scaling else None
        is_nv12 = settings.output_format == PixelFormat.NV12
        self._planar = Picture(PixelFormat.I420, settings.output_resolution, BT601_LIMITED) if is_nv12 else self._output
        # Below half the size bilinear would skip pixels. Above it, averaging 1080p to 720p takes 11 ms, bilinear 2.
        doubled = Resolution(2 * width_px, 2 * height_px)
        self._filter = cv2.INTER_AREA if doubled.fits_in(settings.input_resolution) else cv2.INTER_LINEAR

    @property
    def colour(self) -> ColourDescription:
        return BT601_LIMITED

    def convert(self, frame: VideoFrame) -> VideoFrame:
        if self._output is None:
            raise ConverterError(_NAME, "the converter is closed")
        check_surface(_NAME, self._settings, frame.surface)
        try:
            self._fill(self._output, pixels_of(frame.surface))
        except self._cv2.error as exc:
            raise ConverterError(_NAME, f"OpenCV failed: {exc}") from exc
        return self._output.carry(frame)

    def close(self) -> None:
        self._output = None
        self._scaled = None

    def _fill(self, output: Picture, pixels: Block) -> None:
        width_px, height_px = self._settings.output_resolution.width_px, self._settings.output_resolution.height_px
        if self._scaled is not None:
            self._cv2.resize(pixels, (width_px, height_px), dst=self._scaled, interpolation=self._filter)
            pixels = self._scaled
        self._cv2.cvtColor(pixels, self._code, dst=self._planar.block.reshape(-1, width_px))
        if self._planar is not output:
            luma, blue, red = self._planar.planes
            output.planes[0][:] = luma
            self._cv2.merge((blue, red), dst=output.planes[1].reshape(*blue.shape, 2))
