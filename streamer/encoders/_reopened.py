"""The engines that FFmpeg's wrapper hands no change of rate to: each one that is worth a keyframe opens them anew.

They are `_x265` and `_svt_av1`. Both think in frames of a constant duration, whatever the timestamps say, so what one
frame may take is all that counts. The backend declares what a change costs, and callers spare it.
"""

from typing import Any

import av
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from streamer.encoders._budget import fps_fraction
from streamer.encoders._engine import default_threads
from streamer.encoders._ffmpeg import prepare
from streamer.encoders.base import EncoderSettings
from streamer.media.frame import EncodeOrder, PixelFormat

# What frames may be off by before a keyframe is paid for it: less above than below, since what is above has to wait in
# the pacer.
_SPARED_RATIOS = (0.87, 1.05)


class Reopened:
    """One stream. An engine adds what a frame may take, and how the library is opened for that."""

    library = ""
    name = ""

    def __init__(self, settings: EncoderSettings, threads: int | None) -> None:
        self._settings = settings
        self._threads = threads or default_threads(settings.resolution)
        self._fps = fps_fraction(settings.max_fps)
        self._count = 0
        self._frame_bits = self._bits(EncodeOrder(settings.start_target_bps, settings.max_fps))
        self._context = self._open()

    @property
    def takes(self) -> PixelFormat:
        return PixelFormat.I420

    @property
    def description(self) -> str:
        threads = f"{self._threads} thread" + ("s" if self._threads > 1 else "")
        return f"{self.name}, {threads}, rates changed with a keyframe"

    def close(self) -> None:
        """Do nothing: PyAV frees the library's encoder with the last reference to it."""

    def encode(self, picture: av.VideoFrame, order: EncodeOrder) -> "list[Packet[Any]]":
        """See `_engine.Engine`."""
        bits = self._bits(order)
        least, most = _SPARED_RATIOS
        if not least * bits <= self._frame_bits <= most * bits:
            self._frame_bits = bits
            self.close()
            self._context = self._open()
        picture.pts = self._count
        picture.pict_type = PictureType.I if order.keyframe else PictureType.NONE
        self._count += 1
        return self._context.encode(picture)

    def _bits(self, order: EncodeOrder) -> float:
        """Return what a frame may take."""
        raise NotImplementedError

    def _configure(self, context: VideoCodecContext) -> None:
        """Set rate and options for frames of `_frame_bits`."""
        raise NotImplementedError

    def _open(self) -> VideoCodecContext:
        context = prepare(self.library, self._settings, self.takes, self._fps)
        self._configure(context)
        context.open()
        return context
