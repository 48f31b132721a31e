"""Drive SVT-AV1 through PyAV: low delay, constant rate, keyframes on order, rates changed with one.

A change of rate opens it anew (`_reopened`), which costs a keyframe. SVT-AV1's rate control looks back over seconds,
not frames: it holds averages, and single frames miss their budget.
"""

import contextlib
import os
import weakref

import av.error
from av.video.codeccontext import VideoCodecContext

from streamer.encoders._reopened import Reopened
from streamer.encoders.base import EncoderSettings
from streamer.media.frame import EncodeOrder

# On a noise clip at 0.8 to 7 Mbit/s it spent 0.95 to 0.99 of the target; but keyframes took 4.5 to 5.9 times their
# budget, the frame after one up to 4.0, and later ones up to 4.3.
DELTA_RATIO = 5.0
KEYFRAME_RATIO = 7.0
_NEVER_FRAMES = 1_000_000_000
# Milliseconds of the target rate: 20 are the least that the library takes, and its fill stays below its size.
_BUFFER_MS, _FILL_MS = 21, 20
# The library writes its settings to standard error each time it opens; 1 leaves errors.
_LOG_LEVEL_VARIABLE, _ERRORS_ONLY = "SVT_LOG", "1"


class SvtAv1(Reopened):
    """One stream of AV1.

    The library's threads are levels of parallelism: 720p took 18 ms at the first and 13 ms at the second (medians),
    1080p 25 ms and 19 ms; 360p took 4.5 ms at both.
    """

    library = "libsvtav1"

    def __init__(self, settings: EncoderSettings, preset: int, threads: int | None) -> None:
        self._preset = preset
        self.name = f"SVT-AV1 preset {preset}"
        super().__init__(settings, threads)

    def close(self) -> None:
        """End the stream, which the library has to be told."""
        self._end()

    def _bits(self, order: EncodeOrder) -> float:
        # No limit of a single frame, which would not hold: told a sixth of it, frames still took 1.7 times the limit.
        return order.target_bps / order.fps

    def _open(self) -> VideoCodecContext:
        os.environ.setdefault(_LOG_LEVEL_VARIABLE, _ERRORS_ONLY)
        context = super()._open()
        # Freed without the end of its stream, the library can wait for its own threads for ever. So the stream ends
        # with this object or with the program, whatever happens in between.
        self._end = weakref.finalize(self, _end_stream, context)
        return context

    def _configure(self, context: VideoCodecContext) -> None:
        context.bit_rate = max(1, round(self._frame_bits * self._fps))
        context.gop_size = _NEVER_FRAMES
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


def _end_stream(context: VideoCodecContext) -> None:
    # A library that has failed before fails here again.
    with contextlib.suppress(av.error.FFmpegError):
        context.encode(None)
