"""The commands that answer and end: their JSON, and their help."""

import json

import pytest

from streamer import registry
from tests.fakes.program import run_streamer


def test_devices_as_json_names_every_backend_and_why_one_is_missing() -> None:
    ended = run_streamer("devices", "--json")

    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    kinds = ("sources", "converters", "encoders", "inputs")
    assert {(each["kind"], each["name"]) for each in found} == {
        (kind, name) for kind in kinds for name in registry.names(kind)
    }
    for each in found:
        assert each["is_available"] == (each["why_unavailable"] is None)


def test_config_as_json_tells_values_and_where_they_came_from() -> None:
    ended = run_streamer("config", "--json", "--set", "session.fps=30")

    assert ended.returncode == 0, ended.stderr
    rows = json.loads(ended.stdout)
    assert rows["session.fps"]["value"] == 30
    assert "set" in rows["session.fps"]["origin"]
    assert rows["session.size"]["value"] == "1280x720"


def test_config_does_not_tell_secrets() -> None:
    ended = run_streamer("config", "--json", "--set", "server.token=correct-horse-battery-staple-7")

    assert ended.returncode == 0, ended.stderr
    assert "correct-horse" not in ended.stdout


@pytest.mark.parametrize(
    "command",
    [
        *((), ("serve",), ("devices",), ("config",), ("bench",)),
        *(("bench", name) for name in ("latency", "send", "soak", "start")),
    ],
    ids=lambda command: " ".join(command) or "streamer",
)
def test_every_command_explains_itself(command: tuple[str, ...]) -> None:
    ended = run_streamer(*command, "--help")

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("Usage: ")
    assert ended.stderr == ""
