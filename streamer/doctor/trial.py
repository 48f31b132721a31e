"""Encode on this machine as a session would, and measure it. Only in a process of its own: encoders may crash."""

from typing import Any

from streamer import registry
from streamer.clock import SystemClock
from streamer.config import Config
from streamer.encoders.base import EncoderSettings, VideoEncoder
from streamer.errors import DeviceError
from streamer.media.frame import BT601_LIMITED, EncodedFrame, EncodeOrder, PixelFormat, Resolution
from streamer.media.units import BITS_PER_BYTE
from streamer.noise import moving
from streamer.session.pace import median_encode_us
from streamer.settings import backend_options

_FRAMES = 120
# Half of the frames at the start target, and half at half of it: an encoder that ignores rates cannot hit both.
_CHANGE_AT = _FRAMES // 2
# One-pass rate control needs some frames to find the size of a frame.
_SETTLED_AFTER_FRAMES = 10
# Software at 4K takes a second for a picture: enough of them are soon seen.
_LONGEST_US = 20_000_000
# More than any limit that drivers are known to have (12), and quickly opened.
_MOST_SESSIONS = 16
# Smaller than what any engine can do, larger than its smallest.
_SMALL = Resolution(320, 192)


def encode(config: Config, backend: str, codec: str) -> dict[str, Any]:
    """Encode 120 pictures at the configured size, or fewer where that takes long, and return what came of them.

    Raises:
        DeviceError: the encoder does not open, or fails.
    """
    size, fps, target_bps = config.session.size, config.session.fps, config.video.start_target_bps
    encoder = _open(config, backend, codec, size)
    clock, spent_us, frames = SystemClock(), [], []
    try:
        for number in range(_FRAMES):
            frame = moving(size, number)
            order = EncodeOrder(target_bps if number < _CHANGE_AT else target_bps // 2, fps)
            begun_us = clock.now_us()
            frames.append(encoder.encode(frame, order))
            spent_us.append(clock.now_us() - begun_us)
            if sum(spent_us) > _LONGEST_US:
                break
        description = encoder.description
    finally:
        encoder.close()
    ordered_us = sorted(spent_us)
    return {
        "description": description,
        "frames": len(frames),
        "keyframes": [frame.number for frame in frames if frame.is_keyframe],
        "p50_us": ordered_us[len(frames) // 2],
        "p95_us": ordered_us[len(frames) * 95 // 100],
        "rates": [
            {"target_bps": ordered_bps, "spent_bps": _spent_bps(settled, fps)}
            for ordered_bps, settled in ((target_bps, frames[:_CHANGE_AT]), (target_bps // 2, frames[_CHANGE_AT:]))
            if len(settled) > _SETTLED_AFTER_FRAMES
        ],
    }


def pace(config: Config, backend: str, codec: str, size: Resolution, fps: float, target_bps: int) -> dict[str, Any]:
    """Return how long a backend takes for a picture of this size.

    Raises:
        DeviceError: the encoder does not open, or fails.
    """
    module = registry.load("encoders", backend)
    options = backend_options(config, "encoders", backend)
    return {"p50_us": round(median_encode_us(module, codec, size, fps, target_bps, options))}


def open_until_refused(config: Config, backend: str) -> dict[str, Any]:
    """Return how many encoders can be open at once, and why there is no further one.

    Raises:
        DeviceError: not even one opens.
    """
    opened: list[VideoEncoder] = []
    refusal = None
    try:
        while len(opened) < _MOST_SESSIONS and refusal is None:
            try:
                opened.append(_open(config, backend, "h264", _SMALL))
            except DeviceError as exc:
                if not opened:
                    raise
                refusal = exc.reason
        return {"sessions": len(opened), "refusal": refusal}
    finally:
        for encoder in opened:
            encoder.close()


def _open(config: Config, backend: str, codec: str, size: Resolution) -> VideoEncoder:
    module = registry.load("encoders", backend)
    settings = EncoderSettings(
        codec=codec,
        resolution=size,
        format=PixelFormat.NV12,
        colour=BT601_LIMITED,
        max_fps=config.session.fps,
        start_target_bps=config.video.start_target_bps,
        max_target_bps=config.video.max_target_bps,
        options=backend_options(config, "encoders", backend),
    )
    encoder: VideoEncoder = module.create(settings)
    return encoder


def _spent_bps(frames: list[EncodedFrame], fps: float) -> int:
    settled = [len(frame.data) for frame in frames[_SETTLED_AFTER_FRAMES:] if not frame.is_keyframe]
    return round(sum(settled) * BITS_PER_BYTE * fps / max(1, len(settled)))
