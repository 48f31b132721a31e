"""Drive libx264 through PyAV: no delay, one-frame rate control buffer, keyframes on order, rates changed live.

x264 thinks in frames of a constant duration, whatever the timestamps say. An order for another frame rate is therefore
carried out as another bit rate: what one frame may take, times the frame rate that the encoder was opened with.
"""

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import av
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from streamer.encoders import _live_rate
from streamer.encoders._budget import fps_fraction, frame_bits
from streamer.encoders._engine import default_threads
from streamer.encoders._ffmpeg import prepare
from streamer.encoders.base import EncoderSettings
from streamer.media.frame import EncodeOrder, PixelFormat
from streamer.media.units import BITS_PER_BYTE

_KBIT = 1000
# x264 plans to leave some of a one-frame buffer unused: on noise it spent 0.84 to 0.92 of the target, and no frame more
# than 1.07. Told 1.1 times the target it spends 0.92 to 1.02, and no frame more than 1.2. Far beyond useful quality, at
# 0.7 bits per pixel, it still leaves 0.15. A share that adapts would overshoot whenever a still picture starts to move.
_HEADROOM = 1.1
# x264 keeps single frames within the buffer only while the buffer is smaller than 1.1 frames; with 1.25 frames it spent
# half of the target.
_MAX_BUFFER_FRAMES = 1.09
# The contract's own bounds hold with room to spare: a frame, key or delta, took at most 1.2 times target / fps.
DELTA_RATIO = 1.5
# The largest frame seen was 1.07 times what the buffer holds.
_SHARE_OF_LIMIT = 0.9
# x264 can rest on a quantizer at which a still picture has nothing left to send although it is not sharp: a page of
# text at 300 kbit/s stayed at 39 dB. What refinements leave unspent is offered to the next ones, by so much more each
# time; with it the page went on to 45 dB and more.
_OFFER_STEP, _MAX_OFFER = 1.3, 8.0
_UNSPENT_RATIO, _SPENT_RATIO = 0.5, 0.9


@dataclass(frozen=True, slots=True)
class RatePlan:
    """What x264 is told: a constant rate, and a buffer of one frame. FFmpeg hands on whole kilobits."""

    rate_bps: int
    buffer_bits: int


def plan_rate(order: EncodeOrder, open_fps: Fraction) -> RatePlan:
    """Return the rate of an encoder opened with `open_fps` whose frames take what the order allows."""
    frame_kbit = frame_bits(order, share_of_limit=_SHARE_OF_LIMIT / _HEADROOM) * _HEADROOM / _KBIT
    buffer_kbit = math.ceil(frame_kbit)
    if buffer_kbit > frame_kbit * _MAX_BUFFER_FRAMES:
        buffer_kbit = max(1, math.floor(frame_kbit))
    frame_kbit = max(frame_kbit, buffer_kbit / _MAX_BUFFER_FRAMES)
    rate_kbps = max(1, round(frame_kbit * open_fps))
    return RatePlan(rate_kbps * _KBIT, buffer_kbit * _KBIT)


class X264:
    """One stream of H.264. Where a live rate change was not proven, each change opens the encoder anew."""

    def __init__(self, settings: EncoderSettings, preset: str, threads: int | None) -> None:
        self._settings = settings
        self._preset = preset
        # 720p took one thread 4.2 ms and two 3.1 ms, and pictures were on screen 2.5 ms earlier for the same CPU
        # (streamer bench latency: 17.1 instead of 19.7 ms).
        self._threads = threads or default_threads(settings.resolution)
        self._fps = fps_fraction(settings.max_fps)
        self._why_reopened = _live_rate.why_unproven()
        self._count = 0
        # How much more than ordered a refinement is offered.
        self._offer = 1.0
        self._plan = plan_rate(EncodeOrder(settings.start_target_bps, settings.max_fps), self._fps)
        self._context = self._open(self._plan)
        self._live = self._go_live()

    @property
    def takes(self) -> PixelFormat:
        return self._settings.format

    @property
    def description(self) -> str:
        rates = "live" if self._why_reopened is None else f"with a keyframe, because {self._why_reopened}"
        threads = f"{self._threads} thread" + ("s" if self._threads > 1 else "")
        return f"libx264 {self._preset}, {threads}, rates changed {rates}"

    def close(self) -> None:
        """Do nothing: PyAV frees the library's encoder with the last reference to it."""

    def encode(self, picture: av.VideoFrame, order: EncodeOrder) -> "list[Packet[Any]]":
        offered = replace(order, target_bps=round(self._offer * order.target_bps)) if order.is_refinement else order
        self._tell(plan_rate(offered, self._fps))
        picture.pts = self._count
        picture.pict_type = PictureType.I if order.keyframe else PictureType.NONE
        self._count += 1
        packets = self._context.encode(picture)
        self._offer = self._next_offer(order, sum(packet.size for packet in packets))
        return packets

    def _next_offer(self, order: EncodeOrder, size_bytes: int) -> float:
        """Return what the next frame is offered if it is a refinement. Without live rates it would cost a keyframe."""
        if not order.is_refinement or self._live is None:
            return 1.0
        spent_ratio = size_bytes * BITS_PER_BYTE * order.fps / order.target_bps
        if spent_ratio < _UNSPENT_RATIO:
            return min(self._offer * _OFFER_STEP, _MAX_OFFER)
        return max(self._offer / _OFFER_STEP, 1.0) if spent_ratio > _SPENT_RATIO else self._offer

    def _tell(self, plan: RatePlan) -> None:
        if plan == self._plan:
            return
        if self._live is None:
            self._context = self._open(plan)
        else:
            self._live.set(plan.rate_bps, plan.buffer_bits)
        self._plan = plan

    def _go_live(self) -> _live_rate.LiveRate | None:
        return _live_rate.LiveRate(self._context) if self._why_reopened is None else None

    def _open(self, plan: RatePlan) -> VideoCodecContext:
        context = self._configure(plan)
        context.open()
        return context

    def _configure(self, plan: RatePlan) -> VideoCodecContext:
        context = prepare("libx264", self._settings, self.takes, self._fps)
        context.bit_rate = plan.rate_bps
        context.thread_count = self._threads
        # Frame threads hold frames back; slices of one frame do not.
        context.thread_type = "SLICE"
        context.options = {
            "preset": self._preset,
            "tune": "zerolatency",
            "profile": "baseline",
            "forced-idr": "1",
            "maxrate": str(plan.rate_bps),
            "bufsize": str(plan.buffer_bits),
            # Not force-cfr=0: it holds every frame back until the next one comes.
            "x264-params": "keyint=infinite:scenecut=0",
        }
        return context
