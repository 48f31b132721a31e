"""Ask a question in a process of its own: what crashes or hangs there takes nothing with it.

The child is a module of ours. Its answer is the last line of its output, as JSON: libraries print, too.
"""

import contextlib
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


# What is killed ends at once, if it does.
_END_S = 1
# What the reasons of a hang and of a crash have in them, for whoever gives advice about them.
HUNG, CRASHED = "took longer than", "crashed with signal"


class ChildError(Exception):
    """The child gave no answer; the message is the reason in words."""


class HangError(ChildError):
    """The child took too long: whatever else is asked there is likely to take as long."""


def ask(module: str, *question: str, what: str, limit_s: float, given: Any = None) -> Any:
    """Return what the child answers. `what` it does is for people, `given` is what it reads as JSON.

    Raises:
        HangError: it took too long.
        ChildError: it did not start, crashed, or said nothing that could be understood.
    """
    try:
        child = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", module, *question],
            # The child shall import this package, whatever lies in the current folder.
            cwd=Path(streamer.__file__).parent.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
    except OSError as exc:
        raise ChildError(f"{what} cannot be started: {exc}") from exc
    try:
        output, errors = child.communicate(json.dumps(given), timeout=limit_s)
    except subprocess.TimeoutExpired:
        raise HangError(
            f"{what} {HUNG} {limit_s} s, so the driver hangs (the kernel's log says more) or the machine is overloaded"
        ) from None
    finally:
        _abandon(child)
    if child.returncode < 0:
        name = signal.Signals(-child.returncode).name
        raise ChildError(f"{what} {CRASHED} {-child.returncode} ({name}): the driver or its library is broken")
    try:
        return json.loads(output.splitlines()[-1])
    except (IndexError, ValueError):
        said = errors.strip().splitlines() or ["nothing"]
        raise ChildError(f"{what} ended with status {child.returncode} and said: {said[-1]}") from None


def _abandon(child: "subprocess.Popen[str]") -> None:
    """Kill a child that has not ended. One that waits inside the driver does not end even so: it is left behind."""
    for pipe in (child.stdin, child.stdout, child.stderr):
        if pipe is not None:
            pipe.close()
    if child.poll() is None:
        child.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(_END_S)


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
