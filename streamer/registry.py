"""From a name to a backend module: ours by file name, third-party ones by entry point.

A plural folder is open: one file is one backend, and its file name is its configuration name. A third-party package
adds one with an entry point in the group `streamer.<folder>`; the entry point loads a module of the same shape.
"""

import contextlib
import difflib
import functools
import importlib
import pkgutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from streamer.errors import ConfigError, Unavailable

KINDS = ("codecs", "sources", "converters", "encoders", "inputs")
_CONTRACT_FILE = "base"


@dataclass(frozen=True, slots=True)
class Availability:
    """One backend and why it cannot run here, or None if it can."""

    kind: str
    name: str
    why_unavailable: str | None


@functools.cache
def third_party(kind: str) -> dict[str, EntryPoint]:
    """Return the backends that other packages bring. They are looked for once, since that takes milliseconds."""
    return {point.name: point for point in entry_points(group=f"streamer.{kind}")}


def names(kind: str) -> list[str]:
    """Return the names of all backends of a kind, sorted; nothing is imported but the folder itself."""
    return sorted(_ours(kind) | set(third_party(kind)))


@functools.cache
def _ours(kind: str) -> frozenset[str]:
    folder = importlib.import_module(f"streamer.{kind}")
    found = {module.name for module in pkgutil.iter_modules(folder.__path__)} - {_CONTRACT_FILE}
    return frozenset(name for name in found if not name.startswith("_"))


def load(kind: str, name: str) -> ModuleType:
    """Import the backend module `name`.

    Raises:
        ConfigError: there is no such backend; the message suggests the nearest name.
        Unavailable: the package that brings it fails.
    """
    known = names(kind)
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}"
        raise ConfigError(f"no {kind} backend is called {name!r}; {hint}")
    point = third_party(kind).get(name)
    if point is None:
        return importlib.import_module(f"streamer.{kind}.{name}")
    with _foreign(name):
        module: ModuleType = point.load()
    return module


def load_callable(name: str, setting: str) -> Callable[..., Any]:
    """Return what `module:attribute` names; `setting` says where the name stands.

    As other programs that are told a module do: a file of the folder that one works in is found.

    Raises:
        ConfigError: there is no such module or attribute, or it cannot be called.
    """
    module, _, attribute = name.partition(":")
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as exc:
        raise ConfigError(f"{setting} {name!r}: {exc}") from exc
    if not callable(found):
        raise ConfigError(f"{setting} {name!r}: it cannot be called")
    called: Callable[..., Any] = found
    return called


def availability(kind: str) -> list[Availability]:
    """Ask every backend of a kind whether it can run here."""
    return [Availability(kind, name, why_unavailable(kind, name)) for name in names(kind)]


def why_unavailable(kind: str, name: str) -> str | None:
    """Return why a backend cannot run here, or None if it can."""
    try:
        probe = getattr(load(kind, name), "why_unavailable", None)
        with _foreign(name) if name in third_party(kind) else contextlib.nullcontext():
            reason: str | None = probe() if probe is not None else None
    except ImportError as exc:
        return f"a package is missing: {exc}"
    except Unavailable as exc:
        return exc.reason
    return reason


@contextlib.contextmanager
def _foreign(name: str) -> Iterator[None]:
    """Let what a third-party backend raises be the reason why it is of no use: it is not ours to be right."""
    try:
        yield
    except ImportError:
        raise
    except Exception as exc:
        raise Unavailable(name, f"its package fails with {type(exc).__name__}: {exc}") from exc


def choose(kind: str, preference: Sequence[str]) -> tuple[str, ModuleType, list[Availability]]:
    """Return the first backend of `preference` that can run here, and those passed over with their reasons.

    Raises:
        Unavailable: none of them can.
    """
    passed_over: list[Availability] = []
    for name in preference:
        reason = why_unavailable(kind, name)
        if reason is None:
            return name, load(kind, name), passed_over
        passed_over.append(Availability(kind, name, reason))
    reasons = "; ".join(f"{entry.name}: {entry.why_unavailable}" for entry in passed_over)
    raise Unavailable(kind, f"none of {', '.join(preference)} can run here ({reasons})")
