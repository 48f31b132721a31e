"""Encode on an NVIDIA GPU through FFmpeg's wrapper in PyAV: for where PyNvVideoCodec is missing or fails its proof.

Nothing is held back, but FFmpeg makes a keyframe of each rate change: the capabilities say so, and callers spare it.
Surfaces come from host memory.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import av
import av.error
import av.logging
from av.codec import codecs_available
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from pydantic import Field

from streamer.encoders import _cuda, _live_rate, _proof
from streamer.encoders._budget import fps_fraction, frame_bits
from streamer.encoders._checks import KeyframeCheck, check_codec, check_order, check_settings
from streamer.encoders._ffmpeg import prepare
from streamer.encoders._nvenc_engine import (
    DELTA_RATIOS,
    SHARE_OF_LIMIT,
    STEERED_CODECS,
    GpuOptions,
    check_nothing_held,
)
from streamer.encoders._nvenc_reasons import LOST, explain
from streamer.encoders._picture import MEMORY, Pictures, check_surface
from streamer.encoders._proof import Proof
from streamer.encoders._watch import Watch
from streamer.encoders.base import EncoderSettings
from streamer.errors import EncoderError
from streamer.media.frame import Capabilities, EncodedFrame, EncodeOrder, PixelFormat, Resolution, VideoFrame

IS_HARDWARE = True
_NAME = "nvenc_av"
_LIBRARIES = {"h264": "h264_nvenc", "h265": "hevc_nvenc", "av1": "av1_nvenc"}
# What the first GPUs with the codec take; FFmpeg does not say what this one does.
LARGEST = {"h264": Resolution(4096, 4096), "h265": Resolution(8192, 8192), "av1": Resolution(8192, 8192)}
SMALLEST = Resolution(146, 50)


class Options(GpuOptions):
    """Keys of `[encoders.nvenc_av]`."""

    preset: Literal["p1", "p2", "p3", "p4", "p5", "p6", "p7"] = Field(
        default="p1", description="NVENC's trade of speed for quality; p1 is fastest."
    )


def why_unavailable() -> str | None:
    """Return None if this backend can run here, else the reason it cannot. May take a proof's second."""
    if not _codecs():
        return f"PyAV was built without {', '.join(_LIBRARIES.values())}"
    return _proof.why_none(_NAME, _codecs())


def capabilities() -> Capabilities:
    """Return what the first GPU that encodes can do."""
    return _capabilities_of(tuple(_proof.proven(_NAME, _codecs())))


def create(settings: EncoderSettings) -> "NvencAvEncoder":
    """Open an encoder.

    Raises:
        Unavailable: it does not keep the contract on this GPU, or does not do this codec.
        UnfitError: it does not take such pictures.
        EncoderError: the rate is refused, or no session is left.
    """
    check_codec(_NAME, settings.codec, _codecs())
    proof = _proof.prove(_NAME, settings.codec, _options(settings).gpu)
    return NvencAvEncoder(settings, proof, Watch(_NAME))


