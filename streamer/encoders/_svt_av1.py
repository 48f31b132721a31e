"""Drive SVT-AV1 through PyAV: low delay, constant rate, keyframes on order, rates changed with one.

FFmpeg's wrapper never hands a change of rate on, and SVT-AV1 thinks in frames of a constant duration. So a change of
what one frame may take opens the encoder anew, which costs a keyframe: the backend declares that, and callers spare it.
SVT-AV1's rate control looks back over seconds, not frames: it holds averages, and single frames miss their budget.
"""

import contextlib
import os
import weakref
from fractions import Fraction
from typing import Any

import av
import av.error
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from streamer.encoders._budget import default_threads, describe_colours, is_worth_a_keyframe
from streamer.encoders.base import EncoderSettings
from streamer.media.frame import EncodeOrder, PixelFormat

# From this height on, the library's second level of parallelism is worth its threads: 720p took 18 ms at the first and
# 13 ms at the second (medians), 1080p 25 ms and 19 ms; 360p took 4.5 ms at both.
_TWO_THREADS_FROM_HEIGHT_PX = 720
# On a noise clip at 0.8 to 7 Mbit/s it spent 0.95 to 0.99 of the target; but keyframes took 4.5 to 5.9 times their
# budget, the frame after one up to 4.0, and later ones up to 4.3.
DELTA_RATIO = 5.0
KEYFRAME_RATIO = 7.0
_NEVER_FRAMES = 1_000_000_000
# Milliseconds of the target rate: 20 are the least that the library takes, and its fill stays below its size.
_BUFFER_MS, _FILL_MS = 21, 20
# The library writes its settings to standard error each time it opens; 1 leaves errors.
_LOG_LEVEL_VARIABLE, _ERRORS_ONLY = "SVT_LOG", "1"


class SvtAv1:
    """One stream of AV1."""

    def __init__(self, settings: EncoderSettings, preset: int, threads: int | None) -> None:
        self._settings = settings
        self._preset = preset
        self._threads = threads or default_threads(settings.resolution, two_from_height_px=_TWO_THREADS_FROM_HEIGHT_PX)
        self._fps = Fraction(settings.max_fps).limit_denominator(1001)
        self._count = 0
        self._frame_bits = settings.start_target_bps / settings.max_fps
        self._open()

    @property
    def takes(self) -> PixelFormat:
        return PixelFormat.I420

    @property
    def rate_change_needs_keyframe(self) -> bool:
        return True

    @property
    def description(self) -> str:
        threads = f"{self._threads} thread" + ("s" if self._threads > 1 else "")
        return f"SVT-AV1 preset {self._preset}, {threads}, rates changed with a keyframe"

    def close(self) -> None:
        """End the stream, which the library has to be told."""
        self._end()

    def encode(self, picture: av.VideoFrame, order: EncodeOrder) -> "list[Packet[Any]]":
        # No limit of a single frame, which would not hold: told a sixth of it, frames still took 1.7 times the limit.
        bits = order.target_bps / order.fps
        if is_worth_a_keyframe(self._frame_bits, bits):
            self._frame_bits = bits
            self._end()
            self._open()
        picture.pts = self._count
        picture.pict_type = PictureType.I if order.keyframe else PictureType.NONE
        self._count += 1
        return self._context.encode(picture)

    def _open(self) -> None:
        os.environ.setdefault(_LOG_LEVEL_VARIABLE, _ERRORS_ONLY)
        context = self._configure()
        context.open()
        self._context = context
        # Freed without the end of its stream, the library can wait for its own threads for ever. So the stream ends
        # with this object or with the program, whatever happens in between.
        self._end = weakref.finalize(self, _end_stream, context)

    def _configure(self) -> VideoCodecContext:
        context = av.CodecContext.create("libsvtav1", "w")
        context.width, context.height = self._settings.resolution.width_px, self._settings.resolution.height_px
        context.pix_fmt = "yuv420p"
        context.framerate, context.time_base = self._fps, 1 / self._fps
        context.bit_rate = max(1, round(self._frame_bits * self._fps))
        context.gop_size = _NEVER_FRAMES
        describe_colours(context, self._settings.colour)
        parameters = {
            # Constant rate, low delay, for conversations; every frame leans on the one before it.
            "rc": 2,
            "pred-struct": 1,
            "rtc": 1,
            "hierarchical-levels": 0,
            "lp": self._threads,
            "buf-sz": _BUFFER_MS,
            "buf-initial-sz": _FILL_MS,
            "buf-optimal-sz": _FILL_MS,
            # With the library's 50 it spent a third more than its target.
            "undershoot-pct": 100,
        }
        context.options = {
            "preset": str(self._preset),
            "svtav1-params": ":".join(f"{key}={value}" for key, value in parameters.items()),
        }
        return context


def _end_stream(context: VideoCodecContext) -> None:
    # A library that has failed before fails here again.
    with contextlib.suppress(av.error.FFmpegError):
        context.encode(None)
