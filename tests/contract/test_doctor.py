"""What `streamer doctor` says of drivers, over the substitute NVIDIA driver: each sentence as a user reads it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from streamer import registry
from streamer.doctor import choice, driver, encoders, gpu
from streamer.encoders import _nvenc_library
from tests.fakes.doctor import lines, make_case
from tests.nvidia_driver import build
from tests.nvidia_driver.driver import Fault, NvidiaDriver

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(build.why_unavailable() is not None, reason=str(build.why_unavailable())),
    pytest.mark.skipif(_nvenc_library.why_missing() is not None, reason=str(_nvenc_library.why_missing())),
]
H200 = "NVIDIA H200"
NO_ENCODER = (
    "this GPU has no video encoder (datacenter GPUs such as A100, H100 and H200 have none; "
    "NVIDIA's Video Encode Support Matrix lists those that do)"
)
NO_SESSION = (
    "the driver gives no further encoding session: GeForce drivers allow only so many at a time for the whole machine; "
    "end another program that encodes (nvidia-smi shows them)"
)
NO_LIBRARY = (
    "the driver's video encoding library libnvidia-encode.so.1 cannot be loaded (in a container, start it with "
    "NVIDIA_DRIVER_CAPABILITIES=compute,video,utility; else install the driver's encode package)"
)
CODECS = "h264 up to 4096x4096, h265 up to 8192x8192 (this GPU does not encode av1)"
CRASHED = "crashed with signal 11 (SIGSEGV): the driver or its library is broken"
LOST = "the GPU was lost or its driver restarted: the kernel's log (Xid messages) says why"


@pytest.fixture
def examine(monkeypatch, tmp_path):
    """Examine driver and GPU, and return the lines and the findings."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def run(installed, **sections):
        for name, value in installed.environment().items():
            monkeypatch.setenv(name, value)
        case = make_case(tmp_path, **sections)
        asked = driver.examine(case)
        findings = [*asked.findings, *gpu.examine(case, asked)]
        assert all(finding.advice for finding in findings if finding.mark == "problem")
        return case, lines(*findings)

    return run


def test_good_driver_is_described(examine):
    _, found = examine(NvidiaDriver())

    assert found["driver.cuda"] == ("ok", "the driver knows CUDA 13.0")
    assert found["driver.nvenc_api"] == ("ok", "the driver offers NVENC API 13.0; PyNvVideoCodec needs 12.1")
    assert found["gpu.0"][1].startswith("GPU 0: Substitute GPU, 8.0 GiB, 00000000-")
    assert found["gpu.engine"] == ("ok", f"GPU 0 (Substitute GPU) encodes {CODECS}")
    assert found["gpu.sessions"] == ("ok", "GPU 0 (Substitute GPU) gives 8 encoding sessions")


@pytest.mark.parametrize(
    ("installed", "sections", "name", "line"),
    [
        pytest.param(
            NvidiaDriver(has_encode_library=False), {}, "driver.nvenc_api", ("problem", NO_LIBRARY), id="no-library"
        ),
        pytest.param(
            NvidiaDriver(has_encode_library=False),
            {"video": {"encoder": "software"}},
            "driver.nvenc_api",
            ("note", NO_LIBRARY),
            id="no-library-wanted",
        ),
        pytest.param(
            NvidiaDriver(has_engine=False, device_name=H200),
            {},
            "gpu.engine",
            ("note", f"GPU 0 ({H200}): {NO_ENCODER}"),
            id="no-engine",
        ),
        pytest.param(
            NvidiaDriver(has_engine=False, device_name=H200),
            {"video": {"encoder": "nvenc"}},
            "gpu.engine",
            ("problem", f"GPU 0 ({H200}): {NO_ENCODER}"),
            id="no-engine-asked-for",
        ),
        pytest.param(
            NvidiaDriver(api="12.0"),
            {},
            "driver.nvenc_api",
            ("problem", "the driver offers NVENC API 12.0; PyNvVideoCodec needs 12.1: the driver is too old"),
            id="too-old",
        ),
        pytest.param(
            NvidiaDriver(api="12.1"),
            {},
            "driver.nvenc_api",
            ("ok", "the driver offers NVENC API 12.1; PyNvVideoCodec needs 12.1"),
            id="old",
        ),
        pytest.param(
            NvidiaDriver(sessions=0),
            {},
            "gpu.engine",
            ("problem", f"GPU 0 (Substitute GPU): {NO_SESSION}"),
            id="no-session",
        ),
        pytest.param(
            NvidiaDriver(sessions=1),
            {},
            "gpu.sessions",
            ("note", "GPU 0 (Substitute GPU) gives 1 encoding session"),
            id="one-session",
        ),
        pytest.param(
            NvidiaDriver(faults=(Fault(call="get_encode_caps", effect="crash"),)),
            {},
            "gpu.engine",
            ("problem", f"GPU 0 (Substitute GPU): the examination {CRASHED}"),
            id="crash-at-question",
        ),
        pytest.param(
            NvidiaDriver(),
            {"encoders": {"nvenc": {"gpu": 5}}},
            "gpu.engine",
            ("problem", "GPU 5 is asked for, but there is 1 GPU, number 0"),
            id="no-such-gpu",
        ),
    ],
)
def test_driver_is_described_by_a_sentence(examine, installed, sections, name, line):
    _, found = examine(installed, **sections)

    assert found[name] == line


