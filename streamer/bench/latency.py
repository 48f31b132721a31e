"""How old pictures are when they are seen, and how long a click takes to show: a real server, a real viewer.

The server streams stamped frames; the viewer reads the stamps of decoded and of presented frames and maps its clock to
the server's.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from streamer.bench.browser import Chromium, chromium
from streamer.bench.clip import encode, pattern_frames, write_annex_b
from streamer.bench.figures import Figures, click_delays_ms, figures_of, why_too_easy
from streamer.bench.latency_options import CHROMIUM, FPS, PYTHON, LatencyOptions
from streamer.bench.machine import Load, LoadMeter
from streamer.bench.options import (
    json_option,
    parse_rate_bps,
    parse_size,
    require_above_zero,
    require_writable,
    size_option,
)
from streamer.bench.progress import say
from streamer.bench.quantiles import summarize
from streamer.bench.report import Result, conditions, distrust, load_result, publish
from streamer.bench.served import ServedProcess
from streamer.bench.silence import measure_silences
from streamer.bench.stamps import Seen
from streamer.bench.viewer_process import ViewerProcess
from streamer.bench.watched import Watched

_WARM_UP_S = 3.0
# Fewer do not meet every phase of source and screen.
_MIN_CLICKS = 60
# Long enough that an encoder's start does not show in the clip, short enough to be prepared in seconds.
_FLOOR_CLIP_S = 10.0


@dataclass(frozen=True, slots=True)
class Measured:
    """One stream: its figures, what the machine did, and each click's delay."""

    figures: Figures
    loads: tuple[Load, ...]
    delays_ms: tuple[float, ...]
    clicks: int

    @property
    def reasons(self) -> list[str]:
        """Why the figures cannot be trusted."""
        found = [reason for load in self.loads for reason in distrust(load)]
        if 0 < self.clicks < _MIN_CLICKS:
            found.append(f"{self.clicks} clicks say little, {_MIN_CLICKS} are the least")
        if len(self.delays_ms) < self.clicks:
            found.append(f"{self.clicks - len(self.delays_ms)} of {self.clicks} clicks were never seen")
        return found


class LatencyBench:
    """Carries out one call with one viewer program for all its streams."""

    def __init__(self, options: LatencyOptions, browser: Chromium | None) -> None:
        self._options = options
        self._browser = browser

    def run(self) -> tuple[Result, Measured]:
        """Return the result, and what the main stream was measured from."""
        options = self._options
        say(f"starting a server that streams {options.streamed_source} at {options.size}")
        with ServedProcess(*options.server_arguments()) as server:
            measured = self._measure(server, options.clicks)
            result, reasons = self._result(measured), measured.reasons
            if options.silence_ms is not None and self._browser is not None:
                silences, more_reasons = self._silences(self._browser, server, options.silence_ms)
                result |= silences
                reasons += more_reasons
            description = server.description
        if not options.is_still:
            reasons += why_too_easy(result, options.size, options.target_bps)
        if options.has_floor:
            floor = self._floor()
            result["floor"] = {**floor.figures.values, **load_result(floor.loads[0])}
            result["ratio_to_floor"] = _ratio(measured.figures.p50_ms, floor.figures.p50_ms)
            reasons += [f"floor: {reason}" for reason in floor.reasons]
        result |= {"trusted": not reasons, "distrust": reasons}
        result["conditions"] = self._conditions(description)
        return result, measured

    def _floor(self) -> Measured:
        options = self._options
        with TemporaryDirectory(prefix="streamer-bench-") as folder:
            say(f"encoding {_FLOOR_CLIP_S:g} s of the same stream beforehand")
            clip = Path(folder) / "pattern.h264"
            frames = pattern_frames(options.size, FPS, round(_FLOOR_CLIP_S * FPS))
            count = write_annex_b(clip, encode(frames, options.size, FPS, options.target_bps))
            with ServedProcess(*options.floor_arguments(str(clip))) as server:
                return self._measure(server, 0, loop_frames=count)

    def _silences(self, browser: Chromium, server: ServedProcess, silence_ms: int) -> tuple[Result, list[str]]:
        options = self._options
        say(f"{options.silences} silences of {silence_ms} ms")
        meter = self._meter(server, chromium=browser.pid)
        result = measure_silences(browser, server.url, options.size, silence_ms, options.silences)
        reasons = [f"silences: {reason}" for reason in distrust(meter.read())]
        if result["silences_recovered"] < result["silences"]:
            reasons.append("after some silences no new picture came before the next one")
        return result, reasons

    def _measure(self, server: ServedProcess, clicks: int, *, loop_frames: int | None = None) -> Measured:
        if self._browser is None:
            return self._measure_decoded(server, loop_frames)
        options = self._options
        watched = Watched(self._browser.new_page(options.size), server.url, options.size)
        watched.start(reads_decoded=not options.is_still)
        watched.wait(_WARM_UP_S)
        say(f"watching for {options.seconds:g} s")
        meter = self._meter(server, chromium=self._browser.pid)
        figures = figures_of(watched.measure(options.seconds), loop_frames=loop_frames)
        loads = [meter.read()]
        delays_ms: list[float] = []
        if clicks:
            say(f"clicking {clicks} times")
            meter = self._meter(server, chromium=self._browser.pid)
            # The stamped window knows no sequence numbers: it counts presses.
            sight = watched.click(clicks)
            delays_ms = click_delays_ms(sight, counts_presses=options.streamed_source == "screen")
            loads.append(meter.read())
        watched.close()
        return Measured(figures, tuple(loads), tuple(delays_ms), clicks)

    def _measure_decoded(self, server: ServedProcess, loop_frames: int | None) -> Measured:
        with ViewerProcess(server.url) as viewer:
            viewer.join()
            viewer.measure(_WARM_UP_S)
            say(f"receiving for {self._options.seconds:g} s")
            meter = self._meter(server, viewer=viewer.pid)
            figures = figures_of(viewer.measure(self._options.seconds), loop_frames=loop_frames)
            return Measured(figures, (meter.read(),), (), 0)

    def _meter(self, server: ServedProcess, **viewer: int) -> LoadMeter:
        return LoadMeter(viewer, alone={"server": (server.pid, "desktop")})

    def _result(self, measured: Measured) -> Result:
        values = dict(measured.figures.values)
        if self._options.is_still:
            # Nothing moves: frames are heartbeats, and their stamps are as old as the picture.
            presented = measured.figures.presented
            values = {"fps": round(len(presented) / measured.loads[0].seconds, 1), "mbps": values["mbps"]}
        if measured.clicks:
            values["input_to_photon_ms"] = summarize(measured.delays_ms)
        return {**values, **load_result(measured.loads[0])}

    def _conditions(self, description: str) -> Result:
        options = self._options
        browser = "none" if self._browser is None else f"Chromium {self._browser.browser.version}"
        return conditions(
            source=options.streamed_source,
            size=str(options.size),
            seconds=options.seconds,
            target_bps=options.target_bps,
            fps=FPS,
            is_still=options.is_still,
            viewer=options.viewer,
            browser=browser,
            server=description,
        )


