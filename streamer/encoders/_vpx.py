"""Drive libvpx's VP8 encoder through PyAV: no delay, keyframes on order, rates changed live through the clock.

FFmpeg's wrapper never reconfigures the rate. But libvpx's constant rate is one of bits per second of stream time, and
the time between two frames is ours to tell: a frame that follows the last one after twice the time gets twice the bits,
from that very frame on. The stream clock here ticks once per bit, so that the step between two timestamps is the budget
of the frame. No viewer sees these timestamps: RTP carries the time of capture.

libvpx does not encode a frame twice, so single frames miss their budget: see `DELTA_RATIO`.
"""

from fractions import Fraction
from typing import Any

import av
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from streamer.encoders._budget import frame_bits
from streamer.encoders.base import EncoderSettings
from streamer.media.frame import EncodeOrder, PixelFormat

# Never more: on a busy machine an encoder of two threads (libvpx 1.16) waited for one of them for ever, within 150
# streams of 320x240 and within 40 of 1080p. One thread takes 16 ms for 1080p, two took 10 (medians).
_THREADS = 1

_KBIT = 1000

# On a noise clip at 1.5 to 8 Mbit/s, with targets changed by up to four times, the largest delta frame took 2.8 times
# its budget, the 99th percentile 1.8.
DELTA_RATIO = 3.0
# The share of `max_frame_bytes` to aim at follows from it.
_SHARE_OF_LIMIT = 1 / DELTA_RATIO
# The first frame after a rise of the target by four times took 3.2 times the new budget.
_MAX_RISE_RATIO = 2.0

# libvpx learns the length of a frame from the nominal frame rate, and steps to a new length only where it differs from
# that by a tenth; nearer to it, it takes a second to follow (0.57 of the target). One second is no frame's length.
_NOMINAL_FPS = Fraction(1)
# The rate control buffer, in frames of the highest target: 3 and 6 held the averages within 4 %, 12 within 9 %.
_BUFFER_FRAMES = 4
# libvpx gives half of what the buffer holds at first to the first keyframe.
_FIRST_BUFFER_FRAMES = 3
# What keyframes ordered later aim at, in percent of a frame's budget. They took 1.4 to 2.3 budgets on soft textures;
# hard cells that lay across the block grid took up to 3.7, with the quantizer near its end. At 300 they took up to 5.
_KEYFRAME_PERCENT = 100
# A picture that stands still costs less than libvpx expects from the moving ones before it: with one budget it kept its
# quantizer, and with that the picture. At 1.35 a refinement took 1.5 to 2.7 budgets and gained 0.7 to 1.2 dB; at 1.5
# one took 3.9.
_REFINEMENT_RATIO = 1.35
_NEVER_FRAMES = 1_000_000_000
# libvpx's own scale of quantizers, 0 to 63; FFmpeg's default of 31 cannot follow a low target.
_BEST_QUANTIZER = 2
_WORST_QUANTIZER = 63


class Vpx:
    """One stream of VP8."""

    def __init__(self, settings: EncoderSettings, speed: int) -> None:
        self._speed = speed
        self._ticks_per_s = -(-max(settings.max_target_bps, settings.start_target_bps) // _KBIT) * _KBIT
        self._clock_ticks = 0
        self._last_bits: float | None = None
        self._context = self._configure(settings)
        self._context.open()

    @property
    def takes(self) -> PixelFormat:
        return PixelFormat.I420

    @property
    def description(self) -> str:
        return f"libvpx VP8 realtime, speed {self._speed}, {_THREADS} thread, rates changed live"

    def close(self) -> None:
        """Do nothing: PyAV frees the library's encoder with the last reference to it."""

    def encode(self, picture: av.VideoFrame, order: EncodeOrder) -> "list[Packet[Any]]":
        self._clock_ticks += max(1, round(self._next_bits(order)))
        picture.pts = self._clock_ticks
        picture.pict_type = PictureType.I if order.keyframe else PictureType.NONE
        return self._context.encode(picture)

    def _next_bits(self, order: EncodeOrder) -> float:
        bits = frame_bits(order, share_of_limit=_SHARE_OF_LIMIT)
        if self._last_bits is not None:
            bits = min(bits, self._last_bits * _MAX_RISE_RATIO)
        self._last_bits = bits
        return bits * _REFINEMENT_RATIO if order.is_refinement else bits

    def _configure(self, settings: EncoderSettings) -> VideoCodecContext:
        context = av.CodecContext.create("libvpx", "w")
        context.width, context.height = settings.resolution.width_px, settings.resolution.height_px
        context.pix_fmt = "yuv420p"
        context.time_base, context.framerate = Fraction(1, self._ticks_per_s), _NOMINAL_FPS
        context.bit_rate = self._ticks_per_s
        context.thread_count = _THREADS
        context.gop_size = _NEVER_FRAMES
        context.qmin, context.qmax = _BEST_QUANTIZER, _WORST_QUANTIZER
        buffer_bits = round(_BUFFER_FRAMES * self._ticks_per_s / settings.max_fps)
        first_bits = min(buffer_bits, round(_FIRST_BUFFER_FRAMES * settings.start_target_bps / settings.max_fps))
        context.options = {
            "deadline": "realtime",
            # Negative is a fixed speed; positive ones adapt themselves to the time that the machine took.
            "cpu-used": str(-self._speed),
            "lag-in-frames": "0",
            "auto-alt-ref": "0",
            "minrate": str(self._ticks_per_s),
            "maxrate": str(self._ticks_per_s),
            "bufsize": str(buffer_bits),
            "rc_init_occupancy": str(first_bits),
            "undershoot-pct": "100",
            "overshoot-pct": "15",
            "max-intra-rate": str(_KEYFRAME_PERCENT),
        }
        return context
