"""What is done with CUDA, over the substitute driver, in a process of its own: that is when a driver is looked for."""

import importlib.util
import xml.etree.ElementTree as ET

import pytest

from tests.nvidia_driver import build
from tests.nvidia_driver.driver import NvidiaDriver

pytestmark = [
    pytest.mark.skipif(build.why_unavailable() is not None, reason=str(build.why_unavailable())),
    pytest.mark.skipif(
        importlib.util.find_spec("cuda") is None or importlib.util.find_spec("cuda.core") is None,
        reason="cuda.core is not installed (pip install 'render-streamer[cuda]')",
    ),
]
LEAST = 90


def test_driver_without_a_gpu_is_not_taken_for_none():
    ended = NvidiaDriver(devices=0).run_python("-c", "from streamer.cuda.gpu import why_missing; print(why_missing())")

    assert ended.stdout.startswith("the NVIDIA driver says CUDA_ERROR_NO_DEVICE"), ended.stderr


def test_cuda_frames_over_the_substitute_driver(tmp_path):
    report = tmp_path / "report.xml"
    driver = NvidiaDriver(devices=2, log=tmp_path / "calls.jsonl", copies=tmp_path / "copies.jsonl")

    ended = driver.run_python(
        "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider", f"--junit-xml={report}", "tests/cuda"
    )

    assert ended.returncode == 0, f"{ended.stdout[-8000:]}{ended.stderr[-2000:]}"
    cases = list(ET.parse(report).iter("testcase"))
    assert [case.get("name") for case in cases if case.find("skipped") is not None] == []
    assert len(cases) >= LEAST
