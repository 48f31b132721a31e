"""Keep what proofs found out, in the user's cache folder: one small file for each key.

A file that cannot be read is as good as none, and one that cannot be written costs a trial at the next start.
"""

import contextlib
import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

_FOLDER, _PREFIX = "render-streamer", "proof-"


def load(key: str) -> dict[str, Any] | None:
    """Return what was stored under the key, None if that is nothing or broken."""
    try:
        content = json.loads(_path(key).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    # Names of files are short: the key itself decides.
    if not isinstance(content, dict) or content.get("key") != key or not isinstance(content.get("value"), dict):
        return None
    value: dict[str, Any] = content["value"]
    return value


def store(key: str, value: dict[str, Any]) -> None:
    """Write at once or not at all, whoever else writes."""
    with contextlib.suppress(OSError):
        path = _path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump({"key": key, "value": value}, file)
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)


def clear() -> None:
    """Forget everything: what a driver did once it may not do any more."""
    with contextlib.suppress(OSError):
        for path in _folder().glob(f"{_PREFIX}*"):
            path.unlink(missing_ok=True)


def _path(key: str) -> Path:
    return _folder() / f"{_PREFIX}{hashlib.sha256(key.encode()).hexdigest()[:16]}.json"


def _folder() -> Path:
    # XDG Base Directory Specification: a path that is not absolute is to be ignored.
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if named.is_absolute():
        return named / _FOLDER
    try:
        return Path.home() / ".cache" / _FOLDER
    except RuntimeError as exc:
        # Users of containers may have neither a name nor a home.
        raise FileNotFoundError(str(exc)) from exc
