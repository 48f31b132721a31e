"""A private Xvfb for tests, and a small X client that draws on it and listens to it."""

import os
import select
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

WITHOUT_XVFB = "Xvfb is not installed (apt install xvfb)"
_READY_TIMEOUT_MS = 20_000


@contextmanager
def running_xvfb(*extra: str, width_px: int = 640, height_px: int = 480, depth: int = 24) -> Iterator[str]:
    """Run an X server of that size and yield the name of its display."""
    path = shutil.which("Xvfb")
    if path is None:
        pytest.skip(WITHOUT_XVFB)
    read_fd, write_fd = os.pipe()
    argv = [path, "-displayfd", str(write_fd), "-screen", "0", f"{width_px}x{height_px}x{depth}"]
    # -r: a key that a slow test holds for long shall not be repeated.
    argv += ["-nolisten", "tcp", "-noreset", "-s", "0", "-r", "-extension", "GLX", *extra]
    with subprocess.Popen(argv, pass_fds=[write_fd], stderr=subprocess.DEVNULL) as process:
        try:
            os.close(write_fd)
            yield ":" + _read_line(read_fd)
        finally:
            os.close(read_fd)
            process.terminate()


@pytest.fixture
def xvfb() -> Iterator[str]:
    with running_xvfb() as display:
        yield display


def wait_for(condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
    """Look again and again until the condition holds; fail after `timeout_s`."""
    until_s = time.monotonic() + timeout_s
    nobody = select.poll()
    while not condition():
        if time.monotonic() > until_s:
            pytest.fail(f"not true after {timeout_s} s")
        nobody.poll(5)


def _read_line(fd: int) -> str:
    line = b""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    while not line.endswith(b"\n"):
        if not poll.poll(_READY_TIMEOUT_MS):
            pytest.fail("Xvfb did not start")
        part = os.read(fd, 64)
        if not part:
            pytest.fail("Xvfb ended at once")
        line += part
    return line.decode().strip()
