"""What an encoder takes for a frame, how well it keeps to its rate, and what is left of the picture.

The encoders are the product's own, opened as a session opens them and told what to do frame by frame. Drawing and
colour conversion are not counted. Latency is measured twice: at the frame rate, as in a stream, where clocks and caches
go cold between frames, and flat out, which is what most published figures are.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import fmean
from typing import Any

import av
import click
import numpy as np
import numpy.typing as npt

from streamer import registry
from streamer.bench.clip import pattern_frames
from streamer.bench.machine import LoadMeter
from streamer.bench.options import (
    json_option,
    parse_rate_bps,
    parse_size,
    require_above_zero,
    require_writable,
    size_option,
)
from streamer.bench.progress import say
from streamer.bench.quantiles import percentile, summarize
from streamer.bench.report import Result, conditions, distrust, load_result, publish
from streamer.clock import SystemClock, sharpen_thread_timers
from streamer.converters import swscale
from streamer.converters.base import ConverterSettings
from streamer.decoder import open_decoder
from streamer.encoders.base import EncoderSettings, VideoEncoder
from streamer.errors import ConfigError, DeviceError, StreamerError, Unavailable
from streamer.media.frame import (
    BT601_LIMITED,
    Capabilities,
    EncodedFrame,
    EncodeOrder,
    PixelFormat,
    Resolution,
    VideoFrame,
)

_US_PER_S = 1_000_000
_DRAWN_AS = PixelFormat.I420
# What the first frames pay for (memory, clocks of a GPU, a rate control without a past) no later one does.
_WARM_UP_FRAMES = 30
_FLAT_OUT_FRAMES = 300
# Each step of the rate, as a share of the target; two seconds each, as the contract of encoders has it.
_STEPS = (1.0, 0.5, 1.0, 2.0)
_STEP_S = 2
# Every so many frames are compared with what they were made from.
_COMPARED_EVERY = 6
_PEAK = 255.0

Frames = Iterator[VideoFrame]
Luma = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Task:
    """What is encoded: pictures of one size at a frame rate and a target."""

    codec: str
    size: Resolution
    fps: float
    target_bps: int
    seconds: float


class Subject:
    """One encoder that is measured, and the pictures in the format that it takes."""

    def __init__(self, name: str, task: Task) -> None:
        module = registry.load("encoders", name)
        offered: Capabilities = module.capabilities()
        self.task = task
        takes = offered.formats[0]
        self._converter = None
        if takes is not _DRAWN_AS:
            self._converter = swscale.create(ConverterSettings(_DRAWN_AS, task.size, takes, task.size))
        settings = EncoderSettings(
            codec=task.codec,
            resolution=task.size,
            format=takes,
            colour=BT601_LIMITED,
            max_fps=task.fps,
            start_target_bps=task.target_bps,
            max_target_bps=2 * task.target_bps,
        )
        self.encoder: VideoEncoder = module.create(settings)

    def frames(self, count: int) -> Frames:
        """Yield the first pictures of the test card, each valid until the next one is asked for."""
        for frame in pattern_frames(self.task.size, self.task.fps, count):
            yield frame if self._converter is None else self._converter.convert(frame)

    def order(self, share: float = 1.0) -> EncodeOrder:
        """Return an order for a share of the target."""
        return EncodeOrder(target_bps=round(self.task.target_bps * share), fps=self.task.fps)

    def close(self) -> None:
        """Give up encoder and converter."""
        self.encoder.close()
        if self._converter is not None:
            self._converter.close()


@dataclass(frozen=True, slots=True)
class Times:
    """What each frame took, and what all threads of the processor spent on one, on average."""

    frames_ms: list[float]
    cpu_ms: float


def paced(subject: Subject) -> Times:
    """Return what frames took that came at their time."""
    clock = SystemClock()
    interval_us = _US_PER_S / subject.task.fps
    started_at_us = clock.now_us()
    turns = (started_at_us + round(number * interval_us) for number in range(1 << 30))
    return _times(subject, round(subject.task.fps * subject.task.seconds), lambda: clock.block_until_us(next(turns)))


def flat_out(subject: Subject) -> Times:
    """Return what frames took that came when the last one was done."""
    return _times(subject, _FLAT_OUT_FRAMES, lambda: None)


def _times(subject: Subject, count: int, wait: Callable[[], None]) -> Times:
    order, frames_ms, cpu_ms = subject.order(), [], []
    for frame in subject.frames(_WARM_UP_FRAMES + count):
        wait()
        begun_s, spent_s = time.perf_counter(), time.process_time()
        subject.encoder.encode(frame, order)
        cpu_ms.append((time.process_time() - spent_s) * 1e3)
        frames_ms.append((time.perf_counter() - begun_s) * 1e3)
    return Times(frames_ms[_WARM_UP_FRAMES:], fmean(cpu_ms[_WARM_UP_FRAMES:]))


def rate_figures(subject: Subject) -> Result:
    """Change the rate up and down, and return how well each step was kept."""
    task = subject.task
    step_frames = round(_STEP_S * task.fps)
    frames = subject.frames(_WARM_UP_FRAMES + step_frames * len(_STEPS))
    for frame in islice(frames, _WARM_UP_FRAMES):
        subject.encoder.encode(frame, subject.order())
    kept: Result = {}
    keyframes, largest_ratio = 0, 0.0
    for index, share in enumerate(_STEPS):
        order = subject.order(share)
        units = [subject.encoder.encode(frame, order) for frame in islice(frames, step_frames)]
        budget_bytes = order.target_bps / order.fps / 8
        kept[f"step_{index + 1}_at_{share:g}"] = round(
            sum(len(unit.data) for unit in units) / len(units) / budget_bytes, 3
        )
        keyframes += sum(unit.is_keyframe for unit in units)
        deltas = [len(unit.data) for unit in units if not unit.is_keyframe]
        largest_ratio = max(largest_ratio, max(deltas, default=0) / budget_bytes)
    return {"rate_ratio": kept, "largest_delta_ratio": round(largest_ratio, 3), "unasked_keyframes": keyframes}


def quality_db(subject: Subject) -> list[float]:
    """Return the signal-to-noise ratio of luma of some frames, decoded by FFmpeg."""
    order, sources = subject.order(), []
    units: list[EncodedFrame] = []
    for frame in subject.frames(round(subject.task.fps * _STEP_S)):
        sources.append(_luma(frame) if frame.number % _COMPARED_EVERY == 0 else None)
        # The encoder has a past by now: a decoder needs a place to begin.
        units.append(subject.encoder.encode(frame, EncodeOrder(order.target_bps, order.fps, keyframe=not units)))
    decoded = _decode(units, subject.task.codec)
    return [psnr_db(source, luma) for source, luma in zip(sources, decoded, strict=True) if source is not None]


def psnr_db(one: Luma, other: Luma) -> float:
    """Return the peak signal-to-noise ratio of two pictures; of equal ones as if one sample differed by one."""
    error = np.square(one.astype(np.float32) - other.astype(np.float32)).mean()
    return float(10 * np.log10(_PEAK**2 / max(error, 1 / one.size)))


def _luma(frame: VideoFrame) -> Luma:
    surface = frame.surface
    plane = surface.planes[0]
    assert plane.buffer is not None
    if surface.format not in (PixelFormat.I420, PixelFormat.NV12):
        raise ConfigError(f"quality is measured of 4:2:0 pictures, and the encoder takes {surface.format}")
    rows = np.frombuffer(plane.buffer, np.uint8).reshape(-1, plane.pitch_bytes)
    return rows[: surface.resolution.height_px, : surface.resolution.width_px].copy()


def _decode(units: Sequence[EncodedFrame], codec: str) -> Iterator[Luma]:
    decoder: Any = open_decoder(codec)
    packets = (av.Packet(unit.data) for unit in units)
    for packet in (*packets, None):
        for picture in decoder.decode(packet):
            yield picture.reformat(format="gray8").to_ndarray()


def measure(name: str, task: Task) -> Result:
    """Measure one encoder.

    Raises:
        StreamerError: it cannot do this, or fails on the way.
    """
    subject = Subject(name, task)
    try:
        say(f"{name}: {subject.encoder.description}")
        in_time, at_once = paced(subject), flat_out(subject)
        decibels = sorted(quality_db(subject))
        return {
            "description": subject.encoder.description,
            "paced_ms": summarize(in_time.frames_ms),
            "cpu_ms": round(in_time.cpu_ms, 2),
            "flat_out_ms": summarize(at_once.frames_ms),
            "flat_out_fps": round(1e3 * len(at_once.frames_ms) / sum(at_once.frames_ms), 1),
            **rate_figures(subject),
            "psnr_db": {"p50": round(percentile(decibels, 50), 2), "p5": round(percentile(decibels, 5), 2)},
        }
    finally:
        subject.close()


def run(names: Sequence[str], task: Task) -> Result:
    """Measure every encoder that can do the task; one that cannot is listed with its reason."""
    sharpen_thread_timers()
    meter = LoadMeter({})
    result: Result = {"encoders": {}}
    for name in names:
        why = registry.why_unavailable("encoders", name)
        try:
            result["encoders"][name] = measure(name, task) if why is None else {"why_unavailable": why}
        except DeviceError as exc:
            result["encoders"][name] = {"why_unavailable": exc.reason}
        except StreamerError as exc:
            result["encoders"][name] = {"why_unavailable": str(exc)}
    load = meter.read()
    reasons = distrust(load)
    if all("why_unavailable" in found for found in result["encoders"].values()):
        reasons.append("no encoder was measured")
    result |= {**load_result(load), "trusted": not reasons, "distrust": reasons}
    result["conditions"] = conditions(
        codec=task.codec, size=str(task.size), fps=task.fps, target_bps=task.target_bps, seconds=task.seconds
    )
    return result


_HELP = """Measure encoders: latency, rate and quality.

