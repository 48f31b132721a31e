"""However the server ends, nothing is left of it: no process, no private directory."""

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from streamer.bench.served import ServedProcess
from tests.fakes.marked import MARK, marked_processes
from tests.fakes.program import REPOSITORY, run_streamer
from tests.fakes.xvfb import WITHOUT_XVFB, wait_for

pytestmark = pytest.mark.x11

# A shell with a child of its own: processes that only their group or their guardian can find.
_PROGRAM = "sh -c 'xterm -e cat & wait'"
_ARGUMENTS = ("--app", _PROGRAM, "--size", "320x240")
_LIMIT_S = 30
_PRIVATE = "streamer-desktop-*"


@dataclass
class Traces:
    """What a server leaves behind while it runs: processes with a mark, and directories in a folder of the test."""

    mark: str
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        return {MARK: self.mark, "TMPDIR": str(self.folder)}

    @property
    def processes(self) -> list[int]:
        return marked_processes(self.mark)

    @property
    def directories(self) -> list[Path]:
        return list(self.folder.glob(_PRIVATE))

    def are_gone(self) -> bool:
        return not self.processes and not self.directories


@pytest.fixture
def traces(tmp_path: Path) -> Iterator[Traces]:
    for program, reason in (("Xvfb", WITHOUT_XVFB), ("xterm", "xterm is not installed (apt install xterm)")):
        if not any((Path(folder) / program).exists() for folder in os.get_exec_path()):
            pytest.skip(reason)
    yield (found := Traces(uuid.uuid4().hex, tmp_path))
    for pid in found.processes:
        os.kill(pid, signal.SIGKILL)


@contextmanager
def desktop(traces: Traces) -> Iterator[ServedProcess]:
    with ServedProcess(*_ARGUMENTS, environment=traces.environment) as server:
        # The server, its guardian, the X server, the shell and its child at least.
        wait_for(lambda: len(traces.processes) >= 5)
        assert traces.directories
        yield server


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_stopped_server_leaves_nothing_and_says_zero(traces: Traces, number: signal.Signals) -> None:
    with desktop(traces) as server:
        os.kill(server.pid, number)

        wait_for(traces.are_gone)
        assert server.stop() == 0, server.output
        assert "Traceback" not in server.output


def test_killed_server_leaves_nothing(traces: Traces) -> None:
    with desktop(traces) as server:
        os.kill(server.pid, signal.SIGKILL)

        wait_for(traces.are_gone)


def test_server_fails_with_its_program(traces: Traces) -> None:
    environment = {**os.environ, **traces.environment}
    command = "sh -c 'echo no such font >&2; exit 3'"

    ended = run_streamer("serve", "--port", "0", "--app", command, "--size", "320x240", environment=environment)

    assert "the program sh ended with status 3" in ended.stderr.splitlines()[-1]
    assert "('no such font')" in ended.stderr
    assert ended.returncode == 1
    wait_for(traces.are_gone)


def test_server_ends_with_its_program_and_says_why(traces: Traces) -> None:
    environment = {**os.environ, **traces.environment}

    ended = run_streamer("serve", "--port", "0", "--app", "sleep 0", "--size", "320x240", environment=environment)

    assert "the program sleep ended with status 0" in ended.stdout.splitlines()[-1]
    assert ended.returncode == 0
    assert "Traceback" not in ended.stderr
    wait_for(traces.are_gone)


def test_ctrl_c_while_the_desktop_is_starting_leaves_nothing(traces: Traces) -> None:
    command = [sys.executable, "-m", "streamer", "serve", "--port", "0", *_ARGUMENTS]
    environment = {**os.environ, **traces.environment}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as server:
        wait_for(lambda: bool(traces.directories))

        server.send_signal(signal.SIGINT)

        output, _ = server.communicate(timeout=_LIMIT_S)
    assert server.returncode == 0, output
    assert b"Traceback" not in output
    wait_for(traces.are_gone)


@pytest.mark.skipif(not (REPOSITORY / ".venv/setup-stamp").exists(), reason="scripts/setup has not been run here")
def test_script_run_serves_until_ctrl_c_and_leaves_nothing(traces: Traces) -> None:
    environment = {**os.environ, **traces.environment, "PYTHONUNBUFFERED": "1"}
    command = [REPOSITORY / "scripts/run", "--port", "0", *_ARGUMENTS]
    # A group of its own, because a terminal tells Ctrl-C to all of one.
    with subprocess.Popen(
        command, cwd=traces.folder, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as script:
        assert script.stdout is not None
        lines = iter(script.stdout.readline, "")
        invitation = next(line for line in lines if "http://" in line)

        os.killpg(script.pid, signal.SIGINT)

        assert script.wait(_LIMIT_S) == 0
    assert "Ctrl-C stops" in invitation
    wait_for(traces.are_gone)
