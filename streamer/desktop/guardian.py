"""A small process that owns the programs of one private desktop and ends them all, however its server ends.

Run as a script (`python -I -S guardian.py FD DIRECTORY`), so it imports nothing of this package. Rules:

- It is the parent of every program, and adopts what they leave behind (PR_SET_CHILD_SUBREAPER), also daemons.
- It lives in a session of its own: the terminal's Ctrl-C does not reach it.
- The other end of socket FD is held by the server alone. Its end means that the server is gone.
- A launcher, which ends well soon after its start and leaves processes in its session, counts as running until the last
  of them has ended.
- When told to stop, at the end of the socket, or at SIGTERM, it ends the programs, last started first: SIGTERM, a
  moment to finish, SIGKILL. Nothing is left when it exits, DIRECTORY neither.

Both sides speak one JSON object a line. The server says `{"do": "start", "name", "argv", "env", "cwd", "wants_ready"}`
(in `argv`, `{ready_fd}` becomes the number of a pipe) and `{"do": "stop", "grace_s"}`. The guardian says `{"event":
"started", "name", "pid"}`, `"failed"` with `reason`, `"ready"` with the `text` the program wrote to the pipe, and
`"exited"` with `status` (negative: the signal) and the `tail` of its output.
"""

import contextlib
import ctypes
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Iterator
from typing import Any

# linux/prctl.h.
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
# The server is gone: programs may save their work, but nobody waits for them.
_ORPHANED_GRACE_S = 1.0
_STEP_S = 0.01
# What SIGKILL does not end in this time (a process of another user, a dead disk) is given up.
_UNKILLABLE_S = 3.0
# A launcher is done before anybody has used its program: what is left by one that ran longer is not what it was for.
_LAUNCH_S = 10.0
_TAIL_BYTES = 2000
_READ_BYTES = 65536
_EXIT_CANNOT_EXECUTE = 127
# Signals that Python ignores by itself and a program expects at their default.
_IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)


class Program:
    """One program that was started: the leader of its own session."""

    def __init__(self, name: str, pid: int, output_fd: int, ready_fd: int | None) -> None:
        self.name = name
        self.pid = pid
        self.output_fd: int | None = output_fd
        self.ready_fd = ready_fd
        self.ready = b""
        self.tail = b""
        self.is_running = True
        self.started_s = time.monotonic()
        self.has_launched = False

    def is_launcher(self, status: int) -> bool:
        """Return whether the program, which has ended with that status, has left its work to others."""
        return status == 0 and time.monotonic() - self.started_s < _LAUNCH_S and _has_session(self.pid)


class Guardian:
    """Starts, watches and ends programs. One thread."""

    def __init__(self, control: socket.socket, directory: str) -> None:
        self._control = control
        self._directory = directory
        self._programs: list[Program] = []
        self._received = b""
        self._grace_s = _ORPHANED_GRACE_S
        self._is_stopping = False
        self._poll = select.poll()
        self._wake_fd, self._signal_fd = os.pipe()
        for fd in (self._wake_fd, self._signal_fd):
            os.set_blocking(fd, False)
        signal.set_wakeup_fd(self._signal_fd, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self._on_sigterm)
        for fd in (self._wake_fd, control.fileno()):
            self._poll.register(fd, select.POLLIN)

    def run(self) -> None:
        """Serve until told to stop or until the server is gone, then end everything."""
        try:
            while not self._is_stopping:
                for fd, _ in self._poll.poll():
                    self._on_readable(fd)
                self._reap()
        finally:
            self._end_all()
            # Imported here, because it costs a third of the start.
            import shutil

            shutil.rmtree(self._directory, ignore_errors=True)

    def _on_sigterm(self, *_: object) -> None:
        self._is_stopping = True

    def _on_readable(self, fd: int) -> None:
        if fd == self._control.fileno():
            self._read_control()
        elif fd == self._wake_fd:
            os.read(self._wake_fd, _READ_BYTES)
        else:
            self._read_program(fd)

    def _read_control(self) -> None:
        try:
            content = self._control.recv(_READ_BYTES)
        except ConnectionError:
            content = b""
        if not content:
            self._is_stopping = True
            return
        *lines, self._received = (self._received + content).split(b"\n")
        for line in lines:
            message = json.loads(line)
            if message["do"] == "start":
                self._start(message)
            else:
                self._grace_s = message["grace_s"]
                self._is_stopping = True

    def _read_program(self, fd: int) -> None:
        content = os.read(fd, _READ_BYTES)
        for program in self._programs:
            if fd == program.output_fd:
                program.tail = (program.tail + content)[-_TAIL_BYTES:]
                if not content:
                    self._forget(fd)
                    program.output_fd = None
            elif fd == program.ready_fd:
                program.ready += content
                if not content or b"\n" in program.ready:
                    self._forget(fd)
                    program.ready_fd = None
                    self._say(event="ready", name=program.name, text=program.ready.decode(errors="replace").strip())

    def _forget(self, fd: int) -> None:
        self._poll.unregister(fd)
        os.close(fd)

    def _start(self, message: dict[str, Any]) -> None:
        opened: list[int] = []
        try:
            output_fd, output_end = _pipe(opened)
            ready_fd, ready_end = _pipe(opened) if message["wants_ready"] else (None, None)
            failure_fd, failure_end = _pipe(opened)
            argv = [part.replace("{ready_fd}", str(ready_end)) for part in message["argv"]]
            pid = os.fork()
        except OSError as exc:
            for end in opened:
                os.close(end)
            self._say(event="failed", name=message["name"], reason=exc.strerror)
            return
        if pid == 0:
            _become(argv, message["env"], message["cwd"], output_end, ready_end, failure_end)
        for fd in (output_end, ready_end, failure_end):
            if fd is not None:
                os.close(fd)
        with os.fdopen(failure_fd, "rb") as file:
            failure = file.read()
        program = Program(message["name"], pid, output_fd, ready_fd)
        self._programs.append(program)
        for fd in (output_fd, ready_fd):
            if fd is not None:
                self._poll.register(fd, select.POLLIN)
        if failure:
            self._say(event="failed", name=program.name, reason=failure.decode(errors="replace"))
        else:
            self._say(event="started", name=program.name, pid=pid)

    def _reap(self) -> bool:
        """Take leave of children that have ended; return whether any is left."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                pid = None
            if not pid:
                self._look_after_launched()
                return pid is not None
            for program in self._programs:
                if program.pid == pid and program.is_running:
                    self._note_end(program, os.waitstatus_to_exitcode(status))

    def _note_end(self, program: Program, status: int) -> None:
        program.has_launched = program.is_launcher(status)
        if not program.has_launched:
            program.is_running = False
            self._tell_exit(program, status)

    def _look_after_launched(self) -> None:
        """Tell the end of launchers of which nothing is left: their last process was a child of ours."""
        for program in self._programs:
            if program.has_launched and not _has_session(program.pid):
                program.has_launched = program.is_running = False
                self._tell_exit(program, 0)

    def _tell_exit(self, program: Program, status: int) -> None:
        # What it wrote last is read first: children of its own may hold the pipe open for ever.
        if program.output_fd is not None:
            os.set_blocking(program.output_fd, False)
            with contextlib.suppress(BlockingIOError):
                program.tail = (program.tail + os.read(program.output_fd, _READ_BYTES))[-_TAIL_BYTES:]
        tail = program.tail.decode(errors="replace").strip()
        self._say(event="exited", name=program.name, status=status, tail=tail)

    def _say(self, **message: object) -> None:
        try:
            self._control.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            self._is_stopping = True

    def _end_all(self) -> None:
        """End what each program has left, last started first; whoever left its program's session counts as the last."""
        for position in reversed(range(len(self._programs))):
            spared = {program.pid for program in self._programs[:position]}
            self._end(spared)
        self._end(set())

    def _end(self, spared_sessions: set[int]) -> None:
        until_s = time.monotonic() + self._grace_s
        told: set[int] = set()
        while time.monotonic() < until_s + _UNKILLABLE_S:
            has_children = self._reap()
            left = _descendants(os.getpid(), spared_sessions)
            # A process whose parent ends during the look is missed by it, but then it has become a child of ours.
            if not left and (spared_sessions or not has_children):
                return
            is_late = time.monotonic() >= until_s
            for pid in left:
                if is_late or pid not in told:
                    told.add(pid)
                    _kill(pid, signal.SIGKILL if is_late else signal.SIGTERM)
            self._drain()
            time.sleep(_STEP_S)

    def _drain(self) -> None:
        """Read on while programs end: one that blocks in writing would never see its SIGTERM through."""
        for fd, _ in self._poll.poll(0):
            if fd not in (self._control.fileno(), self._wake_fd):
                self._read_program(fd)


