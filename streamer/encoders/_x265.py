"""Drive libx265 through PyAV: no delay, one-frame rate control buffer, keyframes on order, rates changed with one.

FFmpeg's wrapper never hands a change of rate on, and x265 thinks in frames of a constant duration, whatever the
timestamps say. So a change of what one frame may take opens the encoder anew, which costs a keyframe: the backend
declares that, and callers spare it. As x265 keeps a keyframe within the same one-frame buffer, it costs no more than
any other frame, only quality.
"""

import math
from fractions import Fraction
from typing import Any

import av
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from streamer.encoders._budget import default_threads, describe_colours, frame_bits, is_worth_a_keyframe
from streamer.encoders.base import EncoderSettings
from streamer.media.frame import EncodeOrder, PixelFormat

_KBIT = 1000
# From this height on, two threads are worth their price: 720p took one thread 28 ms and two 15 ms (medians, with 29 ms
# of the processor either way), 1080p 70 ms and 33 ms.
_TWO_THREADS_FROM_HEIGHT_PX = 720
# x265 leaves some of a one-frame buffer unused: on noise at 0.8 to 7 Mbit/s it spent 0.81 to 0.84 of what it was told,
# and no delta frame took more than 1.07.
_HEADROOM = 1.2
# The contract's own bound holds with room to spare; so it does for keyframes, but for 2.5 at a very low rate.
DELTA_RATIO = 1.5
# The largest frame, told the limit, takes 1.07 of it.
_SHARE_OF_LIMIT = 0.9 / _HEADROOM


class X265:
    """One stream of H.265."""

    def __init__(self, settings: EncoderSettings, preset: str, threads: int | None) -> None:
        self._settings = settings
        self._preset = preset
        self._threads = threads or default_threads(settings.resolution, two_from_height_px=_TWO_THREADS_FROM_HEIGHT_PX)
        self._fps = Fraction(settings.max_fps).limit_denominator(1001)
        self._count = 0
        self._frame_bits = frame_bits(
            EncodeOrder(settings.start_target_bps, settings.max_fps), share_of_limit=_SHARE_OF_LIMIT
        )
        self._context = self._open()

    @property
    def takes(self) -> PixelFormat:
        return PixelFormat.I420

    @property
    def rate_change_needs_keyframe(self) -> bool:
        return True

    @property
    def description(self) -> str:
        threads = f"{self._threads} thread" + ("s" if self._threads > 1 else "")
        return f"libx265 {self._preset}, {threads}, rates changed with a keyframe"

    def close(self) -> None:
        """Do nothing: PyAV frees the library's encoder with the last reference to it."""

    def encode(self, picture: av.VideoFrame, order: EncodeOrder) -> "list[Packet[Any]]":
        bits = frame_bits(order, share_of_limit=_SHARE_OF_LIMIT)
        if is_worth_a_keyframe(self._frame_bits, bits):
            self._frame_bits = bits
            self._context = self._open()
        picture.pts = self._count
        picture.pict_type = PictureType.I if order.keyframe else PictureType.NONE
        self._count += 1
        return self._context.encode(picture)

    def _open(self) -> VideoCodecContext:
        context = av.CodecContext.create("libx265", "w")
        context.width, context.height = self._settings.resolution.width_px, self._settings.resolution.height_px
        context.pix_fmt = "yuv420p"
        context.framerate, context.time_base = self._fps, 1 / self._fps
        bits = self._frame_bits * _HEADROOM
        rate_kbps = max(1, round(bits * self._fps / _KBIT))
        context.bit_rate = rate_kbps * _KBIT
        describe_colours(context, self._settings.colour)
        parameters = {
            "keyint": -1,
            "scenecut": 0,
            # Keyframes are IDR pictures: none later may refer to what was before.
            "open-gop": 0,
            "repeat-headers": 1,
            "vbv-maxrate": rate_kbps,
            "vbv-bufsize": max(1, math.ceil(bits / _KBIT)),
            # Frame threads hold frames back; rows of one frame in a pool do not.
            "frame-threads": 1,
            "pools": self._threads if self._threads > 1 else "none",
            "info": 0,
            "log-level": "error",
        }
        context.options = {
            "preset": self._preset,
            "tune": "zerolatency",
            "forced-idr": "1",
            "x265-params": ":".join(f"{key}={value}" for key, value in parameters.items()),
        }
        context.open()
        return context
