"""Tests that need an NVIDIA GPU, skipped with the reason where there is none. `scripts/test-gpu` runs them all.

Each may note figures; GPU_FIGURES names a file of JSON that they are written to, for docs/hardware.md.
"""

import datetime as dt
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from streamer.cuda.gpu import Gpu, why_missing

_FIGURES = "GPU_FIGURES"


@pytest.fixture(scope="session", autouse=True)
def gpu() -> Gpu:
    reason = why_missing()
    if reason is not None:
        pytest.skip(f"no NVIDIA GPU: {reason}")
    return Gpu.open(0)


@pytest.fixture(scope="session")
def note(gpu: Gpu) -> Iterator[Callable[..., None]]:
    """Return what takes a name and its figures."""
    found: dict[str, Any] = {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "gpu": gpu.device.name,
        "cuda_driver": gpu.call("cuDriverGetVersion"),
    }

    def take(name: str, **figures: float | str) -> None:
        found[name] = figures

    yield take
    path = os.environ.get(_FIGURES)
    if path:
        Path(path).write_text(json.dumps(found, indent=2) + "\n")