class NvencAvEncoder:
    """One stream of one codec. All calls come from the thread of its rendition."""

    def __init__(self, settings: EncoderSettings, proof: Proof, watch: Watch | None) -> None:
        self._capabilities = _capabilities_of((settings.codec,))
        check_settings(_NAME, settings, self._capabilities.formats, proof.largest, proof.smallest)
        self._settings = settings
        self._description = f"FFmpeg's {_LIBRARIES[settings.codec]} {_options(settings).preset} on {proof.gpu}"
        self._pictures = Pictures(PixelFormat.NV12, settings.resolution)
        self._keyframes = KeyframeCheck(_NAME, settings.codec)
        self._watch = watch
        self._count = 0
        self._fps = fps_fraction(settings.max_fps)
        self._frame_bits = round(frame_bits(EncodeOrder(settings.start_target_bps, settings.max_fps), share_of_limit=1))
        self._live: _live_rate.LiveRate | None = None
        self._context: VideoCodecContext | None = self._open()

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    @property
    def description(self) -> str:
        return f"{self._description}, each rate change with a keyframe"

    def encode(self, frame: VideoFrame, order: EncodeOrder) -> EncodedFrame:
        if self._context is None:
            raise EncoderError(_NAME, "the encoder is closed")
        check_order(_NAME, order)
        check_surface(_NAME, frame.surface, self._settings.resolution, self._capabilities.formats)
        has_changed = self._tell(order)
        packet = self._encode(frame, order)
        encoded = EncodedFrame(
            codec=self._settings.codec,
            data=bytes(packet),
            is_keyframe=packet.is_keyframe,
            capture_us=frame.capture_us,
            resolution=self._settings.resolution,
            number=frame.number,
            input_number=frame.input_number,
        )
        self._keyframes.check(encoded.data, order, is_keyframe=encoded.is_keyframe)
        if self._watch is not None:
            self._watch.note(encoded, order, may_be_keyframe=has_changed)
        return encoded

    def close(self) -> None:
        # PyAV frees the encoder with the last reference to it.
        self._context = self._live = None

    def _encode(self, frame: VideoFrame, order: EncodeOrder) -> "Packet[Any]":
        assert self._context is not None
        picture = self._pictures.wrap(frame.surface)
        picture.pts = self._count
        picture.pict_type = PictureType.I if order.keyframe else PictureType.NONE
        try:
            packets = self._context.encode(picture)
        except av.error.FFmpegError as exc:
            # FFmpeg calls all that can happen an input or output error.
            is_lost = not _cuda.answers(_options(self._settings).gpu)
            reason = LOST if is_lost else f"{_LIBRARIES[self._settings.codec]} failed: {exc}"
            raise EncoderError(_NAME, reason) from exc
        number, self._count = self._count, self._count + 1
        packets = [packet for packet in packets if packet.size]
        check_nothing_held(_NAME, number, [packet.pts for packet in packets])
        return packets[0]

    def _tell(self, order: EncodeOrder) -> bool:
        """Hand on what a frame may take, and return whether that has changed.

        The engine's frame rate stays that of the opening: what a frame may take, times that, is its bit rate.
        """
        bits = round(frame_bits(order, share_of_limit=SHARE_OF_LIMIT))
        if bits == self._frame_bits:
            return False
        self._frame_bits = bits
        if self._live is None:
            self._context = self._open()
            return True
        try:
            self._live.set(self._rate_bps, bits)
        except _live_rate.LiveRateError as exc:
            raise EncoderError(_NAME, str(exc)) from exc
        return True

    @property
    def _rate_bps(self) -> int:
        return max(1, round(self._frame_bits * self._fps))

    def _open(self) -> VideoCodecContext:
        # The engine gives its session back before it takes another one.
        self._context = self._live = None
        context = self._configure()
        try:
            with _heard() as said:
                context.open()
            if _live_rate.why_unproven() is None:
                self._live = _live_rate.LiveRate(context)
        except av.error.FFmpegError as exc:
            raise EncoderError(_NAME, explain(exc, self._settings.codec, "".join(said))) from exc
        except _live_rate.LiveRateError as exc:
            raise EncoderError(_NAME, str(exc)) from exc
        return context

    def _configure(self) -> VideoCodecContext:
        options = _options(self._settings)
        context = prepare(_LIBRARIES[self._settings.codec], self._settings, PixelFormat.NV12, self._fps)
        context.bit_rate = self._rate_bps
        context.options = {
            "gpu": str(options.gpu),
            "preset": options.preset,
            "tune": "ull",
            "rc": "cbr",
            "maxrate": str(self._rate_bps),
            "bufsize": str(self._frame_bits),
            "delay": "0",
            "zerolatency": "1",
            "forced-idr": "1",
            "bf": "0",
            # No keyframe but on order.
            "g": "-1",
            # What H.264 is offered as to viewers.
            **({"profile": "baseline"} if self._settings.codec == "h264" else {}),
        }
        return context


def _codecs() -> tuple[str, ...]:
    return tuple(codec for codec, library in _LIBRARIES.items() if library in codecs_available)


def _options(settings: EncoderSettings) -> Options:
    return settings.options if isinstance(settings.options, Options) else Options()


def _capabilities_of(codecs: tuple[str, ...]) -> Capabilities:
    return Capabilities(
        codecs=codecs,
        formats=(PixelFormat.NV12,),
        memory=MEMORY,
        max_resolution=min((LARGEST[codec] for codec in codecs), default=Resolution(0, 0)),
        is_hardware=IS_HARDWARE,
        rate_change_needs_keyframe=True,
        steers_single_frames=all(codec in STEERED_CODECS for codec in codecs),
        max_delta_ratio=max((DELTA_RATIOS[codec] for codec in codecs), default=1.5),
    )


@contextmanager
def _heard() -> Iterator[list[str]]:
    """Collect what FFmpeg says of errors in this thread: its exceptions name none but "external library"."""
    said: list[str] = []
    level = av.logging.get_level()
    av.logging.set_level(av.logging.ERROR)
    try:
        with av.logging.Capture() as entries:
            try:
                yield said
            finally:
                said += [text for _, _, text in entries]
    finally:
        av.logging.set_level(level)
