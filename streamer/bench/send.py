"""What sending costs: the same ready-made access units through aiortc as installed, our transport, and our server.

Sender and receiver are processes of their own, so that a sender's CPU time is that of its process. The kinds take turns
in several rounds, so that each meets the same machine.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Self

import click
import psutil

from streamer.bench.clip import encode, noise_frames, write_annex_b
from streamer.bench.line import Line
from streamer.bench.machine import LoadMeter
from streamer.bench.options import json_option, require_above_zero, require_writable
from streamer.bench.progress import say
from streamer.bench.report import Result, conditions, distrust, load_result, publish
from streamer.bench.send_clip import write_units
from streamer.bench.senders import BARE, CONTROLLED, PACED, STOCK, UNPACED
from streamer.bench.served import ServedProcess
from streamer.bench.viewer_process import ViewerProcess
from streamer.media.frame import Resolution
from streamer.media.units import BITS_PER_BYTE

_FPS = 60.0
_SIZE = Resolution(1280, 720)
# Longer than any encoder's rate control remembers, short enough to be made in seconds.
_CLIP_FRAMES = 120
# A receiver that lost more than this was no witness.
_MAX_LOSS_RATIO = 0.01
_STOP_TIMEOUT_S = 10
# The whole of `streamer serve`, which plays the units as a file.
_SERVER = "server"
# The rate has found its ceiling by then, and each part of the server has done once what it does.
_SERVER_WARM_UP_S = 2.0


@dataclass(frozen=True, slots=True)
class Round:
    """What one sender did after its warm-up, and what arrived of all that it sent."""

    seconds: float
    cpu_s: float
    # Sent while CPU time was counted.
    packets: float
    expected_packets: int
    lost_packets: int

    @property
    def cpu_percent(self) -> float:
        return 100 * self.cpu_s / self.seconds

    @property
    def us_per_packet(self) -> float:
        return self.cpu_s * 1e6 / max(1.0, self.packets)


@dataclass(frozen=True, slots=True)
class Clip:
    """The same frames twice: as the units that senders read, and as the video that a server plays."""

    units: Path
    video: Path
    mbps: float

    @classmethod
    def make(cls, folder: Path, mbps: float) -> Self:
        """Encode noise into files in the folder."""
        say(f"encoding {_CLIP_FRAMES} frames of noise at {mbps:g} Mbit/s")
        frames = list(encode(noise_frames(_SIZE, _CLIP_FRAMES), _SIZE, _FPS, round(mbps * 1e6)))
        units, video = folder / "noise.units", folder / "noise.h264"
        write_units(units, (frame.data for frame in frames))
        write_annex_b(video, iter(frames))
        size_bytes = sum(len(frame.data) for frame in frames)
        return cls(units, video, round(size_bytes * BITS_PER_BYTE * _FPS / len(frames) / 1e6, 2))


def send(kind: str, clip: Path, seconds: float) -> Round:
    """Let one sender send to a receiver for so long."""
    arguments = [kind, str(clip), str(_FPS), str(seconds)]
    with Line("streamer.bench.receiver") as receiver, Line("streamer.bench.senders", *arguments) as sender:
        receiver.say(sender.hear())
        sender.say(receiver.hear())
        sent = sender.hear()
        receiver.say({})
        received = receiver.hear()
    return Round(
        seconds=seconds,
        cpu_s=sent["cpu_s"],
        # Those of the whole run are taken to be spread evenly over its frames.
        packets=sent["frames"] * received["expected"] / sent["all_frames"],
        expected_packets=received["expected"],
        lost_packets=received["lost"],
    )


def serve(clip: Path, mbps: float, seconds: float) -> Round:
    """Let a server play the clip to one viewer for so long, and look at it from outside."""
    target = str(round(mbps * 1e6))
    arguments = ["--source", "prepared", "--set", f"sources.prepared.path={clip}", "--fps", str(_FPS)]
    arguments += ["--start-target-bps", target, "--max-target-bps", target, "--log-level", "warning"]
    with ServedProcess(*arguments) as server, ViewerProcess(server.url, is_blind=True) as viewer:
        viewer.join()
        time.sleep(_SERVER_WARM_UP_S)
        process = psutil.Process(server.pid)
        before, began_s, cpu_s = viewer.collect()["inbound"], time.monotonic(), _cpu_s(process)
        time.sleep(seconds)
        cpu_s, seconds = _cpu_s(process) - cpu_s, time.monotonic() - began_s
        after = viewer.collect()["inbound"]
    packets, lost = (after[name] - before[name] for name in ("packetsReceived", "packetsLost"))
    return Round(seconds=seconds, cpu_s=cpu_s, packets=packets, expected_packets=packets + lost, lost_packets=lost)


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def figures_of(rounds: dict[str, Sequence[Round]]) -> Result:
    """Return medians over the rounds. A ratio or a difference is that of two senders of the same round."""
    ours = rounds[CONTROLLED if CONTROLLED in rounds else PACED]
    return {
        "cpu_ratio": _ratio(ours, rounds[STOCK]),
        "cpu_ratio_unpaced": _ratio(rounds[UNPACED], rounds[STOCK]),
        "control_percent": _difference(ours, rounds[BARE]),
        "cpu_percent": {kind: round(median(each.cpu_percent for each in rounds[kind]), 2) for kind in rounds},
        "us_per_packet": {kind: round(median(each.us_per_packet for each in rounds[kind]), 2) for kind in rounds},
        "loss_ratio": {kind: _loss_ratio(rounds[kind]) for kind in rounds},
        "packets": {kind: sum(each.expected_packets for each in rounds[kind]) for kind in rounds},
    }


def _ratio(ours: Sequence[Round], stock: Sequence[Round]) -> float:
    return round(median(one.cpu_s / other.cpu_s for one, other in zip(ours, stock, strict=True)), 3)


def _difference(one: Sequence[Round], other: Sequence[Round]) -> float:
    return round(median(a.cpu_percent - b.cpu_percent for a, b in zip(one, other, strict=True)), 2)


def _loss_ratio(rounds: Sequence[Round]) -> float:
    return round(sum(each.lost_packets for each in rounds) / max(1, sum(each.expected_packets for each in rounds)), 5)


def run(mbps: float, seconds: float, rounds: int, *, has_controller: bool) -> Result:
    """Send all rounds of all kinds and return the figures."""
    with TemporaryDirectory(prefix="streamer-bench-") as folder:
        clip = Clip.make(Path(folder), mbps)
        meter = LoadMeter({})
        kinds = (STOCK, CONTROLLED if has_controller else PACED, UNPACED, BARE, _SERVER)
        found: dict[str, list[Round]] = {kind: [] for kind in kinds}
        for number in range(1, rounds + 1):
            for kind in kinds:
                say(f"round {number} of {rounds}: {kind}")
                one = serve(clip.video, mbps, seconds) if kind == _SERVER else send(kind, clip.units, seconds)
                found[kind].append(one)
        load = meter.read()
    result = figures_of({kind: found[kind] for kind in kinds})
    reasons = distrust(load)
    reasons += [
        f"{kind} lost {ratio:.1%} of its packets"
        for kind, ratio in result["loss_ratio"].items()
        if ratio > _MAX_LOSS_RATIO
    ]
    result |= {**load_result(load), "trusted": not reasons, "distrust": reasons}
    result["conditions"] = conditions(
        mbps=clip.mbps, fps=_FPS, size=str(_SIZE), seconds=seconds, rounds=rounds, stock=f"aiortc {_aiortc_version()}"
    )
    return result


def _aiortc_version() -> str:
    from importlib.metadata import version

    return version("aiortc")


_HELP = """Measure what sending costs, next to aiortc as it is installed.

