"""What was found: one line each, with a mark, and what to do about it. The JSON form is described in docs/doctor.md."""

import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from streamer import __version__

# Grows when a member changes its meaning or goes; members that are new leave it as it is.
_FORMAT = 1


class Mark(StrEnum):
    """How a finding concerns the configuration."""

    # As it should be.
    OK = "ok"
    # Worth knowing; the configuration works without it.
    NOTE = "note"
    # The configuration does not work as it could.
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line. `name` is stable and has a group in front of its first dot; `figures` are for machines."""

    name: str
    mark: Mark
    text: str
    advice: str | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)

    @property
    def group(self) -> str:
        return self.name.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Report:
    """All findings, in the order in which they are to be read."""

    findings: tuple[Finding, ...]

    @property
    def problems(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.mark is Mark.PROBLEM)

    def to_json(self) -> dict[str, Any]:
        """Return the documented form."""
        return {
            "format": _FORMAT,
            "version": __version__,
            "python": platform.python_version(),
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "problem_count": len(self.problems),
            "findings": [
                {
                    "name": finding.name,
                    "mark": finding.mark.value,
                    "text": finding.text,
                    "advice": finding.advice,
                    "figures": dict(finding.figures),
                }
                for finding in self.findings
            ],
        }


def mark_of(*, is_right: bool, matters: bool = True) -> Mark:
    """Return the mark of something that is right, or wrong in a way that matters to the configuration or does not."""
    if is_right:
        return Mark.OK
    return Mark.PROBLEM if matters else Mark.NOTE


def grouped(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    """Return the findings of each group, in the order of their first."""
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.group, []).append(finding)
    return groups
