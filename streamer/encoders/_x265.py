"""Drive libx265 through PyAV: no delay, one-frame rate control buffer, keyframes on order, rates changed with one.

A change of rate opens it anew (`_reopened`), which costs a keyframe. As x265 keeps a keyframe within the same one-frame
buffer, it costs no more than any other frame, only quality.
"""

import math

from av.video.codeccontext import VideoCodecContext

from streamer.encoders._budget import frame_bits
from streamer.encoders._reopened import Reopened
from streamer.encoders.base import EncoderSettings
from streamer.media.frame import EncodeOrder

_KBIT = 1000
# x265 leaves some of a one-frame buffer unused: on noise at 0.8 to 7 Mbit/s it spent 0.81 to 0.84 of what it was told,
# and no delta frame took more than 1.07.
_HEADROOM = 1.2
# The contract's own bound holds with room to spare; so it does for keyframes, but for 2.5 at a very low rate.
DELTA_RATIO = 1.5
# The largest frame, told the limit, takes 1.07 of it.
_SHARE_OF_LIMIT = 0.9 / _HEADROOM


class X265(Reopened):
    """One stream of H.265.

    720p took one thread 28 ms and two 15 ms (medians, with 29 ms of the processor either way), 1080p 70 ms and 33 ms.
    """

    library = "libx265"

    def __init__(self, settings: EncoderSettings, preset: str, threads: int | None) -> None:
        self._preset = preset
        self.name = f"libx265 {preset}"
        super().__init__(settings, threads)

    def _bits(self, order: EncodeOrder) -> float:
        return frame_bits(order, share_of_limit=_SHARE_OF_LIMIT)

    def _configure(self, context: VideoCodecContext) -> None:
        bits = self._frame_bits * _HEADROOM
        rate_kbps = max(1, round(bits * self._fps / _KBIT))
        context.bit_rate = rate_kbps * _KBIT
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
