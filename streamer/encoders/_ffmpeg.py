"""Prepare an encoder of FFmpeg, through PyAV: what all of them are told alike. Rates and options are the callers'."""

from fractions import Fraction

import av
from av.video.codeccontext import VideoCodecContext

from streamer.encoders.base import EncoderSettings
from streamer.media.frame import PixelFormat

FORMAT_NAMES = {PixelFormat.NV12: "nv12", PixelFormat.I420: "yuv420p"}
# FFmpeg's AVCOL_RANGE_MPEG and AVCOL_RANGE_JPEG.
_LIMITED_RANGE, _FULL_RANGE = 1, 2


def prepare(library: str, settings: EncoderSettings, takes: PixelFormat, fps: Fraction) -> VideoCodecContext:
    """Return an encoder for these pictures that is not open yet, and has its bitstream say what their colours are."""
    context = av.CodecContext.create(library, "w")
    assert isinstance(context, VideoCodecContext)
    context.width, context.height = settings.resolution.width_px, settings.resolution.height_px
    context.pix_fmt = FORMAT_NAMES[takes]
    context.framerate, context.time_base = fps, 1 / fps
    colour = settings.colour
    context.color_primaries, context.color_trc, context.colorspace = colour.primaries, colour.transfer, colour.matrix
    context.color_range = _FULL_RANGE if colour.is_full_range else _LIMITED_RANGE
    return context
