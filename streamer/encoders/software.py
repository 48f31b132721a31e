"""Encode on the processor through PyAV: H.264 with libx264, VP8 with libvpx, H.265 with libx265, AV1 with SVT-AV1.

Works everywhere. Owns the contract of an encoder; the libraries' own ways are in `_x264`, `_vpx`, `_x265` and
`_svt_av1`. VP8 has no room in its bitstream for a colour description: viewers take BT.601 limited range for granted.
"""

from dataclasses import replace
from typing import Annotated, Literal

import av
import av.error
from av.codec import codecs_available
from pydantic import BaseModel, ConfigDict, Field

from streamer.encoders import _live_rate, _svt_av1, _vpx, _x264, _x265
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

IS_HARDWARE = False
_NAME = "software"
_LIBRARIES = {"h264": "libx264", "vp8": "libvpx", "h265": "libx265", "av1": "libsvtav1"}
# VP8 has 14 bits for each edge (RFC 6386, section 9.1); H.264 at level 6.2 takes 139264 macroblocks (table A-1), and
# H.265 and AV1 at theirs as many samples (tables A.8; A.3).
_LARGEST = {
    "h264": Resolution(8192, 4352),
    "vp8": Resolution(16383, 16383),
    "h265": Resolution(8192, 4352),
    "av1": Resolution(8192, 4352),
}
_DELTA_RATIOS = {
    "h264": _x264.DELTA_RATIO,
    "vp8": _vpx.DELTA_RATIO,
    "h265": _x265.DELTA_RATIO,
    "av1": _svt_av1.DELTA_RATIO,
}
_KEYFRAME_RATIO = 3.0
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
        description="Threads that share one frame, but for VP8, which always has one; by default 2 from 720 lines on.",
    )
    vp8_speed: int = Field(default=8, ge=4, le=16, description="libvpx's trade of speed for quality; 16 is fastest.")
    h265_preset: Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium"] = Field(
        default="ultrafast",
        description="libx265's trade of speed for quality; ultrafast takes 29 ms of the processor for 720p.",
    )
    av1_preset: int = Field(default=12, ge=8, le=13, description="SVT-AV1's trade of speed for quality; 13 is fastest.")


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
        is_hardware=IS_HARDWARE,
        rate_change_needs_keyframe=bool({"h265", "av1"} & {*codecs})
        or ("h264" in codecs and _live_rate.why_unproven() is not None),
        steers_single_frames="av1" not in codecs,
        max_delta_ratio=max((_DELTA_RATIOS[codec] for codec in codecs), default=0.0),
        max_keyframe_ratio=_svt_av1.KEYFRAME_RATIO if "av1" in codecs else _KEYFRAME_RATIO,
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
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()

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
    if settings.codec == "h265":
        return _x265.X265(settings, options.h265_preset, options.threads)
    if settings.codec == "av1":
        return _svt_av1.SvtAv1(settings, options.av1_preset, options.threads)
    return _vpx.Vpx(settings, options.vp8_speed)


def _capabilities_of(codec: str, engine: Engine) -> Capabilities:
    other = PixelFormat.I420 if engine.takes == PixelFormat.NV12 else PixelFormat.NV12
    return replace(
        capabilities(),
        codecs=(codec,),
        formats=(engine.takes, other),
        max_resolution=_LARGEST[codec],
        rate_change_needs_keyframe=engine.rate_change_needs_keyframe,
        steers_single_frames=codec != "av1",
        max_delta_ratio=_DELTA_RATIOS[codec],
        max_keyframe_ratio=_svt_av1.KEYFRAME_RATIO if codec == "av1" else _KEYFRAME_RATIO,
    )
