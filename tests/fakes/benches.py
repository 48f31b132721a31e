"""`streamer bench` as a user runs it, in a process of its own, and what it writes down."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

# Below the limit of a test, so that what the bench has said until then is seen.
_LIMIT_S = 110


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a bench until it ends by itself."""
    command = [sys.executable, "-m", "streamer", "bench", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=_LIMIT_S)


def result_of(file: Path, *arguments: str) -> dict[str, Any]:
    """Run a bench that must not fail, and return the result that it wrote to the file."""
    finished = bench(*arguments, "--json", str(file))
    assert finished.returncode == 0, finished.stderr
    assert "figure" in finished.stdout
    assert "bench: " in finished.stderr
    result: dict[str, Any] = json.loads(file.read_text())
    assert 0 <= result["others_ratio"] <= 1
    assert 0 <= result["idle_ratio"] <= 1
    assert isinstance(result["trusted"], bool)
    assert result["trusted"] == (not result["distrust"])
    return result
