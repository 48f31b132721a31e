"""Findings about the driver, from answers of a machine that is made up here."""

import pytest

from streamer.child import ChildError
from streamer.doctor import driver
from streamer.doctor.case import Case
from tests.fakes.doctor import lines, make_case

NO_DRIVER = "there is no NVIDIA driver: libcuda.so.1 cannot be loaded (a container needs --gpus all)"
NO_LIBRARY = "the driver's video encoding library libnvidia-encode.so.1 cannot be loaded"
GPU = {"name": "A GPU", "uuid": "1-2", "memory_bytes": 1 << 33}


@pytest.fixture
def answers(monkeypatch):
    """Return the answers, to be filled; a string is a refusal."""
    known = {"cuda": {"version": "12.4", "gpus": [GPU]}, "nvenc_api": [13, 0]}

    def ask(_: Case, question: str) -> object:
        if isinstance(known[question], str):
            raise ChildError(known[question])
        return known[question]

    monkeypatch.setattr(Case, "ask", ask)
    return known


@pytest.mark.parametrize(
    ("files", "encoder", "mark"),
    [
        ((), "auto", "note"),
        (("nvidia0",), "auto", "problem"),
        ((), "nvenc", "problem"),
        (("nvidia0",), "software", "note"),
    ],
    ids=["no-gpu", "gpu", "asked-for", "not-wanted"],
)
def test_missing_driver_matters_where_a_gpu_is_there_or_asked_for(answers, tmp_path, files, encoder, mark):
    answers["cuda"] = NO_DRIVER
    (tmp_path / "dev").mkdir()
    for name in files:
        (tmp_path / "dev" / name).touch()

    found = driver.examine(make_case(tmp_path, video={"encoder": encoder}))

    assert lines(*found.findings)["driver.cuda"] == (mark, NO_DRIVER)
    assert found.gpus == ()


@pytest.mark.usefixtures("answers")
@pytest.mark.parametrize(
    "text",
    [
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  Thu Feb 22 01:44:30 UTC 2024\nGCC version: 12",
        "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  550.54.14  Release Build  (builder@host)\n",
    ],
    ids=["closed", "open"],
)
def test_version_comes_from_the_kernel(tmp_path, text):
    path = tmp_path / "proc" / "driver" / "nvidia" / "version"
    path.parent.mkdir(parents=True)
    path.write_text(text)

    assert lines(*driver.examine(make_case(tmp_path)).findings)["driver.version"] == ("ok", "NVIDIA driver 550.54.14")


@pytest.mark.parametrize(
    ("given", "api", "expected"),
    [
        ("compute,video,utility", [13, 0], ("ok", "NVIDIA_DRIVER_CAPABILITIES is 'compute,video,utility'")),
        ("all", [13, 0], ("ok", "NVIDIA_DRIVER_CAPABILITIES is 'all'")),
        ("utility", NO_LIBRARY, ("problem", "NVIDIA_DRIVER_CAPABILITIES is 'utility', without video")),
        # Somebody has mounted the library by hand.
        ("utility", [13, 0], ("note", "NVIDIA_DRIVER_CAPABILITIES is 'utility', without video")),
    ],
)
def test_container_without_video_is_told_where_it_matters(answers, tmp_path, given, api, expected):
    answers["nvenc_api"] = api
    environment = {"container": "docker", "NVIDIA_DRIVER_CAPABILITIES": given}

    found = driver.examine(make_case(tmp_path, environment))

    assert lines(*found.findings)["driver.capabilities"] == expected


def test_problem_of_a_driver_comes_with_advice(answers, tmp_path):
    answers["nvenc_api"] = NO_LIBRARY

    (problem,) = [finding for finding in driver.examine(make_case(tmp_path)).findings if finding.mark == "problem"]

    assert problem.text == NO_LIBRARY
    assert problem.advice.startswith("start a container with -e NVIDIA_DRIVER_CAPABILITIES=compute,video,utility;")
