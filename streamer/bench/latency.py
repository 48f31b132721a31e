"""How old pictures are when they are seen, and how long a click takes to show: a real server, a real browser.

The server streams stamped frames; the page reads the stamps of decoded and of presented frames and maps its clock to
the server's. Sources are paced at 59.7 fps, so that the phase against the screen's 60 Hz goes through all its values
and averages out.
"""

import sys
from pathlib import Path

import click

from streamer.bench.browser import Chromium, chromium
from streamer.bench.machine import LoadMeter
from streamer.bench.quantiles import summarize
from streamer.bench.report import Result, conditions, distrust, load_result, publish
from streamer.bench.served import ServedProcess
from streamer.bench.stamps import missing_frames, photon_delays_ms, seen_frames, stages_ms
from streamer.bench.watched import Sight, Watched
from streamer.media.frame import Resolution

FPS = 59.7
_WARM_UP_S = 3.0
# Below this rate at 720p the content was too easy for the encoder to be at work.
_MIN_MBPS_720P = 6.0
_PIXELS_720P = 1280 * 720


def server_arguments(source: str, size: Resolution, target: str, *, is_still: bool) -> list[str]:
    """Return the arguments of `streamer serve` for a stamped source of that kind."""
    common = ["--size", str(size), "--start-target-bps", target, "--max-target-bps", "100M", "--log-level", "warning"]
    if source == "screen":
        program = f"{sys.executable} -m streamer.bench.stamped_client {FPS}" + (" --still" if is_still else "")
        return ["--app", program, *common]
    stamped = ["--set", "sources.demo.has_stamp=true"] if source == "demo" else []
    return ["--source", source, "--fps", str(FPS), *stamped, *common]


def measure(browser: Chromium, server: ServedProcess, size: Resolution, options: "Options") -> Result:
    """Measure one server and return the figures."""
    watched = Watched(browser.new_page(size), server.url, size)
    watched.start(reads_decoded=not options.is_still)
    watched.wait(_WARM_UP_S)
    meter = LoadMeter({"server": [server.pid], "chromium": [browser.pid]})
    sight = watched.measure(options.seconds)
    load = meter.read()
    clicks = watched.click(options.clicks) if options.clicks else None
    result = _figures(sight)
    if clicks is not None:
        result["input_to_photon_ms"] = summarize(_photons(clicks, counts_presses=options.source == "screen"))
    reasons = distrust(load)
    if not options.is_still and result["mbps"] < _MIN_MBPS_720P * size.pixels / _PIXELS_720P:
        reasons.append(f"the content needed only {result['mbps']} Mbit/s")
    return {**result, **load_result(load), "trusted": not reasons, "distrust": reasons}


class Options:
    """What was asked for on the command line."""

    def __init__(self, *, source: str, seconds: float, clicks: int, is_still: bool) -> None:
        self.source = source
        self.seconds = seconds
        self.clicks = clicks
        self.is_still = is_still


def _figures(sight: Sight) -> Result:
    decoded = seen_frames(sight.decoded, sight.offset_ms, None)
    presented = seen_frames(sight.presented, sight.offset_ms, None)
    jitter_buffer_s = sight.mean("jitterBufferDelay", "jitterBufferEmittedCount")
    return {
        "fps": round(len(decoded) / sight.seconds, 1),
        "frames_dropped": missing_frames(decoded),
        "frames_unreadable": sight.unreadable,
        "mbps": round(sight.per_second("bytesReceived") * 8 / 1e6, 2),
        "jitter_buffer_ms": None if jitter_buffer_s is None else round(jitter_buffer_s * 1000, 2),
        "decoded_ms": summarize(frame.age_ms for frame in decoded),
        "on_screen_ms": summarize(frame.age_ms for frame in presented),
        "stages_ms": stages_ms(presented, sight.stages),
    }


def _photons(sight: Sight, *, counts_presses: bool) -> list[float]:
    frames = seen_frames(sight.presented, sight.offset_ms, None)
    buttons = sight.buttons
    if counts_presses:
        # The stamped window knows no sequence numbers: it counts the presses, of which these are the first.
        buttons = [[(count + 1) % 256, at_ms] for count, (_, at_ms) in enumerate(buttons)]
    return photon_delays_ms(buttons, frames, sight.offset_ms)


@click.command()
@click.option("--source", default="pattern", type=click.Choice(["pattern", "screen", "demo"]), help="What is streamed.")
@click.option("--size", default="1280x720", metavar="WxH", help="Picture size.  [1280x720]")
@click.option("--seconds", default=10.0, help="Length of the measurement.  [10]")
@click.option("--clicks", default=80, help="Clicks to time; 0 for none.  [80]")
@click.option("--target", default="9M", metavar="BPS", help="Bitrate of the stream.  [9M]")
@click.option("--still", "is_still", is_flag=True, help="A screen that stands still but for the clicks.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), metavar="FILE", help="Write JSON there.")
def command(
    source: str,
    size: str,
    seconds: float,
    clicks: int,
    target: str,
    is_still: bool,  # noqa: FBT001 - click passes it by name
    json_file: Path | None,
) -> None:
    """Measure how old pictures are when they are seen, and how long a click takes to show."""
    width, _, height = size.partition("x")
    resolution = Resolution(int(width), int(height))
    source = "screen" if is_still else source
    options = Options(source=source, seconds=seconds, clicks=clicks, is_still=is_still)
    arguments = server_arguments(source, resolution, target, is_still=is_still)
    with ServedProcess(*arguments) as server, chromium() as browser:
        result = measure(browser, server, resolution, options)
        result["conditions"] = conditions(
            source=source, size=size, seconds=seconds, target=target, browser=browser.browser.version
        )
    publish(result, json_file)
