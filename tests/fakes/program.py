"""The program as a user starts it, in a process of its own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from streamer.bench.served import ServedProcess

REPOSITORY = Path(__file__).parents[2]
# Starting Python and importing the media libraries takes about a second, several on a loaded machine.
_LIMIT_S = 60


def run_streamer(*arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command line until it ends by itself."""
    return subprocess.run(
        [sys.executable, "-m", "streamer", *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
        cwd=REPOSITORY,
        env=environment,
    )


@contextmanager
def served(*arguments: str, environment: dict[str, str] | None = None) -> Iterator[ServedProcess]:
    """Run `streamer serve` for the length of the block; it must have had nothing to complain about."""
    with ServedProcess(*arguments, environment=environment) as server:
        yield server
        status = server.stop()
        assert status == 0, server.output
        assert "Traceback" not in server.output, server.output
        assert " ERROR " not in server.output, server.output
