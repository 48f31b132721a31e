"""Thirty frames that an encoder has to take as the contract says before anybody relies on it.

It is given moving noise, a rate change, and an order for a keyframe. Every access unit is decoded. Which encoder that
is, and in which process, is up to the caller (`_nvenc_trials`).
"""

from collections.abc import Callable

import av
import av.error
import numpy as np

from streamer.decoder import open_decoder
from streamer.encoders.base import EncoderSettings, VideoEncoder
from streamer.media.frame import (
    BT601_LIMITED,
    BT709_LIMITED,
    SRGB_FULL,
    ColourDescription,
    EncodedFrame,
    EncodeOrder,
    MemoryKind,
    PixelFormat,
    Resolution,
    Surface,
    VideoFrame,
)
from streamer.media.planes import host_surface
from streamer.media.units import BITS_PER_BYTE
from streamer.noise import moving

OpenEncoder = Callable[[EncoderSettings], VideoEncoder]

RESOLUTION = Resolution(320, 192)
_FPS = 60.0
_HIGH_BPS, _LOW_BPS = 2_000_000, 600_000
_FRAMES, _CHANGE_AT, _KEYFRAME_AT = 30, 10, 22
# One-pass rate control needs some frames to find the new size.
_SETTLED_AFTER_FRAMES = 4
_LOWEST_RATIO, _HIGHEST_RATIO = 0.4, 1.6
# Strong, so that an encoder of any codec has to keep to its rate.
_NOISE = 48
# A colour that the four conversions in use make clearly different samples of, and what encoding may change about those.
_RGB = (30, 200, 60)
_SAMPLE_TOLERANCE = 3.0
_BT601_FULL = ColourDescription(primaries=1, transfer=1, matrix=6, is_full_range=True)
_BT709_FULL = ColourDescription(primaries=1, transfer=1, matrix=1, is_full_range=True)
# The luma weights of red and blue for each matrix (H.273, table 4).
_WEIGHTS = {6: (0.299, 0.114), 1: (0.2126, 0.0722)}


class TrialError(Exception):
    """The encoder broke the contract; the message is the reason in words."""


def run(open_encoder: OpenEncoder, codec: str) -> None:
    """Encode the thirty frames.

    Raises:
        TrialError: the contract was broken.
        EncoderError: the encoder failed.
    """
    encoder = open_encoder(_settings(codec, PixelFormat.NV12, BT601_LIMITED))
    try:
        frames = [encoder.encode(moving(RESOLUTION, number, _NOISE), _order(number)) for number in range(_FRAMES)]
        _check_keyframes(frames, is_change_paid=encoder.capabilities.rate_change_needs_keyframe)
        _check_rate(frames)
        _decode_all(frames, codec)
    finally:
        encoder.close()


def rgb_colour(open_encoder: OpenEncoder, codec: str, pixel_format: PixelFormat) -> ColourDescription | None:
    """Return how the encoder's own conversion describes a picture of this packed format, None if that is unknown."""
    pixels = np.empty((RESOLUTION.height_px, RESOLUTION.width_px, 4), np.uint8)
    pixels[...] = (*_RGB, 255) if pixel_format == PixelFormat.RGBA else (*_RGB[::-1], 255)
    surface = host_surface(memoryview(pixels.tobytes()), pixel_format, RESOLUTION, SRGB_FULL)
    return match_colour(samples(open_encoder, codec, surface))


def samples(open_encoder: OpenEncoder, codec: str, surface: Surface) -> tuple[float, float, float]:
    """Return the mean Y, U and V of a surface once it has been encoded and decoded.

    Raises:
        TrialError: what was encoded does not decode.
        EncoderError: the encoder failed.
    """
    encoder = open_encoder(_settings(codec, surface.format, surface.colour, surface.memory))
    try:
        encoded = encoder.encode(VideoFrame(surface, capture_us=1, number=0), EncodeOrder(_HIGH_BPS, _FPS))
    finally:
        encoder.close()
    (picture,) = _decode_all([encoded], codec)
    y, u, v = (
        float(np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[:, : plane.width].mean())
        for plane in picture.planes
    )
    return y, u, v


