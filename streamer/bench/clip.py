"""Streams that are encoded before a measurement: the stamped pattern for the floor, noise for the sender.

Encoded by the product's own software encoder, as fast as the machine can, with a clock that is stepped by hand.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import NoReturn

import numpy as np
import numpy.typing as npt

from streamer.alarm import Alarm, Timer
from streamer.encoders import software
from streamer.encoders.base import EncoderSettings
from streamer.errors import LocalProtocolError
from streamer.media.frame import (
    BT601_LIMITED,
    EncodedFrame,
    EncodeOrder,
    MemoryKind,
    PixelFormat,
    Plane,
    Resolution,
    Surface,
    VideoFrame,
)
from streamer.sources import pattern
from streamer.sources.base import SourceSettings

_US_PER_S = 1_000_000
# Grains of noise over a few grey pictures: no encoder predicts them, so that every frame fills its share of the target.
_NOISE_PICTURES = 8
_NOISE_LUMA = (90, 166)
_GRAIN_PX = 4


class SteppedClock:
    """A clock that stands still until somebody waits, and then is there at once."""

    def __init__(self) -> None:
        self._now_us = _US_PER_S

    def now_us(self) -> int:
        return self._now_us

    def wall_us(self) -> int:
        return self._now_us

    def call_at_us(self, at_us: int, callback: Callable[[], None]) -> Timer:
        self._refuse(at_us, callback)

    def alarm(self, ring: Callable[[], None]) -> Alarm:
        self._refuse(ring)

    async def sleep_until_us(self, at_us: int) -> None:
        self.block_until_us(at_us)

    def wait_until_us(self, at_us: int, interrupt: Event) -> bool:
        self.block_until_us(at_us)
        return interrupt.is_set()

    def block_until_us(self, at_us: int) -> None:
        self._now_us = max(self._now_us, at_us)

    def _refuse(self, *_: object) -> NoReturn:
        raise LocalProtocolError("a stepped clock has no event loop")


def pattern_frames(size: Resolution, fps: float, count: int) -> Iterator[VideoFrame]:
    """Yield the first `count` frames of the test card. Each is released when the next one is asked for."""
    source = pattern.create(SourceSettings(size, fps, SteppedClock()))
    try:
        for _ in range(count):
            frame = source.grab(_US_PER_S)
            if frame is None:
                raise LocalProtocolError("the pattern gave no frame although nothing else takes its time")
            yield frame
            source.release(frame)
    finally:
        source.close()


def noise_frames(size: Resolution, count: int) -> Iterator[VideoFrame]:
    """Yield `count` frames of noise, whose order repeats no sooner than the encoder forgets."""
    generator = np.random.default_rng(1)
    rows, columns = -(-size.height_px // _GRAIN_PX), -(-size.width_px // _GRAIN_PX)
    chroma = np.full(size.pixels // 2, 128, np.uint8)
    surfaces = []
    for _ in range(_NOISE_PICTURES):
        grains = generator.integers(*_NOISE_LUMA, (rows, columns), np.uint8)
        luma = grains.repeat(_GRAIN_PX, 0).repeat(_GRAIN_PX, 1)[: size.height_px, : size.width_px]
        surfaces.append(_surface(size, np.concatenate([luma.reshape(-1), chroma])))
    for number in range(count):
        yield VideoFrame(surfaces[number % _NOISE_PICTURES], capture_us=number, number=number)


def encode(frames: Iterator[VideoFrame], size: Resolution, fps: float, target_bps: int) -> Iterator[EncodedFrame]:
    """Yield the H.264 access units of `frames`: a keyframe first, then none."""
    settings = EncoderSettings(
        codec="h264",
        resolution=size,
        format=PixelFormat.I420,
        colour=BT601_LIMITED,
        max_fps=fps,
        start_target_bps=target_bps,
        max_target_bps=target_bps,
    )
    encoder = software.create(settings)
    order = EncodeOrder(target_bps=target_bps, fps=fps)
    try:
        for frame in frames:
            yield encoder.encode(frame, order)
    finally:
        encoder.close()


def write_annex_b(file: Path, units: Iterator[EncodedFrame]) -> int:
    """Write the units one after the other and return their number."""
    count = 0
    with file.open("wb") as out:
        for unit in units:
            out.write(unit.data)
            count += 1
    return count


def _surface(size: Resolution, memory: npt.NDArray[np.uint8]) -> Surface:
    luma, quarter = size.pixels, size.pixels // 4
    buffer = memory.data
    address = memory.ctypes.data
    planes = (
        Plane(size.width_px, buffer[:luma], address),
        Plane(size.width_px // 2, buffer[luma : luma + quarter], address + luma),
        Plane(size.width_px // 2, buffer[luma + quarter :], address + luma + quarter),
    )
    return Surface(MemoryKind.HOST, PixelFormat.I420, size, planes, BT601_LIMITED)