Every encoder that can run here, or the one that is named, encodes the test card.

\b
paced_ms             from picture to access unit, one frame at a time at the frame rate, as in a stream
cpu_ms               what all threads of the processor spend on one of these frames, on average
flat_out_ms          the same with the next frame following at once; flat_out_fps is what that makes
rate_ratio           bytes made by bytes allowed, for two seconds at the target and at shares of it
largest_delta_ratio  the largest frame that is no keyframe, by target / fps
unasked_keyframes    keyframes that nobody asked for, over all those changes
psnr_db              luma against the original, decoded: median and worst of twenty
"""


@click.command(help=_HELP)
@click.option("--encoder", "encoders", multiple=True, metavar="NAME", help="Encoder to measure; repeat it for several.")
@click.option("--codec", default="h264", show_default=True, metavar="NAME", help="Codec to encode.")
@size_option
@click.option("--fps", default=60.0, show_default=True, help="Frames per second.")
@click.option("--target", default="9M", show_default=True, metavar="BPS", help="Bitrate.")
@click.option("--seconds", default=5.0, show_default=True, help="How long frames are encoded at the frame rate.")
@json_option
def command(encoders: tuple[str, ...], size: str, target: str, json_file: Path | None, **given: Any) -> None:
    """Measure encoders: latency, rate and quality."""
    require_above_zero(fps=given["fps"], seconds=given["seconds"])
    require_writable(json=json_file)
    task = Task(size=parse_size(size), target_bps=parse_rate_bps(target), **given)
    names = encoders or registry.names("encoders")
    registry.load("codecs", task.codec)
    for name in encoders:
        registry.load("encoders", name)
    result = run(names, task)
    refusals = {name: found.get("why_unavailable") for name, found in result["encoders"].items()}
    if all(refusals.values()):
        reasons = "; ".join(f"{name}: {reason}" for name, reason in refusals.items())
        raise Unavailable("bench encode", f"no encoder could be measured ({reasons})")
    publish(result, json_file)
