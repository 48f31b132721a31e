import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def _serving(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-u", "-m", "streamer", "serve", "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if match := re.search(r"Open (\S+) in a browser", line):
            return match[1]
    raise AssertionError("the server printed no address")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_server_prints_its_address_and_encoder_and_stops_cleanly(number: signal.Signals) -> None:
    with _serving() as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        address = _address(process)
        with urllib.request.urlopen(f"{address}healthz") as response:
            status = response.status
        process.send_signal(number)
        _, errors = process.communicate(timeout=10)

    assert re.match(r"Streaming demo, 1280x720 at 60 fps: h264 (and vp8 )?by ", first)
    assert status == 200
    assert (process.returncode, "Traceback" in errors) == (0, False)


def test_token_is_in_the_printed_link_and_in_no_log() -> None:
    token = "0123456789abcdef"

    with _serving("--set", f"server.token={token}", "--log-level", "debug") as process:
        address = _address(process)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=10)

    assert address.endswith(f"/#token={token}")
    assert token not in errors


def test_taken_port_ends_before_anything_is_opened() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with _serving("--port", str(port), "--app", "xterm") as process:
            output, errors = process.communicate(timeout=10)

    assert process.returncode == 2
    assert errors.startswith(
        f"streamer: server.port = {port}: it is taken on 127.0.0.1; choose another one with --port"
    )
    assert errors.count("\n") == 1
    assert output == ""


@pytest.mark.parametrize(
    ("arguments", "quoted"),
    [
        (["--source", "screen", "--display", ":9999"], ":9999"),
        (["--app", "no-such-program --flag"], "no-such-program"),
        (["--host", "0.0.0.0"], "0.0.0.0"),
        (["--source", "prepared", "--set", "sources.prepared.path=/nonexistent/clip.mp4"], "/nonexistent/clip.mp4"),
    ],
)
def test_what_is_missing_is_one_line_that_names_it(arguments: list[str], quoted: str) -> None:
    with _serving(*arguments) as process:
        output, errors = process.communicate(timeout=20)

    assert (process.returncode, output) == (2, "")
    assert quoted in errors
    assert errors.startswith("streamer: ")
    assert errors.count("\n") == 1