def match_colour(found: tuple[float, float, float]) -> ColourDescription | None:
    """Return which conversion made these samples of the trial's colour."""
    for colour in (BT601_LIMITED, BT709_LIMITED, _BT601_FULL, _BT709_FULL):
        expected = _convert(colour)
        if max(abs(one - other) for one, other in zip(expected, found, strict=True)) <= _SAMPLE_TOLERANCE:
            return colour
    return None


def _convert(colour: ColourDescription) -> tuple[float, float, float]:
    """H.273, clause 8.3: the samples of the trial's colour."""
    red, green, blue = (channel / 255 for channel in _RGB)
    weight_red, weight_blue = _WEIGHTS[colour.matrix]
    luma = weight_red * red + (1 - weight_red - weight_blue) * green + weight_blue * blue
    u, v = (blue - luma) / (1 - weight_blue) / 2, (red - luma) / (1 - weight_red) / 2
    if colour.is_full_range:
        return 255 * luma, 128 + 255 * u, 128 + 255 * v
    return 16 + 219 * luma, 128 + 224 * u, 128 + 224 * v


def _settings(
    codec: str, pixel_format: PixelFormat, colour: ColourDescription, memory: MemoryKind = MemoryKind.HOST
) -> EncoderSettings:
    return EncoderSettings(
        codec=codec,
        resolution=RESOLUTION,
        format=pixel_format,
        colour=colour,
        max_fps=_FPS,
        start_target_bps=_HIGH_BPS,
        max_target_bps=_HIGH_BPS,
        memory=memory,
    )


def _order(number: int) -> EncodeOrder:
    target_bps = _HIGH_BPS if number < _CHANGE_AT else _LOW_BPS
    return EncodeOrder(target_bps, _FPS, keyframe=number == _KEYFRAME_AT)


def _check_keyframes(frames: list[EncodedFrame], *, is_change_paid: bool) -> None:
    keyframes = {frame.number for frame in frames if frame.is_keyframe}
    unasked = keyframes - {0, _KEYFRAME_AT} - ({_CHANGE_AT} if is_change_paid else set())
    if unasked >= {1, 2, 3}:
        raise TrialError("each frame became a keyframe: draining the encoder after a frame ends its prediction")
    if _CHANGE_AT in unasked:
        raise TrialError("a change of the rate made a keyframe")
    if unasked:
        raise TrialError(f"of 30 frames, frame {min(unasked)} became a keyframe that nobody ordered")
    if not keyframes >= {0, _KEYFRAME_AT}:
        raise TrialError("a keyframe was ordered and did not come")


def _check_rate(frames: list[EncodedFrame]) -> None:
    settled = [frame for frame in frames[_CHANGE_AT + _SETTLED_AFTER_FRAMES : _KEYFRAME_AT] if not frame.is_keyframe]
    spent_bps = sum(len(frame.data) for frame in settled) * BITS_PER_BYTE * _FPS / len(settled)
    if not _LOWEST_RATIO * _LOW_BPS <= spent_bps <= _HIGHEST_RATIO * _LOW_BPS:
        raise TrialError(
            f"the rate is not obeyed: told to go from {_HIGH_BPS / 1e6:.1f} to {_LOW_BPS / 1e6:.1f} Mbit/s, it went "
            f"to {spent_bps / 1e6:.2f} Mbit/s"
        )


def _decode_all(frames: list[EncodedFrame], codec: str) -> list[av.VideoFrame]:
    decoder = open_decoder(codec)
    pictures: list[av.VideoFrame] = []
    try:
        for frame in frames:
            pictures += decoder.decode(av.Packet(frame.data))
        pictures += decoder.decode(None)
    except av.error.FFmpegError as exc:
        raise TrialError(f"what it made of {len(frames)} frames does not decode: {exc}") from exc
    if len(pictures) != len(frames):
        raise TrialError(f"what it made of {len(frames)} frames decodes to {len(pictures)}")
    return pictures
