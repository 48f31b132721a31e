"""The program of `stage.py` on a private desktop behind a real server, and its diary as a test reads it."""

import json
import shlex
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fakes import stage
from tests.fakes.program import served
from tests.fakes.xvfb import WITHOUT_XVFB, wait_for


@dataclass(frozen=True, slots=True)
class Entry:
    """One event that the program was told: its name, key or button, and where the pointer was."""

    event: str
    detail: int
    x: int
    y: int


@dataclass
class Stage:
    """The program, which may have gone through other tests: each looks at what came after it began."""

    url: str
    diary: Path
    begin: int = 0

    def restart(self) -> None:
        """Forget everything so far."""
        self.begin = len(self._all())

    @property
    def entries(self) -> list[Entry]:
        return self._all()[self.begin :]

    @property
    def buttons(self) -> list[tuple[str, int]]:
        return [(entry.event, entry.detail) for entry in self.entries if entry.event.startswith("Button")]

    @property
    def keys(self) -> list[str]:
        return [entry.event for entry in self.entries if entry.event.startswith("Key")]

    @property
    def place(self) -> tuple[int, int] | None:
        """Where the pointer was last."""
        entries = self._all()
        return (entries[-1].x, entries[-1].y) if entries else None

    def has_clicked(self, clicks: list[tuple[str, int]]) -> bool:
        return self.buttons == clicks

    def wait_for_place(self, x: int, y: int) -> None:
        wait_for(lambda: self.place == (x, y))

    def _all(self) -> list[Entry]:
        lines = self.diary.read_text().splitlines(keepends=True)
        return [Entry(**json.loads(line)) for line in lines if line.endswith("\n")]


@contextmanager
def staged(folder: Path, *arguments: str) -> Iterator[Stage]:
    """Serve the program for the length of the block."""
    if shutil.which("Xvfb") is None:
        pytest.skip(WITHOUT_XVFB)
    diary = folder / "diary"
    diary.touch()
    program = shlex.join([sys.executable, str(Path(stage.__file__)), str(diary)])
    with served("--app", program, *arguments) as server:
        yield Stage(server.url, diary)
