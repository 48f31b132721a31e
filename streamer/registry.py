"""From a name to a backend module: ours by file name, third-party ones by entry point.

A plural folder is open: one file is one backend, and its file name is its configuration name. A third-party package
adds one with an entry point in the group `streamer.<folder>`; the entry point loads a module of the same shape.
"""

import difflib
import importlib
import pkgutil
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from types import ModuleType

from streamer.errors import ConfigError, Unavailable

KINDS = ("codecs", "sources", "converters", "encoders", "inputs")
_CONTRACT_FILE = "base"


@dataclass(frozen=True, slots=True)
class Availability:
    """One backend and why it cannot run here, or None if it can."""

    kind: str
    name: str
    why_unavailable: str | None


def names(kind: str) -> list[str]:
    """Return the names of all backends of a kind, sorted; nothing is imported but the folder itself."""
    folder = importlib.import_module(f"streamer.{kind}")
    ours = {module.name for module in pkgutil.iter_modules(folder.__path__)} - {_CONTRACT_FILE}
    public = {name for name in ours if not name.startswith("_")}
    return sorted(public | {point.name for point in entry_points(group=f"streamer.{kind}")})


def load(kind: str, name: str) -> ModuleType:
    """Import the backend module `name`.

    Raises:
        ConfigError: there is no such backend; the message suggests the nearest name.
    """
    known = names(kind)
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}"
        raise ConfigError(f"no {kind} backend is called {name!r}; {hint}")
    for point in entry_points(group=f"streamer.{kind}"):
        if point.name == name:
            module: ModuleType = point.load()
            return module
    return importlib.import_module(f"streamer.{kind}.{name}")


def availability(kind: str) -> list[Availability]:
    """Ask every backend of a kind whether it can run here."""
    return [Availability(kind, name, why_unavailable(kind, name)) for name in names(kind)]


def why_unavailable(kind: str, name: str) -> str | None:
    """Return why a backend cannot run here, or None if it can."""
    try:
        module = load(kind, name)
    except ImportError as exc:
        return f"a package is missing: {exc}"
    probe = getattr(module, "why_unavailable", None)
    reason: str | None = probe() if probe is not None else None
    return reason


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
