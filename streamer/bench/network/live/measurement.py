"""One live run: a link, a server on its near side, a browser on its far side, and what was seen of them."""

import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from streamer.bench.browser import chromium
from streamer.bench.latency_options import FPS
from streamer.bench.machine import Load, LoadMeter
from streamer.bench.network.live.emulated_link import SERVER_ADDRESS, EmulatedLink
from streamer.bench.network.live.lane import Course
from streamer.bench.network.live.packet_log import PacketLog
from streamer.bench.network.live.scenarios import BURST_S, Activity, LiveScenario
from streamer.bench.network.live.viewer import PRESS_LENGTH_S, LiveViewer, Observation, random_intervals_s
from streamer.bench.served import ServedProcess
from streamer.clock import SystemClock
from streamer.media.frame import Resolution

SIZE = Resolution(1280, 720)
_MS_PER_S = 1_000
_SEED = 1
# In its own namespace every port is free.
_PORT = 8080
_ORIGIN = f"http://{SERVER_ADDRESS}:{_PORT}"
# Much of what a page may do is reserved for origins that are secure, which loopback is and this one is not.
_TRUSTED = f"--unsafely-treat-insecure-origin-as-secure={_ORIGIN}"
# Long enough that the picture has been refined and nothing is sent but a heartbeat now and then.
_BURST_INTERVAL_S = (6.0, 6.5)
# The page takes so long to be ready for input, or to show the last of what came of it.
_SETTLE_S = 1.0
# Slower than people type in a row: after each key there is time in which nothing follows it.
_KEY_INTERVAL_S = (0.15, 0.45)


@dataclass(frozen=True, slots=True)
class Measurement:
    """The raw material of one run, and what the machine did meanwhile."""

    scenario: LiveScenario
    log: PacketLog
    observation: Observation
    load: Load
    server: str
    browser: str


def measure(scenario: LiveScenario, log_file: Path | None = None) -> Measurement:
    """Carry out one scenario with a server, a browser and a link of its own, which are gone afterwards.

    The link's log stays in `log_file` where that is named.

    Raises:
        ConfigError: namespaces are not allowed, or a program is missing.
        SessionError: no picture came, or something ended before its time.
    """
    with ExitStack() as stack:
        link = stack.enter_context(EmulatedLink(Course(scenario.down, scenario.up, _SEED), log_file))
        with link.server_side.inside():
            server = stack.enter_context(ServedProcess(*_server_arguments(scenario.activity)))
        with link.viewer_side.inside():
            browser = stack.enter_context(chromium(_TRUSTED))
        viewer = LiveViewer(browser.new_page(SIZE), server.url, SystemClock())
        meter = LoadMeter({"chromium": browser.pid, "link": link.pid}, alone={"server": (server.pid, "desktop")})
        _act(viewer, scenario)
        load = meter.read()
        observation = viewer.collect()
        return Measurement(scenario, link.finish(), observation, load, server.description, browser.browser.version)


def _server_arguments(activity: Activity) -> list[str]:
    """Return what a user would write to stream over a network, to whoever comes."""
    program = f"{sys.executable} -m streamer.bench.stamped_client {FPS}"
    source = {
        Activity.WATCH: ["--source", "pattern", "--fps", str(FPS)],
        Activity.BURSTS: ["--app", f"{program} --burst-ms {round(BURST_S * _MS_PER_S)}"],
        Activity.TYPING: ["--app", f"{program} --terminal"],
    }
    address = ["--host", SERVER_ADDRESS, "--port", str(_PORT), "--insecure"]
    return [*source[activity], *address, "--size", str(SIZE), "--log-level", "error"]


def _act(viewer: LiveViewer, scenario: LiveScenario) -> None:
    """Do what the viewer does, for as long as the scenario says."""
    if scenario.activity is Activity.BURSTS:
        count = int(scenario.seconds / _BURST_INTERVAL_S[1])
        viewer.press_button(SIZE, random_intervals_s(*_BURST_INTERVAL_S, count))
        viewer.wait(BURST_S + _SETTLE_S)
    elif scenario.activity is Activity.TYPING:
        count = int(scenario.seconds / (sum(_KEY_INTERVAL_S) / 2 + PRESS_LENGTH_S))
        viewer.press_button(SIZE, [_SETTLE_S])
        viewer.type(random_intervals_s(*_KEY_INTERVAL_S, count))
        viewer.wait(_SETTLE_S)
    else:
        viewer.wait(scenario.seconds)
