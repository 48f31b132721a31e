"""Run live scenarios one after another and say what came of them."""

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from streamer.bench.latency_options import FPS
from streamer.bench.network.capacity import read_trace
from streamer.bench.network.goals import goals_as_json, missed
from streamer.bench.network.live.figures import figures_of
from streamer.bench.network.live.measurement import SIZE, Measurement, measure
from streamer.bench.network.live.scenarios import LIVE_SCENARIOS, LiveScenario, trace_scenario
from streamer.bench.network.live.timelines import timeline_of
from streamer.bench.network.timeline import Timeline
from streamer.bench.progress import say
from streamer.bench.quantiles import percentile
from streamer.bench.report import Result, conditions, distrust, load_result
from streamer.errors import ConfigError

_ALL = "ALL"
# With less to spare, what is measured waits for the machine.
_MIN_IDLE_RATIO = 0.30
# The link adds its own lateness to that of the network which it stands for.
_MAX_LATENESS_US = 2_000
_US_PER_MS = 1_000


def run_live(
    names: Sequence[str], traces: Sequence[Path] = (), packets_folder: Path | None = None
) -> tuple[Result, list[Timeline]]:
    """Carry out the scenarios of these names and of these files; return the result, and what happened over time.

    Without either, all that there are. The logs of the link stay in `packets_folder`.

    Raises:
        ConfigError: a name is unknown, a file is no trace, namespaces are not allowed, or a program is missing.
        SessionError: no picture came, or something ended before its time.
    """
    results, timelines = [], []
    versions: dict[str, str] = {}
    with _ending_on_termination():
        for scenario in _chosen(names, traces):
            say(f"{scenario.name}: {scenario.title}, {scenario.seconds:g} s")
            log_file = None if packets_folder is None else packets_folder / f"{scenario.name}.csv"
            measured = measure(scenario, log_file)
            result = result_of(measured)
            for reason in result["distrust"]:
                say(f"{scenario.name} is not to be trusted: {reason}")
            results.append(result)
            timelines.append(timeline_of(measured))
            versions = {"browser": f"Chromium {measured.browser}", "server": measured.server}
    reasons = [f"{result['name']}: {reason}" for result in results for reason in result["distrust"]]
    return {
        "scenarios": results,
        "passed": all(result["passed"] for result in results),
        "trusted": not reasons,
        "distrust": reasons,
        "conditions": conditions(size=str(SIZE), fps=FPS, **versions),
    }, timelines


def _chosen(names: Sequence[str], traces: Sequence[Path]) -> list[LiveScenario]:
    wanted = [name.strip().upper() for name in names]
    if wanted == [_ALL]:
        wanted = list(LIVE_SCENARIOS)
    unknown = [name for name in wanted if name not in LIVE_SCENARIOS]
    if unknown:
        raise ConfigError(f"--scenario {unknown[0]!r}: with --live there are {', '.join(LIVE_SCENARIOS)}")
    chosen = [LIVE_SCENARIOS[name] for name in wanted]
    chosen += [trace_scenario(file.name, read_trace(file)) for file in traces]
    return chosen or list(LIVE_SCENARIOS.values())


def result_of(measured: Measurement) -> Result:
    """Return figures and goals of one run, and whether they can be trusted."""
    scenario, metrics = measured.scenario, figures_of(measured)
    reasons = _reasons(measured)
    return {
        "name": scenario.name,
        "title": scenario.title,
        "metrics": metrics,
        "goals": goals_as_json(scenario.goals),
        "passed": not missed(scenario.goals, metrics),
        **load_result(measured.load),
        "trusted": not reasons,
        "distrust": reasons,
    }


def _reasons(measured: Measurement) -> list[str]:
    """Return why a run cannot be trusted."""
    reasons = distrust(measured.load)
    idle_ratio = measured.load.idle_ratio
    if idle_ratio < _MIN_IDLE_RATIO:
        reasons.append(f"the machine was idle {idle_ratio:.0%} of the time, less than {_MIN_IDLE_RATIO:.0%}")
    latenesses_us = sorted(packet.lateness_us for packet in measured.log.down if packet.lateness_us is not None)
    lateness_us = percentile(latenesses_us, 99)
    if lateness_us > _MAX_LATENESS_US:
        reasons.append(f"the link delivered packets up to {lateness_us / _US_PER_MS:.1f} ms late (p99)")
    return reasons


@contextmanager
def _ending_on_termination() -> Iterator[None]:
    """End in good order on SIGTERM, too, as on Ctrl-C: processes that were started would stay otherwise."""
    before = signal.signal(signal.SIGTERM, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature is that of signal handlers
    raise SystemExit(128 + number)
