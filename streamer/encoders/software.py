"""Encode on the processor through PyAV: H.264 with libx264, VP8 with libvpx, H.265 with libx265, AV1 with SVT-AV1.

Works everywhere. Owns the contract of an encoder; the libraries' own ways are in `_x264`, `_vpx`, `_x265` and
`_svt_av1`. VP8 has no room in its bitstream for a colour description: viewers take BT.601 limited range for granted.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import av
import av.error
from av.codec import codecs_available
from pydantic import BaseModel, ConfigDict, Field

from streamer.encoders import _live_rate, _svt_av1, _vpx, _x264, _x265
from streamer.encoders._checks import KeyframeCheck, check_codec, check_order, check_settings
from streamer.encoders._engine import Engine
from streamer.encoders._picture import MEMORY, Pictures, check_surface
from streamer.encoders.base import EncoderSettings
from streamer.errors import EncoderError
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
_FORMATS = (PixelFormat.NV12, PixelFormat.I420)


class Options(BaseModel):
    """Keys of `[encoders.software]`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    preset: Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium"] = Field(
        default="ultrafast",
        description="libx264's trade of speed for quality; ultrafast takes 4 ms for 720p, veryfast 8 ms.",
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


@dataclass(frozen=True, slots=True)
class _Codec:
    """How a codec is made, and what its library can do. `needs_keyframe` is whether a change of rate costs one."""

    library: str
    open_engine: Callable[[EncoderSettings, Options], Engine]
    smallest: Resolution
    largest: Resolution
    delta_ratio: float
    needs_keyframe: Callable[[], bool]
    keyframe_ratio: float = 3.0
    steers_single_frames: bool = True


# VP8 has 14 bits for each edge (RFC 6386, section 9.1); H.264 at level 6.2 takes 139264 macroblocks (table A-1), and
# H.265 and AV1 at theirs as many samples (tables A.8; A.3). The smallest are what the libraries open for.
_CODECS = {
    "h264": _Codec(
        library="libx264",
        open_engine=lambda settings, options: _x264.X264(settings, options.preset, options.threads),
        smallest=Resolution(4, 4),
        largest=Resolution(8192, 4352),
        delta_ratio=_x264.DELTA_RATIO,
        needs_keyframe=lambda: _live_rate.why_unproven() is not None,
    ),
    "vp8": _Codec(
        library="libvpx",
        open_engine=lambda settings, options: _vpx.Vpx(settings, options.vp8_speed),
        smallest=Resolution(4, 4),
        largest=Resolution(16383, 16383),
        delta_ratio=_vpx.DELTA_RATIO,
        needs_keyframe=lambda: False,
    ),
    "h265": _Codec(
        library="libx265",
        open_engine=lambda settings, options: _x265.X265(settings, options.h265_preset, options.threads),
        smallest=Resolution(16, 16),
        largest=Resolution(8192, 4352),
        delta_ratio=_x265.DELTA_RATIO,
        needs_keyframe=lambda: True,
    ),
    "av1": _Codec(
        library="libsvtav1",
        open_engine=lambda settings, options: _svt_av1.SvtAv1(settings, options.av1_preset, options.threads),
        smallest=Resolution(64, 64),
        largest=Resolution(8192, 4352),
        delta_ratio=_svt_av1.DELTA_RATIO,
        needs_keyframe=lambda: True,
        keyframe_ratio=_svt_av1.KEYFRAME_RATIO,
        steers_single_frames=False,
    ),
}


def why_unavailable() -> str | None:
    """Return None if this backend can run here, else the reason it cannot."""
    if not _codecs():
        libraries = " and ".join(codec.library for codec in _CODECS.values())
        return f"PyAV was built without {libraries}"
    return None


def capabilities() -> Capabilities:
    """Return what every codec of this backend can do; an open encoder's own `capabilities` may promise more."""
    return _capabilities_of(_codecs())


def create(settings: EncoderSettings) -> "SoftwareEncoder":
    """Open an encoder.

    Raises:
        Unavailable: PyAV was built without the library for this codec.
        UnfitError: it does not take such pictures.
        EncoderError: the library refuses the settings.
    """
    check_codec(_NAME, settings.codec, _codecs())
    codec = _CODECS[settings.codec]
    check_settings(_NAME, settings, _FORMATS, codec.largest, codec.smallest)
    return SoftwareEncoder(settings)


class SoftwareEncoder:
    """One stream of one codec. All calls come from the thread of its rendition."""

    def __init__(self, settings: EncoderSettings) -> None:
        self._settings = settings
        self._library = _CODECS[settings.codec].library
        try:
            engine = _CODECS[settings.codec].open_engine(settings, _options(settings))
        except (av.error.FFmpegError, _live_rate.LiveRateError) as exc:
            raise EncoderError(_NAME, f"{self._library} does not open: {exc}") from exc
        self._engine: Engine | None = engine
        self._description = engine.description
        # What is taken as it is comes first; the other one is rearranged.
        formats = (engine.takes, *(other for other in _FORMATS if other != engine.takes))
        self._capabilities = replace(_capabilities_of((settings.codec,)), formats=formats)
        self._pictures = Pictures(engine.takes, settings.resolution)
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
            raise EncoderError(_NAME, f"{self._library} failed: {exc}") from exc
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
        check_surface(_NAME, frame.surface, self._settings.resolution, self._capabilities.formats)
        check_order(_NAME, order)


def _codecs() -> tuple[str, ...]:
    return tuple(name for name, codec in _CODECS.items() if codec.library in codecs_available)


def _options(settings: EncoderSettings) -> Options:
    return settings.options if isinstance(settings.options, Options) else Options()


def _capabilities_of(names: tuple[str, ...]) -> Capabilities:
    """Return what all of these codecs can do."""
    codecs = [_CODECS[name] for name in names]
    return Capabilities(
        codecs=names,
        formats=_FORMATS,
        memory=MEMORY,
        max_resolution=min((codec.largest for codec in codecs), default=Resolution(0, 0)),
        is_hardware=IS_HARDWARE,
        rate_change_needs_keyframe=any(codec.needs_keyframe() for codec in codecs),
        steers_single_frames=all(codec.steers_single_frames for codec in codecs),
        max_delta_ratio=max((codec.delta_ratio for codec in codecs), default=0.0),
        max_keyframe_ratio=max((codec.keyframe_ratio for codec in codecs), default=0.0),
    )
