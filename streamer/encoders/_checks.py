"""What every encoder of ours checks before and after its library: settings, orders, and whether a keyframe is one."""

import math
from collections.abc import Collection
from types import ModuleType

from streamer import registry
from streamer.encoders.base import EncoderSettings
from streamer.errors import ConfigError, EncoderError, StreamerError, Unavailable, UnfitError
from streamer.media.frame import EncodeOrder, PixelFormat, Resolution

# H.273: matrix 0 is RGB itself, which 4:2:0 pictures cannot be.
_IDENTITY_MATRIX = 0
_SUBSAMPLED = (PixelFormat.NV12, PixelFormat.I420)
# What the doctor knows refusals by that are no fault of the machine.
CANNOT = "cannot encode"
LARGEST, SMALLEST = "the largest are", "the smallest are"


def check_codec(name: str, codec: str, codecs: Collection[str]) -> None:
    """Hold a codec against those that backend `name` makes.

    Raises:
        Unavailable: it is none of them.
    """
    if codec not in codecs:
        raise Unavailable(name, f"{CANNOT} {codec!r}; it can do {', '.join(codecs) or 'nothing'}")


def check_settings(
    name: str,
    settings: EncoderSettings,
    formats: tuple[PixelFormat, ...],
    largest: Resolution,
    smallest: Resolution = Resolution(2, 2),  # noqa: B008 - a frozen value
) -> None:
    """Hold settings against what backend `name` takes.

    Raises:
        UnfitError: it does not take such pictures; says which it takes.
        EncoderError: the rate cannot be.
    """
    resolution = settings.resolution
    if settings.format not in formats:
        raise UnfitError(name, f"pictures of format {settings.format}; accepted is {' or '.join(formats)}")
    if resolution.width_px % 2 or resolution.height_px % 2 or not resolution.pixels:
        raise UnfitError(name, f"pictures of {resolution}; 4:2:0 takes even sizes from 2x2 on")
    if not resolution.fits_in(largest):
        raise UnfitError(name, f"pictures of {resolution}; {LARGEST} {largest}")
    if not smallest.fits_in(resolution):
        raise UnfitError(name, f"pictures of {resolution}; {SMALLEST} {smallest}")
    if settings.start_target_bps <= 0 or not settings.max_fps > 0:
        raise EncoderError(name, f"{settings.start_target_bps} bit/s at {settings.max_fps} frames per second")
    if settings.format in _SUBSAMPLED and settings.colour.matrix == _IDENTITY_MATRIX:
        raise UnfitError(name, f"{settings.format} pictures that are described as RGB (matrix 0)")


def check_order(name: str, order: EncodeOrder) -> None:
    """Refuse an order that no encoder can follow.

    Raises:
        EncoderError: the order cannot be.
    """
    if order.target_bps <= 0 or not (math.isfinite(order.fps) and order.fps > 0):
        raise EncoderError(name, f"an order for {order.target_bps} bit/s at {order.fps} frames per second")
    if order.max_frame_bytes is not None and order.max_frame_bytes <= 0:
        raise EncoderError(name, f"an order for a frame of at most {order.max_frame_bytes} bytes")


def codec_module(codec: str) -> ModuleType | None:
    """Return our module of a codec, None if we have none."""
    try:
        return registry.load("codecs", codec)
    except ConfigError:
        return None


class KeyframeCheck:
    """Holds the library's word against the bitstream and the order: a false keyframe freezes viewers."""

    def __init__(self, name: str, codec: str) -> None:
        self._name = name
        self._codec = codec
        self._module = codec_module(codec)

    def check(self, data: bytes, order: EncodeOrder, *, is_keyframe: bool) -> None:
        """Look at one frame.

        Raises:
            EncoderError: it is not what it is said to be, or not what was ordered.
        """
        if self._module is not None:
            try:
                is_really = self._module.is_keyframe(data)
            except StreamerError as exc:
                raise EncoderError(self._name, f"the library made no {self._codec} frame: {exc}") from exc
            if is_really != is_keyframe:
                raise EncoderError(self._name, f"a frame marked keyframe={is_keyframe} is not what it is marked")
        if order.keyframe and not is_keyframe:
            raise EncoderError(self._name, "a keyframe was ordered and did not come")
