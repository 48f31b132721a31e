"""Convert with FFmpeg's swscale through PyAV: always there, several times slower than libyuv.

RGB becomes BT.601 limited range, as with the other converters, since VP8 can say nothing else; 4:2:0 keeps the colours
it came with.
"""

from typing import Any

import av
import av.error
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from streamer.converters._memory import YUV_FORMATS, Block, Picture, check_pair, check_surface, pixels_of, rows_of
from streamer.converters.base import ConverterSettings
from streamer.errors import ConverterError
from streamer.media.frame import BT601_LIMITED, ColourDescription, PixelFormat, Surface, VideoFrame
from streamer.media.planes import PIXEL_BYTES, plane_shapes

_NAME = "swscale"
_LIBRARY_NAMES = {each: "yuv420p" if each == PixelFormat.I420 else each.value for each in PixelFormat}


def why_unavailable() -> str | None:
    """Return None: PyAV is a requirement, and swscale is in it."""
    return None


def create(settings: ConverterSettings) -> "SwscaleConverter":
    """Prepare a conversion.

    Raises:
        Unavailable: swscale does not do this pair.
    """
    check_pair(_NAME, settings, tuple(PixelFormat))
    return SwscaleConverter(settings)


class SwscaleConverter:
    """One pair of formats and sizes. All calls come from the thread of its rendition."""

    def __init__(self, settings: ConverterSettings) -> None:
        self._settings = settings
        self._is_rgb = settings.input_format in PIXEL_BYTES
        self._colour = BT601_LIMITED if self._is_rgb else settings.input_colour
        self._output: Picture | None = Picture(settings.output_format, settings.output_resolution, self._colour)
        # swscale's short cut for this pair rounds down, which moves colours by up to 3.1/255; exact rounding avoids it.
        is_short_cut = (settings.input_format, settings.output_format) == (PixelFormat.BGR24, PixelFormat.I420)
        self._interpolation = Interpolation.BILINEAR | (Interpolation.ACCURATE_RND if is_short_cut else 0)
        self._reformatter = VideoReformatter()
        # PyAV wants the planes of a 4:2:0 picture in one block.
        is_yuv = settings.input_format in YUV_FORMATS
        self._input = Picture(settings.input_format, settings.input_resolution, self._colour) if is_yuv else None

    @property
    def colour(self) -> ColourDescription:
        return self._colour

    def convert(self, frame: VideoFrame) -> VideoFrame:
        if self._output is None:
            raise ConverterError(_NAME, "the converter is closed")
        check_surface(_NAME, self._settings, frame.surface)
        try:
            result = self._reformat(self._wrap(frame.surface))
        except av.error.FFmpegError as exc:
            raise ConverterError(_NAME, f"swscale failed: {exc}") from exc
        _copy(result, self._output)
        return self._output.carry(frame)

    def close(self) -> None:
        self._output = None
        self._input = None

    def _wrap(self, surface: Surface) -> av.VideoFrame:
        name = _LIBRARY_NAMES[surface.format]
        if self._input is None:
            return av.VideoFrame.from_numpy_buffer(pixels_of(surface), name)
        for own, plane in zip(self._input.planes, rows_of(surface), strict=True):
            own[:] = plane
        return av.VideoFrame.from_numpy_buffer(self._input.block.reshape(-1, surface.resolution.width_px), name)

    def _reformat(self, picture: av.VideoFrame) -> av.VideoFrame:
        """Return the picture in the new format and size; both sides of 4:2:0 are called BT.601, so nothing changes."""
        return self._reformatter.reformat(
            picture,
            self._settings.output_resolution.width_px,
            self._settings.output_resolution.height_px,
            _LIBRARY_NAMES[self._settings.output_format],
            src_colorspace=None if self._is_rgb else Colorspace.ITU601,
            dst_colorspace=Colorspace.ITU601,
            src_color_range=ColorRange.JPEG if self._is_rgb else ColorRange.MPEG,
            dst_color_range=ColorRange.MPEG,
            interpolation=self._interpolation,
            # One thread: the rendition's own. The second core is somebody else's.
            threads=1,
        )


def _copy(result: av.VideoFrame, output: Picture) -> None:
    """Copy the planes without the padding that FFmpeg puts behind each row."""
    shapes = plane_shapes(output.surface.format, output.surface.resolution)
    for target, plane, (rows, width_bytes) in zip(output.planes, result.planes, shapes, strict=True):
        readable: Any = plane
        source: Block = np.frombuffer(readable, np.uint8)
        target[:] = source.reshape(-1, plane.line_size)[:rows, :width_bytes]
