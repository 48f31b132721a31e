"""What a server gathers over time and over reconnections: memory, descriptors, threads, tasks.

A real server with a real viewer; the viewer stays for minutes, leaves, and then comes back again and again.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import click

from streamer.bench.latency_options import CHROMIUM, PYTHON
from streamer.bench.machine import LoadMeter
from streamer.bench.options import json_option, parse_size, require_writable, size_option
from streamer.bench.progress import say
from streamer.bench.report import Result, conditions, distrust, load_result, publish
from streamer.bench.served import ServedProcess
from streamer.bench.viewer_process import ViewerProcess
from streamer.bench.vitals import Vitals, growth, read_vitals
from streamer.errors import ConfigError
from streamer.media.frame import Resolution

_MEMBERS = ("rss_mb", "pss_mb", "descriptors", "threads", "tasks")
# Allocators and caches have found their size by then; a quarter of a shorter stay.
_MAX_WARM_UP_S = 120.0
_WARM_UP_RATIO = 0.25
_WARM_UP_RECONNECTIONS = 5
_SAMPLE_INTERVAL_S = (0.5, 10.0)
_SAMPLES = 120
# How long a viewer watches before it goes again, and how long the server has to forget it.
_VISIT_S = 1.0
_REST_S = 3.0
_SHORT_RESUME_MS = 500


class Visitor(Protocol):
    """A viewer who can come and go."""

    @property
    def pid(self) -> int: ...

    def join(self) -> None: ...

    def leave(self) -> None: ...

    def frames(self) -> int:
        """Return how many frames were seen since the last call."""


class _PythonVisitor:
    def __init__(self, process: ViewerProcess) -> None:
        self._process = process
        self.pid = process.pid
        self.join = process.join
        self.leave = process.leave

    def frames(self) -> int:
        said = self._process.collect()
        return len(said["rows"]) + int(said["unreadable"])


@contextmanager
def _visitor(kind: str, url: str, size: Resolution) -> Iterator[Visitor]:
    if kind == PYTHON:
        with ViewerProcess(url) as process:
            yield _PythonVisitor(process)
        return
    from streamer.bench.browser import chromium
    from streamer.bench.page_visitor import PageVisitor

    with chromium() as browser:
        yield PageVisitor(browser, url, size)


class Soak:
    """One run against one server."""

    def __init__(self, server: ServedProcess, visitor: Visitor) -> None:
        self._server = server
        self._visitor = visitor
        self._began_s = time.monotonic()
        self.samples: list[Vitals] = []
        self.silent_samples = 0
        self.frames = 0

    def stay(self, seconds: float) -> Result:
        """Watch for so long and return what grew after the warm-up."""
        warm_up_s = min(_MAX_WARM_UP_S, seconds * _WARM_UP_RATIO)
        low_s, high_s = _SAMPLE_INTERVAL_S
        interval_s = min(high_s, max(low_s, seconds / _SAMPLES))
        say(f"one viewer stays for {seconds / 60:g} min, {warm_up_s:.0f} s of them to warm up")
        self._visitor.join()
        began_s = time.monotonic()
        while (elapsed_s := time.monotonic() - began_s) < seconds:
            time.sleep(min(interval_s, max(0.0, seconds - elapsed_s)))
            self._look(is_sample=True)
        self._visitor.leave()
        warm = [sample for sample in self.samples if sample.at_s >= began_s - self._began_s + warm_up_s]
        return {name: growth(warm, name) for name in _MEMBERS}

    def reconnect(self, count: int) -> Result:
        """Come and go so often and return what remained of it, in all and for each time."""
        say(f"{count} reconnections, after {_WARM_UP_RECONNECTIONS} to warm up")
        before = self._after_visits(_WARM_UP_RECONNECTIONS)
        after = self._after_visits(count)
        result: Result = {}
        for name in _MEMBERS:
            total = getattr(after, name) - getattr(before, name)
            result[name] = round(total, 2)
            result[f"{name}_each"] = round(total / count, 4)
        return result

    def _after_visits(self, count: int) -> Vitals:
        """Return what the server holds without a viewer after so many visits."""
        for _ in range(count):
            self._visitor.join()
            time.sleep(_VISIT_S)
            self._look(is_sample=False)
            self._visitor.leave()
        time.sleep(_REST_S)
        return self._vitals()

    def _look(self, *, is_sample: bool) -> None:
        frames = self._visitor.frames()
        self.frames += frames
        self.silent_samples += frames == 0
        if is_sample:
            self.samples.append(self._vitals())

    def _vitals(self) -> Vitals:
        return read_vitals(self._server.pid, self._server.url, time.monotonic() - self._began_s)


def run(size: Resolution, source: str, viewer: str, minutes: float, reconnections: int) -> Result:
    """Carry out one soak and return the figures."""
    arguments = ["--source", source, "--size", str(size), "--log-level", "error"]
    arguments += ["--set", f"session.resume_timeout_ms={_SHORT_RESUME_MS}"]
    with ServedProcess(*arguments) as server, _visitor(viewer, server.url, size) as visitor:
        meter = LoadMeter({"viewer": visitor.pid}, alone={"server": (server.pid, "desktop")})
        soak = Soak(server, visitor)
        result: Result = {}
        if minutes:
            result["growth_staying"] = soak.stay(minutes * 60)
        if reconnections:
            result["growth_reconnecting"] = soak.reconnect(reconnections)
        load = meter.read()
        description = server.description
    reasons = distrust(load)
    if soak.silent_samples:
        reasons.append(f"no frame arrived between {soak.silent_samples} of the samples and those before them")
    result |= {"frames": soak.frames, **load_result(load), "trusted": not reasons, "distrust": reasons}
    result["conditions"] = conditions(
        source=source,
        size=str(size),
        viewer=viewer,
        minutes=minutes,
        reconnections=reconnections,
        server=description,
        samples=[sample.as_dict() for sample in soak.samples],
    )
    return result


_HELP = """Measure what a server gathers over time and over reconnections.

\b
growth_staying       what grew while one viewer stayed, after the warm-up (the first quarter, at most 2 min):
                     the mean of the last tenth of the samples minus the mean of the first tenth
growth_reconnecting  what remained after the viewer came and went, in all and for each time (_each)

rss_mb and pss_mb are memory in MB (10^6 bytes); pss_mb, which leaves out what other processes share, shows leaks best.
The JSON file holds every sample under `conditions`.

\b
Examples:
  streamer bench soak
  streamer bench soak --minutes 2 --reconnections 10 --viewer chromium
"""


@click.command(help=_HELP)
@click.option("--minutes", type=click.FloatRange(0, 10_000), default=30.0, show_default=True, help="How long to stay.")
@click.option(
    "--reconnections", type=click.IntRange(0, 10_000), default=50, show_default=True, help="How many after it."
)
@click.option("--viewer", default=PYTHON, show_default=True, type=click.Choice([PYTHON, CHROMIUM]), help="Who watches.")
@click.option("--source", default="pattern", show_default=True, help="Source of the pictures; python reads stamps.")
@size_option
@json_option
def command(*, minutes: float, reconnections: int, viewer: str, source: str, size: str, json_file: Path | None) -> None:
    """Measure what a server gathers over time and over reconnections."""
    if not minutes and not reconnections:
        raise ConfigError("--minutes 0 --reconnections 0: there is nothing left to do")
    require_writable(json=json_file)
    publish(run(parse_size(size), source, viewer, minutes, reconnections), json_file)
