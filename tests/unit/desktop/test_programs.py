import os
from pathlib import Path

import pytest

from streamer.desktop import window_manager
from streamer.desktop.programs import environment, find_x_server, home, parse_command
from streamer.errors import ConfigError


@pytest.fixture
def program(tmp_path, monkeypatch):
    path = tmp_path / "tool"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return path


def test_command_is_split_as_a_shell_would(program):
    assert parse_command("tool -e 'two words' \"$HOME\" a\\ b") == (str(program), "-e", "two words", "$HOME", "a b")


def test_program_may_be_given_by_a_relative_path(program, monkeypatch):
    monkeypatch.chdir(program.parent)

    assert parse_command("./tool") == (str(program),)


def test_program_may_lie_at_home(program, monkeypatch):
    monkeypatch.setenv("HOME", str(program.parent))

    assert parse_command("~/tool x") == (str(program), "x")


@pytest.mark.usefixtures("program")
@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("", "app '' names no program"),
        ("''", "names no program"),
        ("tool 'x", "cannot be split into words: no closing quotation"),
        ("nothing -x", "there is no program 'nothing' that can be run; install it, or give its full path"),
    ],
)
def test_command_that_cannot_be_run_is_named(command, message):
    with pytest.raises(ConfigError, match=message):
        parse_command(command)


def test_file_that_is_not_executable_is_no_program(program):
    program.chmod(0o644)

    with pytest.raises(ConfigError, match="no program 'tool'"):
        parse_command("tool")


@pytest.mark.usefixtures("program")
def test_missing_x_server_names_its_package():
    with pytest.raises(ConfigError, match="apt install xvfb"):
        find_x_server()


@pytest.mark.usefixtures("program")
def test_window_manager_may_be_missing_unless_it_is_named():
    assert window_manager.find("auto") is None
    assert window_manager.find("none") is None
    with pytest.raises(ConfigError, match="apt install openbox"):
        window_manager.find("openbox")


@pytest.mark.usefixtures("program")
def test_unknown_window_manager_names_the_known_ones():
    with pytest.raises(ConfigError, match="window_manager is 'twm'; known are 'auto', 'openbox' and 'none'"):
        window_manager.find("twm")


def test_environment_is_inherited_but_for_other_displays_and_our_settings():
    inherited = {"HOME": "/h", "WAYLAND_DISPLAY": "w", "STREAMER__SERVER__TOKEN": "t", "XDG_SESSION_TYPE": "wayland"}

    found = environment(inherited, ":5", Path("/a"))

    assert found == {"HOME": "/h", "DISPLAY": ":5", "XAUTHORITY": "/a", "XDG_SESSION_TYPE": "x11"}


def test_programs_start_at_the_root_when_there_is_no_home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "missing"))

    assert home() == "/"

    monkeypatch.setenv("HOME", str(tmp_path))
    assert home() == os.fspath(tmp_path)
