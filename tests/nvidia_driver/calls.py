"""The call log of the substitute driver: what was asked of the encode library, in order."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

HANGS = -1


@dataclass(frozen=True)
class Call:
    """One call. Its other fields (`call["average_bps"]`) are those that the library has written: see README.md."""

    name: str
    # 0 is success, HANGS a call that has not returned; others are the numbers of NVENCSTATUS.
    status: int
    # On the clock of CLOCK_MONOTONIC.
    at_us: int
    process: int
    fields: Mapping[str, int | str]

    def __getitem__(self, field: str) -> int | str:
        return self.fields[field]


def read_calls(log: Path, *names: str) -> list[Call]:
    """Return the calls of a log, or those with these names."""
    calls = [_parse(line) for line in log.read_text().splitlines()] if log.exists() else []
    return [call for call in calls if not names or call.name in names]


def _parse(line: str) -> Call:
    fields = json.loads(line)
    return Call(fields.pop("call"), fields.pop("status"), fields.pop("at_us"), fields.pop("process"), fields)
