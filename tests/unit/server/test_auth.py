import logging
from pathlib import Path

import pytest

from streamer.config import ServerConfig
from streamer.errors import AuthError, ConfigError
from streamer.server.auth import Gate, read_token

TOKEN = "0123456789abcdef"


def test_gate_without_a_token_lets_everybody_in() -> None:
    Gate(None).check(None)
    Gate(None).check("anything")


def test_gate_lets_the_bearer_in() -> None:
    Gate(TOKEN).check(TOKEN)


@pytest.mark.parametrize("token", [None, "", " ", TOKEN[:-1], TOKEN + "\n", "\udcff" * 16])
def test_gate_keeps_everybody_else_out(token: str | None) -> None:
    with pytest.raises(AuthError) as caught:
        Gate(TOKEN).check(token)

    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("content", [TOKEN, TOKEN + "\n", f"  {TOKEN}\r\nsecond line\n"])
def test_token_file_holds_the_token_in_its_first_line(tmp_path: Path, content: str) -> None:
    file = tmp_path / "token"
    file.write_text(content)
    file.chmod(0o600)

    assert read_token(ServerConfig(token_file=file)) == TOKEN


@pytest.mark.parametrize("content", [b"", b"\n" + TOKEN.encode(), b"short\n", b"\xff" * 20, b"x" * 15])
def test_token_file_without_a_token_is_an_error_that_does_not_quote_it(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)

    with pytest.raises(ConfigError, match="its first line is no token") as caught:
        read_token(ServerConfig(token_file=file))
    assert "short" not in str(caught.value)


def test_token_file_that_others_can_read_is_mentioned(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN)
    file.chmod(0o644)

    with caplog.at_level(logging.WARNING):
        read_token(ServerConfig(token_file=file))

    assert "chmod 600" in caplog.text


def test_there_is_no_token_unless_one_is_configured() -> None:
    assert read_token(ServerConfig()) is None
