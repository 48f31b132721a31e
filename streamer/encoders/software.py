"""Encode on the processor through PyAV: H.264 with libx264, VP8 with libvpx. Works everywhere.

Owns the contract of an encoder; the libraries' own ways are in `_x264` and `_vpx`. VP8 has no room in its bitstream for
a colour description: viewers take BT.601 limited range for granted.
"""

from dataclasses import replace
from typing import Annotated, Literal

import av
import av.error
from av.codec import codecs_available
from pydantic import BaseModel, ConfigDict, Field

from streamer.encoders import _live_rate, _vpx, _x264
from streamer.encoders._budget import Engine
from streamer.encoders._checks import KeyframeCheck, check_order, check_settings
from streamer.encoders._picture import MEMORY, Pictures, why_unfit
from streamer.encoders.base import EncoderSettings
from streamer.errors import EncoderError, Unavailable
from streamer.media.frame import (
    Capabilities,
    EncodedFrame,
    EncodeOrder,
    PixelFormat,
    Resolution,
    VideoFrame,
)

_NAME = "software"
_LIBRARIES = {"h264": "libx264", "vp8": "libvpx"}
# VP8 has 14 bits for each edge (RFC 6386, section 9.1); H.264 at level 6.2 takes 139264 macroblocks (table A-1).
_LARGEST = {"h264": Resolution(8192, 4352), "vp8": Resolution(16383, 16383)}
_FORMATS = (PixelFormat.NV12, PixelFormat.I420)


class Options(BaseModel):
    """Keys of `[encoders.software]`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    preset: Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium"] = Field(
        default="ultrafast",
        description="libx264's trade of speed for quality; ultrafast takes 4 ms for 720p, veryfast 10 ms.",
    )
    threads: Annotated[int, Field(ge=1, le=16)] | None = Field(
        default=None,
        description="Threads that share one frame; by default 1, and 2 for H.264 from 720 lines and for VP8 from 1000 "
        "lines on.",
    )
    vp8_speed: int = Field(default=8, ge=4, le=16, description="libvpx's trade of speed for quality; 16 is fastest.")


def why_unavailable() -> str | None:
    """Return None if this backend can run here, else the reason it cannot."""
    if not _codecs():
        return f"PyAV was built without {' and '.join(_LIBRARIES.values())}"
    return None


def capabilities() -> Capabilities:
    """Return what every codec of this backend can do; an open encoder's own `capabilities` may promise more."""
    codecs = _codecs()
    return Capabilities(
        codecs=codecs,
        formats=_FORMATS,
        memory=MEMORY,
        max_resolution=min((_LARGEST[codec] for codec in codecs), default=Resolution(0, 0)),
        is_hardware=False,
        rate_change_needs_keyframe="h264" in codecs and _live_rate.why_unproven() is not None,
        max_delta_ratio=_vpx.DELTA_RATIO if "vp8" in codecs else _x264.DELTA_RATIO,
    )


def create(settings: EncoderSettings) -> "SoftwareEncoder":
    """Open an encoder.

    Raises:
        Unavailable: PyAV was built without the library for this codec.
        EncoderError: the library refuses the settings.
    """
    if settings.codec not in _codecs():
        raise Unavailable(_NAME, f"cannot encode {settings.codec!r}; it can do {', '.join(_codecs()) or 'nothing'}")
    check_settings(_NAME, settings, _FORMATS, _LARGEST[settings.codec])
    return SoftwareEncoder(settings)


class SoftwareEncoder:
    """One stream of one codec. All calls come from the thread of its rendition."""

    def __init__(self, settings: EncoderSettings) -> None:
        self._settings = settings
        try:
            self._engine: Engine | None = _open_engine(settings)
        except (av.error.FFmpegError, _live_rate.LiveRateError) as exc:
            raise EncoderError(_NAME, f"{_LIBRARIES[settings.codec]} does not open: {exc}") from exc
        self._description = self._engine.description
        self._capabilities = _capabilities_of(settings.codec, self._engine)
        self._pictures = Pictures(self._engine.takes, settings.resolution)
        self._keyframes = KeyframeCheck(_NAME, settings.codec)

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    @property
    def description(self) -> str:
        return self._description

    def encode(self, frame: VideoFrame, order: EncodeOrder) -> EncodedFrame:
        if self._engine is None:
            raise EncoderError(_NAME, "the encoder is closed")
        self._check(frame, order)
        try:
            packets = self._engine.encode(self._pictures.wrap(frame.surface), order)
        except (av.error.FFmpegError, _live_rate.LiveRateError) as exc:
            raise EncoderError(_NAME, f"{_LIBRARIES[self._settings.codec]} failed: {exc}") from exc
        if len(packets) != 1:
            raise EncoderError(_NAME, f"frame {frame.number} became {len(packets)} packets instead of one")
        data, is_keyframe = bytes(packets[0]), packets[0].is_keyframe
        self._keyframes.check(data, order, is_keyframe=is_keyframe)
        return EncodedFrame(
            codec=self._settings.codec,
            data=data,
            is_keyframe=is_keyframe,
            capture_us=frame.capture_us,
            resolution=self._settings.resolution,
            number=frame.number,
            input_number=frame.input_number,
        )

    def close(self) -> None:
        # PyAV frees the library's encoder with the last reference to it.
        self._engine = None

    def _check(self, frame: VideoFrame, order: EncodeOrder) -> None:
        reason = why_unfit(frame.surface, self._settings.resolution, self._capabilities.formats)
        if reason is not None:
            raise EncoderError(_NAME, reason)
        check_order(_NAME, order)


def _codecs() -> tuple[str, ...]:
    return tuple(codec for codec, library in _LIBRARIES.items() if library in codecs_available)


def _open_engine(settings: EncoderSettings) -> Engine:
    options = settings.options if isinstance(settings.options, Options) else Options()
    if settings.codec == "h264":
        return _x264.X264(settings, options.preset, options.threads)
    return _vpx.Vpx(settings, options.vp8_speed, options.threads)


def _capabilities_of(codec: str, engine: Engine) -> Capabilities:
    other = PixelFormat.I420 if engine.takes == PixelFormat.NV12 else PixelFormat.NV12
    return replace(
        capabilities(),
        codecs=(codec,),
        formats=(engine.takes, other),
        max_resolution=_LARGEST[codec],
        rate_change_needs_keyframe=engine.rate_change_needs_keyframe,
        max_delta_ratio=_vpx.DELTA_RATIO if codec == "vp8" else _x264.DELTA_RATIO,
    )
