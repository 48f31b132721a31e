"""`streamer bench network`: congestion control under networks that change, simulated or with a real browser."""

from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

import click

from streamer.bench.network.capacity import read_trace
from streamer.bench.network.goals import goals_as_json, missed
from streamer.bench.network.link import LinkSettings
from streamer.bench.network.metrics import measure
from streamer.bench.network.plot import draw
from streamer.bench.network.replaying import run_replay
from streamer.bench.network.scenario import Scenario
from streamer.bench.network.scenarios import SCENARIOS
from streamer.bench.network.simulation import simulate
from streamer.bench.network.table import print_goals
from streamer.bench.network.timeline import Timeline, timeline_of
from streamer.bench.options import json_option, require_writable
from streamer.bench.progress import say
from streamer.bench.report import Result, conditions, write_json
from streamer.congestion.estimator import make_estimator
from streamer.congestion.flow import EstimatorFactory
from streamer.errors import ConfigError
from streamer.registry import load_callable

_ALL = "all"
_MAX_TRACE_US = 60_000_000


def run(
    scenarios: Sequence[Scenario], seeds: Sequence[int], estimator: EstimatorFactory
) -> tuple[Result, list[Timeline]]:
    """Simulate every scenario with every seed; return the result, and the timelines of the first seed."""
    found: list[Result] = []
    timelines = []
    for scenario in scenarios:
        for seed in seeds:
            began_s = perf_counter()
            recording = simulate(scenario, seed, estimator)
            metrics = measure(scenario, recording)
            misses = missed(scenario.goals, metrics)
            outcome = f"missed {', '.join(misses)}" if misses else "passed"
            say(f"{scenario.name}, seed {seed}: {outcome} ({perf_counter() - began_s:.1f} s)")
            found.append(
                {
                    "name": scenario.name,
                    "title": scenario.title,
                    "seed": seed,
                    "metrics": metrics,
                    "goals": goals_as_json(scenario.goals),
                    "passed": not misses,
                }
            )
            if seed == seeds[0]:
                timelines.append(timeline_of(scenario, recording))
    return {"scenarios": found, "passed": all(each["passed"] for each in found)}, timelines


def select(names: str) -> list[Scenario]:
    """Return the scenarios that a list names; `S9` names S9a and its siblings.

    Raises:
        ConfigError: there is none of a name.
    """
    if names.strip().lower() == _ALL:
        return list(SCENARIOS.values())
    selected: dict[str, Scenario] = {}
    for name in filter(None, (part.strip() for part in names.split(","))):
        matching = _matching(name)
        if not matching:
            raise ConfigError(f"--scenario {name!r}: there are {', '.join(SCENARIOS)} and {_ALL}")
        selected |= {scenario.name: scenario for scenario in matching}
    return list(selected.values())


def _matching(name: str) -> list[Scenario]:
    known = {each.lower(): scenario for each, scenario in SCENARIOS.items()}
    if name.lower() in known:
        return [known[name.lower()]]
    return [scenario for each, scenario in known.items() if each[:-1] == name.lower() and each[-1].isalpha()]


def trace_scenario(file: Path) -> Scenario:
    """Return the scenario that a file makes: the trace's first minute, over the usual delay and queue."""
    trace = read_trace(file)
    return Scenario(file.name, f"trace {file.name}", min(_MAX_TRACE_US, trace.period_us), LinkSettings(trace))


def load_estimator(name: str | None) -> EstimatorFactory:
    """Return the factory that `module:factory` names, or the product's own.

    Raises:
        ConfigError: there is no such module or factory.
    """
    return make_estimator if name is None else load_callable(name, "--estimator")


_HELP = """Measure congestion control while the network changes.

Simulates encoder, pacer, link and receiver around the product's own congestion control: a minute takes two seconds and
the same seed gives the same figures. Goals stand beside the figures; exit status 1 when one is missed.

\b
Examples:
  streamer bench network --scenario S2,S3 --plot changes.png
  streamer bench network --trace lte.down --json lte.json
  streamer bench network --scenario S1 --seeds 10
  streamer bench network --live --scenario L2
      a real server and a real browser in network namespaces with an emulated link between them (root, Linux)
"""


@click.command(help=_HELP)
@click.option("--scenario", "names", metavar="NAMES", help="Scenarios, separated by commas, or all.  [all]")
@click.option(
    "--trace",
    "traces",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="A link that delivers as this file says (Mahimahi's format: a line per 1500 bytes, in ms); repeatable.",
)
@click.option("--live", is_flag=True, help="Use a real server and a real browser behind an emulated link.")
@click.option("--seed", default=1, show_default=True, help="What all chances come from.")
@click.option("--seeds", default=1, show_default=True, type=click.IntRange(1, 1000), help="How many seeds, from there.")
@click.option("--estimator", metavar="MODULE:FACTORY", help="Another estimator in place of the product's.")
@click.option(
    "--replay",
    "replayed_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Decide again what a server's --decisions-log says was decided.",
)
@click.option(
    "--packets",
    "packets_folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False, writable=True),
    metavar="FOLDER",
    help="With --live: write there what the link did with each packet, a CSV file for each scenario.",
)
@json_option
@click.option(
    "--plot",
    "plot_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Draw rates, queue, frame delays and frame rate over time; with several scenarios one file for each.",
)
@click.pass_context
def command(
    context: click.Context,
    *,
    names: str | None,
    traces: tuple[Path, ...],
    live: bool,
    seed: int,
    seeds: int,
    estimator: str | None,
    replayed_file: Path | None,
    packets_folder: Path | None,
    json_file: Path | None,
    plot_file: Path | None,
) -> None:
    """Measure congestion control while the network changes."""
    require_writable(json=json_file, plot=plot_file)
    if replayed_file is not None:
        other = None if estimator is None else load_estimator(estimator)
        context.exit(0 if run_replay(replayed_file, other, json_file) else 1)
    if live:
        from streamer.bench.network.live.bench import run_live

        if estimator is not None or seeds > 1:
            raise ConfigError("--estimator and --seeds go with the simulator, not with --live")
        result, timelines = run_live([] if names is None else names.split(","), traces, packets_folder)
    else:
        chosen = [] if names is None and traces else select(names or _ALL)
        chosen += [trace_scenario(file) for file in traces]
        result, timelines = run(chosen, range(seed, seed + seeds), load_estimator(estimator))
        result["conditions"] = conditions(estimator=estimator or "the product's own")
    if plot_file is not None:
        for file in draw(plot_file, timelines):
            say(f"drew {file}")
    print_goals(result["scenarios"])
    write_json(result, json_file)
    context.exit(0 if result["passed"] else 1)
