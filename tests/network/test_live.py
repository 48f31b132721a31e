"""One short run of the real server and a real browser over an emulated link. Its figures are not judged."""

import json
import shutil
import signal
import subprocess
import sys
from dataclasses import replace

import psutil
import pytest

pytest.importorskip("playwright", reason="Playwright is not installed (pip install 'render-streamer[bench]')")

from streamer.bench.browser import find_chromium
from streamer.bench.network.live.bench import result_of
from streamer.bench.network.live.measurement import measure
from streamer.bench.network.live.scenarios import LIVE_SCENARIOS
from streamer.bench.network.live.timelines import timeline_of
from streamer.errors import ConfigError
from tests.fakes.program import REPOSITORY

pytestmark = [pytest.mark.browser, pytest.mark.slow]

_LIMIT_S = 60


@pytest.fixture(scope="module", autouse=True)
def _chromium():
    try:
        find_chromium()
    except ConfigError as exc:
        pytest.skip(str(exc))


def _bench(*arguments):
    command = [sys.executable, "-m", "streamer", "bench", "network", "--live", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY)


def test_real_stream_over_the_link_is_measured_from_both_ends():
    scenario = replace(LIVE_SCENARIOS["L4"], seconds=3)

    measured = measure(scenario)

    result = result_of(measured)
    metrics = result["metrics"]
    json.dumps(result, allow_nan=False)
    assert metrics["losses"] > 0
    assert metrics["utilisation_percent"] > 0
    assert metrics["full_size_percent"] == 100
    # Nothing is faster than the link: less would mean that the clocks do not fit together.
    assert metrics["decoded_p50_ms"] > scenario.down.delay_us / 1_000
    assert metrics["on_screen_p50_ms"] > scenario.down.delay_us / 1_000
    assert measured.load.cpu_percent["server"] > 0
    assert measured.load.cpu_percent["chromium"] > 0
    timeline = timeline_of(measured)
    assert timeline.rates["target"]
    assert timeline.drops_s


@pytest.mark.x11
@pytest.mark.parametrize(("name", "seconds"), [("L8", 7), ("L9", 2)])
def test_desktop_answers_what_is_pressed_on_the_far_side(name, seconds):
    measured = measure(replace(LIVE_SCENARIOS[name], seconds=seconds))

    shown = {frame.input_number for frame in measured.observation.presented}
    assert len(measured.observation.presses_ms) > 0
    assert max(shown) == len(measured.observation.presses_ms)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_nothing_is_left_when_the_bench_is_interrupted(number):
    bench = _bench("--scenario", "L1")
    assert bench.stderr is not None
    assert bench.stderr.readline().startswith("bench: L1")
    started = _descendants(bench.pid, at_least=4)

    bench.send_signal(number)
    bench.communicate(timeout=_LIMIT_S)

    assert bench.returncode != 0
    _, alive = psutil.wait_procs(started, timeout=_LIMIT_S)
    assert alive == []


def test_bench_says_where_namespaces_are_not_allowed():
    if shutil.which("setpriv") is None:
        pytest.skip("no program setpriv (util-linux), which takes a right away")
    without = [
        "setpriv",
        "--bounding-set",
        "-sys_admin",
        sys.executable,
        "-m",
        "streamer",
        "bench",
        "network",
        "--live",
    ]

    ended = subprocess.run(without, capture_output=True, text=True, check=False, timeout=_LIMIT_S, cwd=REPOSITORY)

    assert ended.returncode == 2
    line = ended.stderr.splitlines()[-1]
    assert line.startswith("streamer: --live needs network namespaces")


def _descendants(pid, at_least):
    """Wait until so many processes have been started, and return them."""
    root = psutil.Process(pid)
    while len(found := root.children(recursive=True)) < at_least:
        psutil.wait_procs(found, timeout=0.1)
    return found