def _ratio(value: float | None, floor: float | None) -> float | None:
    return round(value / floor, 2) if value is not None and floor else None


@contextmanager
def _browser_for(viewer: str) -> Iterator[Chromium | None]:
    if viewer == PYTHON:
        yield None
        return
    with chromium() as browser:
        yield browser


def _draw(file: Path, result: Result, measured: Measured) -> None:
    from streamer.bench.plot import draw

    decoded: list[Seen] = measured.figures.decoded
    draw(file, result, decoded, measured.figures.presented, measured.delays_ms)


_HELP = """Measure how old pictures are when they are seen, and how long a click takes to show.

Starts a server and a headless Chromium (the environment variable CHROMIUM names another one), streams a source whose
frames carry the time at which they were drawn, and reads that time from the pixels of what is decoded and presented.

\b
decoded_ms          age at the track processor, in a worker
on_screen_ms        age when the presented frame can be read, the wait for the screen included
input_to_photon_ms  from a real click to the first presented frame that answers it
stages_ms           where the time goes; the stages add up to the median age
trusted             false where the machine did other things meanwhile; `distrust` says why

\b
Examples:
  streamer bench latency
  streamer bench latency --source screen --size 1920x1080 --seconds 20 --plot latency.png
  streamer bench latency --floor            next to the same stream without an encoder
  streamer bench latency --still            what a screen costs on which nothing happens
  streamer bench latency --silence-ms 700   how soon the picture is back after a silence on the wire
  streamer bench latency --viewer python    without a browser: decoded_ms alone
"""


@click.command(help=_HELP)
@click.option(
    "--source",
    default="pattern",
    show_default=True,
    type=click.Choice(["pattern", "screen", "demo"]),
    help="What is streamed: a test card, a moving X window on a private desktop, or the demo scene.",
)
@size_option
@click.option("--seconds", default=10.0, show_default=True, help="Length of the measurement.")
@click.option(
    "--clicks", type=click.IntRange(0, 10_000), default=80, show_default=True, help="Clicks to time; 60 are the least."
)
@click.option("--target", default="9M", show_default=True, metavar="BPS", help="Bitrate of the stream.")
@click.option("--floor", "has_floor", is_flag=True, help="Measure the same stream encoded beforehand, too.")
@click.option("--still", "is_still", is_flag=True, help="A screen that stands still but for the clicks.")
@click.option("--silence-ms", type=click.IntRange(1, 10_000), metavar="N", help="Drop every packet for so long.")
@click.option("--silences", type=click.IntRange(1, 1000), default=10, show_default=True, help="How often to do that.")
@click.option(
    "--viewer", default=CHROMIUM, show_default=True, type=click.Choice([CHROMIUM, PYTHON]), help="Who watches."
)
@json_option
@click.option(
    "--plot", "plot_file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Draw there."
)
def command(size: str, target: str, json_file: Path | None, plot_file: Path | None, **given: Any) -> None:
    """Measure how old pictures are when they are seen, and how long a click takes to show."""
    options = LatencyOptions(size=parse_size(size), target_bps=parse_rate_bps(target), **given)
    options.check()
    require_above_zero(seconds=options.seconds)
    require_writable(json=json_file, plot=plot_file)
    with _browser_for(options.viewer) as browser:
        result, measured = LatencyBench(options, browser).run()
    publish(result, json_file)
    if plot_file is not None:
        _draw(plot_file, result, measured)
