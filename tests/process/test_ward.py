"""A guardian and the programs it starts, without a display."""

import itertools
import os
import resource
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from streamer.desktop.ward import Exit, Ward
from streamer.errors import DesktopError
from tests.fakes.waiting import until

SLEEP = (sys.executable, "-c", "import time; time.sleep(600)")


class Rig:
    """A ward, and what it told."""

    def __init__(self, directory: Path) -> None:
        self.exits: list[Exit] = []
        self.is_lost = False
        self.ward = Ward(directory, self.exits.append, self._lose)

    def _lose(self) -> None:
        self.is_lost = True

    @property
    def guardian(self) -> int:
        process = self.ward._process
        assert process is not None
        return process.pid

    async def start(self, name: str, *argv: str) -> None:
        await self.ward.start(name, argv, dict(os.environ), "/")


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    rig = Rig(tmp_path / "desktop")
    await rig.ward.open()
    yield rig
    await rig.ward.close(500)


async def test_only_programs_that_still_run_are_ended_when_the_guardian_is_lost(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[int] = []
    monkeypatch.setattr(os, "killpg", lambda pid, _: ended.append(pid))
    await rig.start("brief", "true")
    await until(lambda: rig.exits)
    await rig.start("lasting", *SLEEP)

    os.kill(rig.guardian, signal.SIGKILL)

    await until(lambda: rig.is_lost)
    assert len(ended) == 1


async def test_launcher_counts_as_running_until_what_it_started_has_ended(rig: Rig, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    # The reader is a grandchild whose parent ends, too, before the launcher itself.
    await rig.start("launcher", "sh", "-c", f"( (read line <{gate}) & ); exit 0")
    launcher = rig.ward._pids["launcher"]
    # It has ended, and the guardian has seen it.
    await until(lambda: not Path(f"/proc/{launcher}").exists())
    await rig.start("other", "true")
    await until(lambda: rig.exits)
    before = [ended.name for ended in rig.exits]

    gate.write_text("go\n")

    await until(lambda: len(rig.exits) == 2)
    assert before == ["other"]
    assert rig.exits[1].outcome == "launcher ended with status 0"


async def test_program_that_fails_has_ended_whatever_it_leaves(rig: Rig) -> None:
    await rig.start("program", "sh", "-c", "sleep 600 & exit 3")

    await until(lambda: rig.exits)

    assert rig.exits[0].outcome == "program ended with status 3"


def descriptors(pid: int) -> set[int]:
    return {int(path.name) for path in Path(f"/proc/{pid}/fd").iterdir()}


@pytest.mark.parametrize("spare", range(4))
async def test_program_for_which_there_is_no_descriptor_is_refused_and_others_start(rig: Rig, spare: int) -> None:
    await rig.start("first", *SLEEP)
    used = descriptors(rig.guardian)
    free = (number for number in itertools.count() if number not in used)
    # The number that the descriptor after the spare ones would get is the first that is not allowed.
    limit = next(itertools.islice(free, spare, None))
    before = resource.prlimit(rig.guardian, resource.RLIMIT_NOFILE)
    resource.prlimit(rig.guardian, resource.RLIMIT_NOFILE, (limit, before[1]))

    with pytest.raises(DesktopError, match="second cannot be executed: Too many open files"):
        await rig.start("second", *SLEEP)

    assert descriptors(rig.guardian) == used
    resource.prlimit(rig.guardian, resource.RLIMIT_NOFILE, before)
    await rig.start("third", *SLEEP)
    assert rig.exits == []
