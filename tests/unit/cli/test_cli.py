import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from streamer import cli, registry
from streamer.config import Config, keys
from streamer.errors import ConfigError, EncoderError, StreamerError, Unavailable
from streamer.settings import load, rows


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.commands, arguments, prog_name="streamer")


def test_config_shows_every_key_with_its_value_and_origin() -> None:
    result = _run("config", "--json", "--set", "video.max_target_bps=40M")

    shown = json.loads(result.stdout)
    assert result.exit_code == 0
    assert set(keys()) <= set(shown)
    assert shown["video.max_target_bps"] == {"value": 40_000_000, "origin": "--set"}


def test_config_says_which_profile_a_value_came_from() -> None:
    shown = json.loads(_run("config", "--json", "--profile", "game").stdout)

    assert shown["video.max_target_bps"]["origin"] == "profile game"


def test_config_prints_a_table_of_whole_lines() -> None:
    lines = _run("config").stdout.splitlines()

    assert len(lines) == len(list(rows(load(environment={})))) + 1
    assert any(line.split()[:2] == ["video.start_target_bps", "3000000"] for line in lines)


def test_config_does_not_show_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMER__SERVER__TOKEN", "0123456789abcdef")

    assert "0123456789abcdef" not in _run("config").stdout + _run("config", "--json").stdout


@pytest.mark.parametrize("kind", ["sources", "converters", "encoders", "inputs"])
def test_devices_shows_every_backend_and_why_it_cannot_run(kind: str) -> None:
    entries = [entry for entry in json.loads(_run("devices", "--json").stdout) if entry["kind"] == kind]
    table = _run("devices").stdout

    assert [entry["name"] for entry in entries] == registry.names(kind)
    assert all(entry["is_available"] == (entry["why_unavailable"] is None) for entry in entries)
    assert all(entry["name"] in table for entry in entries)


def test_devices_shows_what_an_encoder_can_make() -> None:
    entries = {entry["name"]: entry for entry in json.loads(_run("devices", "--json").stdout)}

    assert entries["software"]["codecs"] == ["h264", "vp8", "h265", "av1"]
    assert entries["demo"]["codecs"] == []
    assert "yes: h264, vp8, h265, av1" in _run("devices").stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--size", "3x3"], "session.size = '3x3' (--size)"),
        (["--port", "70000"], "server.port = '70000' (--port)"),
        (["--set", "video.max_target_bsp=1"], "did you mean video.max_target_bps?"),
        (["--set", "nonsense"], "SECTION.KEY=VALUE"),
        (["--start-target-bps", "fast"], "video.start_target_bps = 'fast' (--start-target-bps)"),
        (["--start-target-bps", "5m"], "accepted: 64000 to 1000000000, also written like 300k, 5M or 1G"),
        (["--codec", "h264", "--codec", "mpeg"], "video.codecs = 'mpeg' (--codec)"),
        (["--profile", "none"], "no profile is called 'none'"),
        (["--config", "/nonexistent/file.toml"], "'/nonexistent/file.toml'"),
        (["--token", "short"], "server.token (--token)"),
        (["--app", "xterm", "--source", "demo"], "app needs the source 'screen', not 'demo'"),
        (["--app", "xterm", "--display", ":0"], "--display and --app exclude each other"),
        (["--display", ":0", "--source", "demo"], "--display needs the source 'screen', not 'demo'"),
        (["--source", "callback"], "session.source = 'callback' (--source): a program of yours"),
        (["--set", "session.source=callback"], "(--set): a program of yours has to push its pictures; streamer.Stream"),
    ],
)
def test_mistake_is_one_line_and_status_2(arguments: list[str], message: str) -> None:
    result = _run("serve", *arguments)

    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.startswith("streamer: ")
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ConfigError("the display ':7' is not there"), 2),
        (EncoderError("software", "it broke"), 1),
        (StreamerError("something"), 1),
    ],
)
def test_errors_become_a_line_and_a_status(monkeypatch: pytest.MonkeyPatch, error: StreamerError, status: int) -> None:
    def fail(config: Config) -> None:  # noqa: ARG001 - takes the place of `run`
        raise error

    monkeypatch.setattr("streamer.serve.run", fail)

    result = _run("serve")

    assert (result.exit_code, result.stderr) == (status, f"streamer: {error}\n")


_DOCTOR = "`streamer doctor` with the same options says what is missing"


