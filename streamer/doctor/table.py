"""The report for people: groups of lines, each with its mark, and below a line what to do about it."""

import shutil
import textwrap
from collections.abc import Iterator

import click

from streamer.doctor.report import Finding, Mark, Report, grouped

_COLOURS = {Mark.OK: "green", Mark.NOTE: "yellow", Mark.PROBLEM: "red"}
_MARK_WIDTH = max(map(len, Mark)) + 2
_LEAST_WIDTH, _MOST_WIDTH = 60, 120


def show(report: Report) -> None:
    """Print the report. Colours are left out where output is no terminal."""
    width = min(_MOST_WIDTH, max(_LEAST_WIDTH, shutil.get_terminal_size((_MOST_WIDTH, 24)).columns))
    for group, findings in grouped(report.findings).items():
        click.echo(click.style(group, bold=True))
        for finding in findings:
            for line in _lines(finding, width):
                click.echo(line)
    click.echo()
    click.echo(_summary(len(report.problems)))


def _lines(finding: Finding, width: int) -> Iterator[str]:
    indent = "  " + " " * _MARK_WIDTH
    first, *others = textwrap.wrap(finding.text, width - len(indent)) or [""]
    mark = click.style(finding.mark.value.ljust(_MARK_WIDTH), fg=_COLOURS[finding.mark])
    yield f"  {mark}{first}"
    yield from (indent + line for line in others)
    if finding.advice is not None:
        yield from textwrap.wrap(finding.advice, width, initial_indent=f"{indent}-> ", subsequent_indent=f"{indent}   ")


def _summary(problem_count: int) -> str:
    if not problem_count:
        return "No problems found."
    return "1 problem found." if problem_count == 1 else f"{problem_count} problems found."
