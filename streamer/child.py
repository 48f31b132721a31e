"""Ask a question in a process of its own: what crashes or hangs there takes nothing with it.

The child is a module of ours. Its answer is the last line of its output, as JSON: libraries print, too.
"""

import ctypes
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import streamer

# linux/prctl.h.
_PR_SET_PDEATHSIG = 1


class ChildError(Exception):
    """The child gave no answer; the message is the reason in words."""


def ask(module: str, *question: str, what: str, limit_s: float, given: Any = None) -> Any:
    """Return what the child answers. `what` it does is for people, `given` is what it reads as JSON.

    Raises:
        ChildError: it crashed, took too long, or said nothing that could be understood.
    """
    try:
        ended = subprocess.run(  # noqa: S603 - our own module
            [sys.executable, "-m", module, *question],
            # The child shall import this package, whatever lies in the current folder.
            cwd=Path(streamer.__file__).parent.parent,
            input=json.dumps(given),
            capture_output=True,
            text=True,
            errors="replace",
            timeout=limit_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ChildError(
            f"{what} took longer than {limit_s} s, so the driver hangs or the machine is overloaded"
        ) from None
    if ended.returncode < 0:
        name = signal.Signals(-ended.returncode).name
        raise ChildError(
            f"{what} crashed with signal {-ended.returncode} ({name}): the driver or its library is broken"
        )
    try:
        return json.loads(ended.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        said = ended.stderr.strip().splitlines() or ["nothing"]
        raise ChildError(f"{what} ended with status {ended.returncode} and said: {said[-1]}") from None


def read_given() -> Any:
    """Return what the child was given."""
    return json.load(sys.stdin)


def answer(content: Any) -> None:
    """Give the answer, on a line of its own: a library may have printed something."""
    print("\n" + json.dumps(content), flush=True)  # noqa: T201 - it is what a child is for


def end_with_parent() -> None:
    """Let this child be killed when who asked is: one that hangs in a driver would stay for ever."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
