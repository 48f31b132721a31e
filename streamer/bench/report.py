"""How a bench says what it found: a table for people, JSON for machines, and the conditions it was measured under."""

import json
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table
from rich.text import Text

from streamer import __version__
from streamer.bench.machine import MAX_OTHERS_RATIO, Load
from streamer.errors import ConfigError

Result = dict[str, Any]


def conditions(**others: Any) -> Result:
    """Return what a reader needs to compare a result with another one."""
    return {
        "version": __version__,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cores": psutil.cpu_count(),
        **others,
    }


def load_result(load: Load) -> Result:
    """Return the members that say how busy the machine was."""
    return {
        "cpu": load.cpu_percent,
        "idle_ratio": load.idle_ratio,
        "others_ratio": load.others_ratio,
    }


def distrust(load: Load) -> list[str]:
    """Return why a result cannot be trusted, as far as the machine is to blame."""
    if load.is_trusted:
        return []
    return [f"other processes took {load.others_ratio:.0%} of the machine, more than {MAX_OTHERS_RATIO:.0%}"]


def publish(result: Result, json_file: Path | None) -> None:
    """Print a table, and write JSON where that was asked for.

    Raises:
        ConfigError: the file cannot be written.
    """
    table = Table("figure", "value", box=None, pad_edge=False)
    for name, value in rows(result):
        table.add_row(Text(name), Text(value))
    Console().print(table)
    write_json(result, json_file)


def write_json(result: Result, json_file: Path | None) -> None:
    """Write JSON where that was asked for.

    Raises:
        ConfigError: the file cannot be written.
    """
    if json_file is not None:
        try:
            json_file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
        except OSError as exc:
            raise ConfigError(f"--json {str(json_file)!r} cannot be written: {exc.strerror}") from exc


def rows(result: Result) -> list[tuple[str, str]]:
    """Return the lines of the table: results within the result are indented below their name."""
    lines = []
    for name, value in result.items():
        if name == "conditions":
            continue
        if isinstance(value, dict) and any(isinstance(entry, dict) for entry in value.values()):
            lines.append((name, ""))
            lines += [(f"  {inner}", text) for inner, text in rows(value)]
        else:
            lines.append((name, _shown(value)))
    return lines


def _shown(value: Any) -> str:
    if isinstance(value, dict) and "count" in value:
        percentiles = " / ".join(_shown(value[name]) for name in ("p50", "p95", "p99"))
        return f"{percentiles}  (p50 / p95 / p99 of {value['count']})"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_shown(entry)}" for key, entry in value.items())
    if isinstance(value, list):
        return "; ".join(map(_shown, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None else str(value)