def _pipe(opened: list[int]) -> tuple[int, int]:
    """Open a pipe and add both its ends to `opened`."""
    ends = os.pipe()
    opened += ends
    return ends


def _become(
    argv: list[str], env: dict[str, str], cwd: str, output_fd: int, ready_fd: int | None, failure_fd: int
) -> None:
    """Turn the calling child into the program. Never returns."""
    try:
        os.setsid()
        # Only the guardian's own SIGKILL can leave programs behind; it has one thread, so the signal is right.
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.set_wakeup_fd(-1)
        for number in (*_IGNORED_BY_PYTHON, signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        null_fd = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((null_fd, 0), (output_fd, 1), (output_fd, 2)):
            os.dup2(source, target)
        if ready_fd is not None:
            os.set_inheritable(ready_fd, True)
        os.chdir(cwd)
        os.execvpe(argv[0], argv, env)  # noqa: S606 - that there is no shell is the point
    except OSError as exc:
        os.write(failure_fd, f"{exc.strerror}".encode())
    finally:
        os._exit(_EXIT_CANNOT_EXECUTE)


def _processes() -> Iterator[tuple[int, int, int]]:
    """Yield process, parent and session of all that live."""
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        try:
            with open(f"{entry.path}/stat", "rb") as file:  # noqa: PTH123 - pathlib would slow the start
                # The name in brackets may hold anything; state, parent, group and session follow the last bracket.
                fields = file.read().rpartition(b")")[2].split()
        except OSError:
            continue
        if fields and fields[0] not in (b"Z", b"X"):
            yield int(entry.name), int(fields[1]), int(fields[3])


def _has_session(session: int) -> bool:
    """Return whether any living process belongs to the session."""
    return any(other == session for _, _, other in _processes())


def _descendants(ancestor: int, spared_sessions: set[int]) -> list[int]:
    """Return all living processes below `ancestor`, but for those of the spared sessions."""
    children: dict[int, list[tuple[int, int]]] = {}
    for pid, parent, session in _processes():
        children.setdefault(parent, []).append((pid, session))
    found: list[int] = []
    pending = [ancestor]
    while pending:
        for pid, session in children.get(pending.pop(), ()):
            pending.append(pid)
            if session not in spared_sessions:
                found.append(pid)
    return found


def _kill(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def main() -> None:
    """Take over the control socket and guard until the end."""
    control_fd, directory = int(sys.argv[1]), sys.argv[2]
    os.set_inheritable(control_fd, False)
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    with socket.socket(fileno=control_fd) as control:
        Guardian(control, directory).run()


if __name__ == "__main__":
    main()