def test_second_gpu_is_the_one_that_is_examined(examine):
    _, found = examine(NvidiaDriver(devices=2), encoders={"nvenc": {"gpu": 1}})

    assert {"gpu.0", "gpu.1"} <= set(found)
    assert found["gpu.engine"] == ("ok", f"GPU 1 (Substitute GPU) encodes {CODECS}")


def test_chosen_encoder_that_loses_its_gpu_is_a_problem(examine, monkeypatch):
    # The proof's thirty pictures go well.
    case, _ = examine(NvidiaDriver(faults=(Fault(call="encode_picture", nth=100, effect="device_lost"),)))

    monkeypatch.setattr(registry, "names", lambda _: ["nvenc"])

    chosen, _ = choice.examine(case)
    found = encoders.examine(case, chosen)

    assert chosen == {"h264": "nvenc"}
    assert lines(*found)["encoders.nvenc.h264"] == ("problem", f"nvenc, h264: {LOST}")


def test_software_is_chosen_where_encoding_crashes(examine):
    case, asked = examine(NvidiaDriver(faults=(Fault(call="encode_picture", effect="crash"),)))

    chosen, found = choice.examine(case)

    assert chosen == {"h264": "software"}
    sentence = f"GPU 0 (Substitute GPU) gives no encoding session: its proof {CRASHED}"
    assert asked["gpu.sessions"] == ("problem", sentence)
    reason = f"it is the first that can (nvenc and nvenc_av: its proof {CRASHED})"
    assert lines(*found)["choice.h264"] == ("ok", f"h264 at 320x192 and 60 fps: software, because {reason}")


def test_encoder_that_is_asked_for_and_not_there_leaves_nothing(examine):
    case, _ = examine(NvidiaDriver(has_engine=False), video={"encoder": "nvenc", "codecs": ["h264"]})

    chosen, found = choice.examine(case)

    assert chosen == {}
    assert lines(*found)["choice.h264"] == (
        "problem",
        f"h264 at 320x192 and 60 fps is not offered by nvenc: {NO_ENCODER}",
    )


def run_doctor(*arguments, environment):
    return subprocess.run(
        [sys.executable, "-m", "streamer", "doctor", "--size", "320x192", "--codec", "h264", *arguments],
        env=environment,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )


def test_command_reports_in_json_alone(tmp_path):
    ended = run_doctor("--json", environment={**NvidiaDriver().environment(), "XDG_CACHE_HOME": str(tmp_path)})

    report = json.loads(ended.stdout)
    found = {finding["name"]: finding for finding in report["findings"]}
    assert ended.returncode == (1 if report["problem_count"] else 0)
    assert found["choice.h264"]["figures"]["encoder"] == "nvenc"
    assert found["encoders.nvenc.h264"]["figures"]["keyframes"] == [0]
    assert all(line.startswith("doctor: ") for line in ended.stderr.splitlines())


def test_command_on_a_machine_with_nothing_says_what_is_missing(tmp_path):
    # No GPU even where there is one, and no program.
    bare = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "PATH": str(tmp_path), "CUDA_VISIBLE_DEVICES": ""}

    ended = run_doctor("--encoder", "nvenc", environment=bare)

    assert ended.returncode == 1
    assert "  problem  h264 at 320x192 and 60 fps is not offered" in ended.stdout
    assert "  note     a private desktop needs 'Xvfb', which is not on PATH" in ended.stdout
    assert ended.stdout.rstrip().endswith("found.")
    assert all(line.startswith("doctor: ") for line in ended.stderr.splitlines())