The same access units, encoded beforehand from noise, leave through aiortc's sender and through this product's, from
processes that do nothing else, and through a whole server that plays them as a file to one viewer. The receiver reports
back as a browser does.

\b
cpu_ratio          CPU time of our sender by that of aiortc's, with pacer and rate controller (aiortc has neither)
cpu_ratio_unpaced  the same with each frame leaving at once, whatever the viewer reports
control_percent    percent of a core that pacer, arrival reports and rate controller take together
cpu_percent        percent of a core: stock is aiortc, server the whole of `streamer serve`
us_per_packet      CPU time for each packet, the loop that hands over the frames included
loss_ratio         packets that did not arrive: the receiver was too slow, or the kernel's buffer too small
"""


@click.command(help=_HELP)
@click.option("--mbps", default=25.0, show_default=True, help="Rate of the stream.")
@click.option("--seconds", default=6.0, show_default=True, help="How long each sender is measured in each round.")
@click.option("--rounds", type=click.IntRange(1, 100), default=3, show_default=True, help="How often they take turns.")
@click.option(
    "--controller",
    type=click.Choice(["on", "off"]),
    default="on",
    show_default=True,
    help="Control the rate, or only pace at a fixed one.",
)
@json_option
def command(mbps: float, seconds: float, rounds: int, controller: str, json_file: Path | None) -> None:
    """Measure what sending costs, next to aiortc as it is installed."""
    require_above_zero(mbps=mbps, seconds=seconds)
    require_writable(json=json_file)
    publish(run(mbps, seconds, rounds, has_controller=controller == "on"), json_file)
