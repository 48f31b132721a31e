"""Pictures in real device memory, through the real PyNvVideoCodec: into the GPU's encoder, or into a substitute of it.

Many GPUs for computing have no encoder. There, the encode library alone is substituted; the driver is the real one.
"""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gpu.encode_pushed import VALUES
from tests.nvidia_driver import build

REPOSITORY = Path(__file__).parents[2]


def environment(engine):
    if engine == "own":
        return dict(os.environ)
    if reason := build.why_unavailable():
        pytest.skip(reason)
    folders = [str(build.libraries().encode), os.environ.get("LD_LIBRARY_PATH", "")]
    return {**os.environ, "LD_LIBRARY_PATH": os.pathsep.join(filter(None, folders))}


@pytest.mark.parametrize("library", ["torch", "dlpack"])
@pytest.mark.parametrize("engine", ["own", "substitute"])
def test_picture_is_encoded_without_a_copy_to_the_host(note, engine, library):
    if importlib.util.find_spec("PyNvVideoCodec") is None:
        pytest.skip("PyNvVideoCodec is not installed")
    if library == "torch":
        pytest.importorskip("torch")

    done = subprocess.run(
        [sys.executable, "-m", "tests.gpu.encode_pushed", library],
        env=environment(engine),
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )

    if engine == "own" and "Unavailable" in done.stderr:
        reason = done.stderr.strip().splitlines()[-1]
        note("encoder", unavailable=reason)
        pytest.skip(f"this GPU does not encode: {reason}")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["host_copies"] == 0
    assert found["means"] == pytest.approx(VALUES, abs=3)
