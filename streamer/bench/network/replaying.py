"""Decisions of a run that is over, made again from what rate control was told: `streamer serve --decisions-log`."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from streamer.bench.report import Result, write_json
from streamer.congestion.flow import EstimatorFactory
from streamer.congestion.replay import Entry, Replayed, replay
from streamer.errors import ConfigError, LocalProtocolError

_US_PER_S = 1_000_000


def run_replay(file: Path, estimator: EstimatorFactory | None, json_file: Path | None) -> bool:
    """Replay each viewer of a log and say what came of it; return whether all decisions were those of the log.

    Raises:
        ConfigError: the file cannot be read, or is no such log.
    """
    found: list[Result] = []
    for number, entries in sorted(_read(file).items()):
        try:
            replayed = replay(entries, estimator)
        except (LocalProtocolError, LookupError, TypeError, ValueError) as exc:
            raise ConfigError(f"--replay {str(file)!r}: viewer {number}: {exc}") from exc
        click.echo(f"viewer {number}: {_summary(entries, replayed)}")
        decisions = [decision.to_json() for decision in replayed.decisions]
        found.append({"viewer": number, "is_same": replayed.is_same, "decisions": decisions})
    write_json({"viewers": found}, json_file)
    return all(each["is_same"] for each in found)


def _summary(entries: list[Entry], replayed: Replayed) -> str:
    lasted_s = (entries[-1][1] - entries[0][1]) / _US_PER_S
    outcome = "the same as in the log" if replayed.is_same else f"other than the {len(replayed.recorded)} of the log"
    return f"{lasted_s:.1f} s, {len(replayed.decisions)} decisions, {outcome}"


def _read(file: Path) -> dict[int, list[Entry]]:
    """Return the entries of each viewer."""
    viewers: dict[int, list[Entry]] = {}
    try:
        with file.open(encoding="utf-8") as lines:
            for number, entry in _entries(lines):
                viewers.setdefault(number, []).append(entry)
    except (OSError, ValueError) as exc:
        raise ConfigError(f"--replay {str(file)!r}: {exc}") from exc
    if not viewers:
        raise ConfigError(f"--replay {str(file)!r}: no viewer was there")
    return viewers


def _entries(lines: Iterable[str]) -> Iterator[tuple[int, Entry]]:
    for number, line in enumerate(lines, 1):
        entry: Any = json.loads(line)
        match entry:
            case [int(viewer), str(_), int(_), *_]:
                yield viewer, entry[1:]
            case _:
                raise ValueError(f"line {number} is no entry of a log")
