"""What the tests over the substitute driver share: encoders, frames in its memory, and its call log."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import av
import numpy as np

from streamer.decoder import open_decoder
from streamer.encoders import nvenc
from streamer.encoders._cuda import DeviceMemory
from streamer.encoders.base import EncoderSettings
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
from tests.nvidia_driver.calls import Call, read_calls

SMALL = Resolution(160, 96)
ORDER = EncodeOrder(1_000_000, 60.0)


def settings(**more: object) -> EncoderSettings:
    plain = EncoderSettings("h264", SMALL, PixelFormat.NV12, BT601_LIMITED, 60.0, 1_000_000, 8_000_000)
    return replace(plain, **more)


def calls(*names: str) -> list[Call]:
    """Return what this process has called so far; encoders of other processes have proven themselves."""
    return [
        call for call in read_calls(Path(os.environ["NVIDIA_SUBSTITUTE_LOG"]), *names) if call.process == os.getpid()
    ]


@contextmanager
def opened(**more: object) -> Iterator[nvenc.NvencEncoder]:
    encoder = nvenc.create(settings(**more))
    try:
        yield encoder
    finally:
        encoder.close()


@contextmanager
def device_frame(planes: list[np.ndarray], surface: Surface) -> Iterator[VideoFrame]:
    """Put planes into device memory one behind the other."""
    memory = DeviceMemory(0, b"".join(plane.tobytes() for plane in planes))
    try:
        begin, made = memory.pointer, []
        for plane in planes:
            made.append(Plane(plane.shape[1], pointer=begin))
            begin += plane.nbytes
        yield VideoFrame(replace(surface, memory=MemoryKind.CUDA, planes=tuple(made), device=0), capture_us=1, number=0)
    finally:
        memory.close()


def decode(*frames: EncodedFrame) -> list[av.VideoFrame]:
    decoder = open_decoder(frames[0].codec)
    return [picture for frame in frames for picture in decoder.decode(av.Packet(frame.data))] + decoder.decode(None)


def means(picture: av.VideoFrame) -> list[float]:
    """Return the mean of Y, U and V."""
    return [
        float(np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[:, : plane.width].mean())
        for plane in picture.planes
    ]
