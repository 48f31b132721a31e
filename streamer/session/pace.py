"""Measure whether an encoder keeps up with a picture size and frame rate on this machine."""

import statistics
from types import ModuleType

from pydantic import BaseModel

from streamer.clock import SystemClock
from streamer.encoders.base import EncoderSettings, VideoEncoder
from streamer.media.frame import BT601_LIMITED, EncodeOrder, PixelFormat, Resolution
from streamer.noise import moving

# Enough for a median; at 4K this takes a second.
_FRAMES = 24
# Converting and sending take their share of each frame time.
_SHARE_OF_FRAME_TIME = 0.6
_SECOND_US = 1_000_000
# By everything that a measurement depends on.
_medians_us: dict[tuple[object, ...], float] = {}


def keeps_up(
    module: ModuleType, codec: str, resolution: Resolution, fps: float, target_bps: int, options: BaseModel | None
) -> bool:
    """Return whether this backend, with its options, encodes moving noise fast enough. Measured once in a process.

    Raises:
        DeviceError: the encoder does not open, or fails.
    """
    # Options of other packages need not be hashable: what they say is what counts.
    measured = module, codec, resolution, fps, target_bps, repr(options)
    if measured not in _medians_us:
        _medians_us[measured] = median_encode_us(module, codec, resolution, fps, target_bps, options)
    return is_in_time(_medians_us[measured], fps)


def is_in_time(encode_us: float, fps: float) -> bool:
    """Return whether encoding leaves the rest of a frame's time to what else there is to do."""
    return encode_us <= _SHARE_OF_FRAME_TIME * _SECOND_US / fps


def median_encode_us(
    module: ModuleType, codec: str, resolution: Resolution, fps: float, target_bps: int, options: BaseModel | None
) -> float:
    """Return how long this backend takes to encode a picture of moving noise.

    Raises:
        DeviceError: the encoder does not open, or fails.
    """
    settings = EncoderSettings(codec, resolution, PixelFormat.NV12, BT601_LIMITED, fps, target_bps, target_bps, options)
    encoder: VideoEncoder = module.create(settings)
    clock, spent_us = SystemClock(), []
    try:
        for number in range(_FRAMES):
            frame = moving(resolution, number)
            begun_us = clock.now_us()
            encoder.encode(frame, EncodeOrder(target_bps, fps))
            spent_us.append(clock.now_us() - begun_us)
    finally:
        encoder.close()
    return statistics.median(spent_us)
