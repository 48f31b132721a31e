"""Find the programs of a private desktop before anything is started, and the environment they run in."""

import os
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path

from streamer.errors import ConfigError

# A program that finds one of these draws somewhere else, or talks to who started the server.
_NOT_INHERITED = ("WAYLAND_DISPLAY", "WAYLAND_SOCKET", "DESKTOP_STARTUP_ID", "XDG_ACTIVATION_TOKEN", "NOTIFY_SOCKET")
# Settings of the server may hold its token.
_OWN_PREFIX = "STREAMER__"


def find_x_server() -> str:
    """Return the path of Xvfb.

    Raises:
        ConfigError: it is not installed.
    """
    path = shutil.which("Xvfb")
    if path is None:
        raise ConfigError("a private desktop needs 'Xvfb', which is not on PATH; install it (apt install xvfb)")
    return path


def parse_command(command: str) -> tuple[str, ...]:
    """Split a command line into words, the first of which is the path of a program. No shell is involved.

    Raises:
        ConfigError: it is empty, its quotes do not match, or there is no such program.
    """
    try:
        words = shlex.split(command)
    except ValueError as exc:
        raise ConfigError(f"app {command!r} cannot be split into words: {str(exc).lower()}") from exc
    if not words or not words[0]:
        raise ConfigError(f"app {command!r} names no program")
    program = Path(words[0]).expanduser()
    path = shutil.which(program)
    if path is None:
        raise ConfigError(
            f"app {command!r}: there is no program {words[0]!r} that can be run; install it, or give its full path"
        )
    return (os.path.abspath(path), *words[1:])  # noqa: PTH100 - symbolic links are kept: some programs look at theirs


def environment(inherited: Mapping[str, str], display: str, xauthority: Path) -> dict[str, str]:
    """Return the environment of a program on a private desktop."""
    kept = {
        name: value
        for name, value in inherited.items()
        if name not in _NOT_INHERITED and not name.startswith(_OWN_PREFIX)
    }
    return kept | {"DISPLAY": display, "XAUTHORITY": str(xauthority), "XDG_SESSION_TYPE": "x11"}


def home() -> str:
    """Return the directory that programs start in."""
    path = Path("~").expanduser()
    return str(path) if path.is_dir() else "/"
