"""Advice about reasons, each made by the code that gives it: rewording one must not lose its advice."""

import importlib.util
from collections.abc import Callable

import pytest

from streamer import child
from streamer.doctor.advice import advise
from streamer.encoders import _cuda, _nvenc_library
from streamer.encoders._checks import check_codec, check_settings
from streamer.encoders._nvenc_reasons import explain
from streamer.encoders.base import EncoderSettings
from streamer.errors import DeviceError
from streamer.media.frame import BT601_LIMITED, PixelFormat, Resolution

PACKAGE = "CreateEncoder : \nError code : {0}\nError Type : m_nvenc.nvEncOpenEncodeSessionEx() returned error {0}\n"
FFMPEG_TOO_OLD = (
    "API version. Required: 13.0 Found: 12.1\nThe minimum required Nvidia driver for nvenc is 570.0 or newer"
)


def raised(call: Callable[[], object]) -> str:
    with pytest.raises((_cuda.CudaError, child.ChildError, DeviceError)) as caught:
        call()
    return str(caught.value)


@pytest.mark.parametrize(
    ("message", "advice"),
    [
        ("libcuda.so.1: cannot open shared object file", "install NVIDIA's driver"),
        ("libnvidia-encode.so.1: cannot open shared object file", "start a container with -e NVIDIA_DRIVER_CAPABILITI"),
        (PACKAGE.format(2), "use a GPU with NVENC"),
        (PACKAGE.format(10), "end the other programs that encode"),
        (PACKAGE.format(15), "install a newer NVIDIA driver"),
        ("Driver version is too old", "install a newer NVIDIA driver"),
        (FFMPEG_TOO_OLD, "install a newer NVIDIA driver"),
        (PACKAGE.format(5), "look for Xid messages"),
        ("No capable devices found", "name another --codec"),
        ("CUDA driver API error CUDA_ERROR_UNKNOWN", "look for Xid messages"),
    ],
)
def test_what_libraries_raise_has_its_advice(message: str, advice: str) -> None:
    reason = explain(RuntimeError(message), "h264")

    assert advise(reason).startswith(advice)
    assert advise(f"none can encode h264 (nvenc: GPU 1: {reason})").startswith(advice)


@pytest.mark.parametrize(
    ("status", "advice"), [(100, "check that nvidia-smi lists a GPU"), (999, "look for Xid messages")]
)
def test_what_the_cuda_driver_answers_has_its_advice(status: int, advice: str) -> None:
    assert advise(raised(lambda: _cuda._check("cuInit", status))).startswith(advice)


@pytest.mark.parametrize("count", [1, 2])
def test_gpu_that_is_not_there_has_its_advice(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(_cuda, "count_gpus", lambda: count)

    assert advise(raised(lambda: _cuda.find(5))) == "name a GPU that is there with --gpu"


def test_driver_that_is_not_there_has_its_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_cuda, "_LIBRARY", "libnothing.so.1")

    assert advise(raised(_cuda._library.__wrapped__)).startswith("install NVIDIA's driver")


def test_package_that_is_not_there_has_its_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)

    assert advise(_nvenc_library.why_missing() or "").startswith("install it")


@pytest.mark.parametrize(
    ("program", "limit_s"),
    [("os.kill(os.getpid(), signal.SIGSEGV)", 20), ("signal.pause()", 0.2)],
    ids=["crash", "hang"],
)
def test_child_that_fails_has_its_advice(monkeypatch, tmp_path, program: str, limit_s: float) -> None:
    (tmp_path / "failing.py").write_text(f"import os, signal; {program}")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    reason = raised(lambda: child.ask("failing", what="its proof", limit_s=limit_s))

    assert advise(reason).startswith("install the driver anew")


def test_codec_that_an_encoder_does_not_make_has_its_advice() -> None:
    assert advise(raised(lambda: check_codec("nvenc", "vp8", ("h264",)))).startswith("name another --codec")


@pytest.mark.parametrize("resolution", [Resolution(8192, 2160), Resolution(16, 16)], ids=str)
def test_size_that_an_encoder_does_not_take_has_its_advice(resolution: Resolution) -> None:
    settings = EncoderSettings("h264", resolution, PixelFormat.NV12, BT601_LIMITED, 60, 1_000_000, 2_000_000)
    limits = Resolution(4096, 4096), Resolution(146, 50)

    reason = raised(lambda: check_settings("nvenc", settings, (PixelFormat.NV12,), *limits))

    assert advise(reason).startswith("use another --size")


def test_reason_that_nobody_knows_has_general_advice() -> None:
    assert advise("it failed without a word").startswith("use --encoder software until it is found")
