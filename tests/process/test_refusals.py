"""What cannot be done is one line that names the value and the way out, and exit status 2."""

import os
import shutil
import socket
from pathlib import Path

import pytest

from tests.fakes.program import run_streamer

_IMPOSSIBLE = 2


def refusal(*arguments: str, environment: dict[str, str] | None = None) -> str:
    """Return the one line of a command that refuses."""
    ended = run_streamer(*arguments, environment=environment)
    assert ended.returncode == _IMPOSSIBLE, ended.stderr
    assert ended.stderr.count("\n") == 1, ended.stderr
    assert ended.stderr.startswith("streamer: ")
    return ended.stderr


def test_missing_program_is_named() -> None:
    line = refusal("serve", "--port", "0", "--app", "no-such-program --with arguments")

    assert "'no-such-program'" in line
    assert "install it" in line


def test_taken_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        line = refusal("serve", "--port", str(port))

    assert str(port) in line
    assert "--port" in line or "server.port" in line


def test_wrong_key_of_a_file_is_answered_with_the_nearest_one(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("[session]\nsiez = '640x360'\n")

    line = refusal("serve", "--config", str(file))

    assert "session.siez" in line
    assert "session.size" in line
    assert str(file) in line


def test_wrong_value_of_the_environment_is_named() -> None:
    line = refusal("serve", environment={**os.environ, "STREAMER__SESSION__FPS": "fast"})

    assert "'fast'" in line
    assert "STREAMER__SESSION__FPS" in line


@pytest.mark.skipif(shutil.which("Xvfb") is None, reason="no X display has a meaning here")
def test_display_that_is_not_there_is_named() -> None:
    # The highest number that an X display can have on a machine's own sockets is far below.
    line = refusal("serve", "--port", "0", "--source", "screen", "--display", ":59999")

    assert "':59999'" in line


def test_unknown_source_is_named_with_those_there_are() -> None:
    line = refusal("serve", "--port", "0", "--source", "pattren")

    assert "'pattren'" in line
    assert "pattern" in line


def test_other_address_without_a_token_is_refused() -> None:
    line = refusal("serve", "--port", "0", "--host", "0.0.0.0")

    assert "0.0.0.0" in line
    assert "token" in line