@pytest.mark.parametrize(
    ("arguments", "refused", "expected"),
    [
        ([], "xtest", f"xtest: it is not there; {_DOCTOR}"),
        (["--source", "screen"], "screen", f"session.source = 'screen' (--source): it is not there; {_DOCTOR}"),
        (
            ["--encoder", "nvenc"],
            "nvenc",
            f"video.encoder = 'nvenc' (--encoder): it is not there; auto takes what can run here, and {_DOCTOR}",
        ),
    ],
    ids=["nobody-asked", "without-auto", "with-auto"],
)
def test_backend_that_cannot_run_here_is_named_with_its_key_and_the_way_out(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], refused: str, expected: str
) -> None:
    def refuse(config: Config) -> None:  # noqa: ARG001 - as above
        raise Unavailable(refused, "it is not there")

    monkeypatch.setattr("streamer.serve.run", refuse)

    result = _run("serve", *arguments)

    assert (result.exit_code, result.stderr) == (2, f"streamer: {expected}\n")


def test_display_means_the_screen_source(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Config] = []
    monkeypatch.setattr("streamer.serve.run", seen.append)

    result = _run("serve", "--display", ":7")

    assert result.exit_code == 0, result.output
    assert (seen[0].session.source, seen[0].sources) == ("screen", {"screen": {"display": ":7"}})


def test_gpu_is_that_of_either_nvidia_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Config] = []
    monkeypatch.setattr("streamer.serve.run", seen.append)

    result = _run("serve", "--gpu", "2")

    assert result.exit_code == 0
    assert seen[0].encoders == {"nvenc": {"gpu": "2"}, "nvenc_av": {"gpu": "2"}}


def test_flags_reach_their_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[Config] = []
    monkeypatch.setattr("streamer.serve.run", seen.append)
    # fmt: off
    arguments = [
        "--app", "xterm -fa Monospace", "--size", "640x480", "--fps", "30", "--max-viewers", "2",
        "--host", "0.0.0.0", "--port", "0", "--token-file", str(tmp_path / "token"), "--insecure",
        "--tls-certificate", "c.pem", "--tls-key", "k.pem",
        "--start-target-bps", "9M", "--min-target-bps", "300k", "--max-target-bps", "20M",
        "--codec", "vp8", "--codec", "h264", "--encoder", "software", "--converter", "swscale",
        "--log-level", "debug", "--set", "input.is_enabled=false",
    ]
    # fmt: on

    result = _run("serve", *arguments)

    assert result.exit_code == 0, result.output
    config = seen[0]
    assert (config.session.app, config.session.source) == ("xterm -fa Monospace", "screen")
    assert (str(config.session.size), config.session.fps, config.session.max_viewers) == ("640x480", 30, 2)
    assert (config.server.host, config.server.port, config.server.is_insecure) == ("0.0.0.0", 0, True)
    assert config.server.token_file == tmp_path / "token"
    assert (config.server.tls_certificate, config.server.tls_key) == (Path("c.pem"), Path("k.pem"))
    video = config.video
    assert (video.start_target_bps, video.min_target_bps, video.max_target_bps) == (9_000_000, 300_000, 20_000_000)
    assert (video.codecs, video.encoder, video.converter) == (("vp8", "h264"), "software", "swscale")
    assert (config.log.level, config.input.is_enabled) == ("debug", False)


def test_help_names_every_flag_with_its_default() -> None:
    text = _run("serve", "--help").stdout

    assert [flag for flag, _, _ in cli._FLAGS if flag not in text] == []
    assert "[3000000]" in text


def test_bench_without_its_packages_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name="playwright")

    monkeypatch.setattr(cli.importlib, "import_module", refuse)

    result = _run("bench", "latency")

    assert result.exit_code == 2
    assert "pip install '.[bench]'" in result.stderr


def test_bench_refuses_an_unknown_measurement() -> None:
    result = _run("bench", "nothing")

    assert result.exit_code == 2
    assert "No such command 'nothing'" in result.stderr


def test_bench_help_imports_no_measurement() -> None:
    result = _run("bench", "--help")

    assert "latency" in result.stdout
    assert result.exit_code == 0


@pytest.mark.parametrize("library", ["aiortc", "aiohttp", "av", "numpy", "rich"])
def test_help_imports_nothing_heavy(library: str) -> None:
    code = (
        "import sys\nfrom streamer.cli import commands\n"
        "try:\n    commands(['serve', '--help'])\nexcept SystemExit:\n    pass\n"
        f"sys.exit({library!r} in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0


def test_module_runs_as_the_command() -> None:
    result = subprocess.run([sys.executable, "-m", "streamer", "--version"], check=True, capture_output=True, text=True)

    assert result.stdout.startswith("streamer, version ")


def test_help_names_the_profiles() -> None:
    assert "desktop, game" in _run("serve", "--help").stdout
