"""Measure what our NVENC encoder takes for a frame beside the driver.

    python -m tests.nvidia.wrapper_cost [--size WxH] [--json FILE]

Encodes over the substitute driver, which counts the time that a thread is in it. What is left of a frame's time is that
of our code and of PyNvVideoCodec. Every twelfth frame changes the rate, which is as often as a session does.

The substitute's encoder runs on the processor and leaves cold caches behind, in which everything takes several times as
long. With pictures of 160x96 it leaves most of them alone.
"""

import ctypes
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import cycle, islice
from pathlib import Path
from statistics import fmean

import click
import numpy as np

from streamer.bench.machine import LoadMeter
from streamer.bench.options import json_option, parse_size, require_writable
from streamer.bench.progress import say
from streamer.bench.quantiles import percentile
from streamer.bench.report import Result, conditions, distrust, load_result, publish
from streamer.encoders import nvenc
from streamer.encoders.base import EncoderSettings
from streamer.media.frame import BT709_LIMITED, SRGB_FULL, EncodeOrder, MemoryKind, PixelFormat, Resolution, VideoFrame
from tests.fakes import clips
from tests.nvidia.machine import device_frame
from tests.nvidia_driver import build
from tests.nvidia_driver.driver import NvidiaDriver

COLOURS = {PixelFormat.NV12: BT709_LIMITED, PixelFormat.BGRA: SRGB_FULL}
FPS, TARGET_BPS = 60.0, 8_000_000
# A thirtieth of a percent: the driver is told, and the pictures stay as they are.
RATE_STEP_BPS = TARGET_BPS // 3000
# Five changes per second are the most that the encoder is asked for.
FRAMES_PER_RATE = 12
PICTURES = 8
# The first frames fill caches and are not counted.
WARM_UP_FRAMES, FRAMES = 30, 300
NS_PER_MS = 1_000_000
MEANING = "own_ms: time of a frame outside of the driver, in our code and in PyNvVideoCodec; driver_ms: inside of it"

Counter = Callable[[int], int]


def host_frames(size: Resolution, pixel_format: PixelFormat) -> Iterator[VideoFrame]:
    """Yield pictures that move; packed ones are grey."""
    for frame in clips.textured_clip(size, PICTURES, noise=1):
        if pixel_format == PixelFormat.NV12:
            yield frame
        else:
            grey = np.repeat(clips.luma_of(frame)[..., None], 3, axis=2)
            yield clips.packed_frame(grey, pixel_format, number=frame.number)


@contextmanager
def pictures(size: Resolution, pixel_format: PixelFormat, memory: MemoryKind) -> Iterator[list[VideoFrame]]:
    """Hold the pictures in one kind of memory."""
    with ExitStack() as held:
        frames = list(host_frames(size, pixel_format))
        if memory == MemoryKind.CUDA:
            frames = [held.enter_context(device_frame(_planes(frame), frame.surface)) for frame in frames]
        yield frames


def _planes(frame: VideoFrame) -> list[np.ndarray]:
    return [
        np.frombuffer(plane.buffer or b"", np.uint8).reshape(-1, plane.pitch_bytes) for plane in frame.surface.planes
    ]


def orders() -> Iterator[EncodeOrder]:
    number = 0
    while True:
        yield from [EncodeOrder(TARGET_BPS + number * RATE_STEP_BPS, FPS)] * FRAMES_PER_RATE
        number += 1


def measure(size: Resolution, pixel_format: PixelFormat, memory: MemoryKind, spent_ns: Counter) -> Result:
    """Encode, and return what each frame took in the driver and beside it."""
    settings = EncoderSettings(
        "h264", size, pixel_format, COLOURS[pixel_format], FPS, TARGET_BPS, 2 * TARGET_BPS, memory=memory
    )
    own_ms, driver_ms = [], []
    with pictures(size, pixel_format, memory) as frames:
        encoder = nvenc.create(settings)
        try:
            for frame, order in islice(zip(cycle(frames), orders(), strict=False), WARM_UP_FRAMES + FRAMES):
                # The clock is read last and first: asking the driver takes time, too.
                before_ns, begun_ns = spent_ns(0), time.perf_counter_ns()
                encoder.encode(frame, order)
                ended_ns, inside_ns = time.perf_counter_ns(), spent_ns(0) - before_ns
                own_ms.append((ended_ns - begun_ns - inside_ns) / NS_PER_MS)
                driver_ms.append(inside_ns / NS_PER_MS)
        finally:
            encoder.close()
    return {"own_ms": summary(own_ms[WARM_UP_FRAMES:]), "driver_ms": summary(driver_ms[WARM_UP_FRAMES:])}


def summary(values_ms: Sequence[float]) -> dict[str, float]:
    ordered = sorted(values_ms)
    figures = {"p50": percentile(ordered, 50), "p95": percentile(ordered, 95), "mean": fmean(ordered)}
    return {name: round(value, 3) for name, value in figures.items()}


@contextmanager
def substitute_driver() -> Iterator[Counter]:
    """Let this process and its children find the substitute driver, and return the counter of the calling thread."""
    with tempfile.TemporaryDirectory() as cache:
        # What the substitute proves is not to be believed of a real driver.
        os.environ.update(NvidiaDriver().environment(), XDG_CACHE_HOME=cache)
        build.preload()
        counter = ctypes.CDLL(build.CUDA_LIBRARY).nvidia_substitute_spent_ns
        counter.restype = ctypes.c_int64
        yield counter


@click.command()
@click.option("--size", default="1920x1080", show_default=True, metavar="WxH", help="Picture size.")
@json_option
def main(size: str, json_file: Path | None) -> None:
    """Measure what our NVENC encoder takes for a frame beside the driver."""
    resolution = parse_size(size)
    require_writable(json=json_file)
    reason = build.why_unavailable() or nvenc.nvidia.why_missing()
    if reason is not None:
        raise click.ClickException(reason)
    meter, result = LoadMeter({}), Result()
    with substitute_driver() as spent_ns:
        for memory in (MemoryKind.HOST, MemoryKind.CUDA):
            for pixel_format in COLOURS:
                say(f"{pixel_format} from {memory} memory")
                result[f"{pixel_format} from {memory} memory"] = measure(resolution, pixel_format, memory, spent_ns)
    load = meter.read()
    reasons = distrust(load)
    result |= {**load_result(load), "trusted": not reasons, "distrust": reasons}
    result["conditions"] = conditions(codec="h264", size=size, fps=FPS, target_bps=TARGET_BPS, frames=FRAMES)
    publish(result, json_file)
    click.echo(MEANING)


if __name__ == "__main__":
    main()
