"""What the driver refuses, and with which status."""

import subprocess
from pathlib import Path

import pytest

from tests.nvidia_driver import build
from tests.nvidia_driver.calls import read_calls
from tests.nvidia_driver.driver import (
    INCOMPATIBLE_CLIENT_KEY,
    INVALID_PARAM,
    OUT_OF_MEMORY,
    UNSUPPORTED_DEVICE,
    UNSUPPORTED_PARAM,
    NvidiaDriver,
)
from tests.unit.nvidia_driver import encode_clip

MISUSES = """
cuda-before-init 3
cuda-without-context 201
create-instance 0
open-unknown-context 4
open 0
ask-unknown-session 3
buffer-before-initialize 11
encode-before-initialize 11
initialize 0
initialize-twice 9
asynchronous 22
reconfigure 0
reconfigure-above-largest 8
reconfigure-gop 12
reconfigure-rate-control-mode 12
reconfigure-codec 12
register-short-pitch 8
register 0
create-buffer 0
encode-unmapped 25
map-unknown 24
map 0
map-twice 16
unregister-mapped 9
lock-empty 8
encode-unknown-buffer 8
encode 0
encode-uncollected 18
lock 0
lock-twice 13
unlock 0
unlock-twice 8
unmap 0
unmap-twice 25
free-memory 0
encode-freed-memory 6
cuda-copy-freed 1
cuda-free-twice 1
cuda-unknown-context 201
destroy 0
destroy-twice 3
"""


@pytest.mark.parametrize("status", [OUT_OF_MEMORY, INCOMPATIBLE_CLIENT_KEY])
def test_driver_opens_no_more_sessions_than_it_has(status):
    driver = NvidiaDriver(sessions=2, session_error=status)

    assert encode_clip.run(driver, others=1, frames=1).error == ""
    assert f"Error code : {status}" in encode_clip.run(driver, others=2, frames=1).error


def test_driver_without_engine_opens_no_session():
    result = encode_clip.run(NvidiaDriver(has_engine=False))

    assert f"Error code : {UNSUPPORTED_DEVICE}" in result.error


def test_pynvvideocodec_is_not_imported_without_encode_library():
    result = encode_clip.run(NvidiaDriver(has_encode_library=False))

    assert "libnvidia-encode.so.1" in result.error


def test_driver_without_devices_initializes_nothing():
    assert "CUDA_ERROR_NO_DEVICE" in encode_clip.run(NvidiaDriver(devices=0)).error


@pytest.mark.parametrize(
    ("plan", "status", "why"),
    [
        ({"options": {"bf": 2}}, UNSUPPORTED_PARAM, "B-frames"),
        ({"options": {"lookahead": 8}}, UNSUPPORTED_PARAM, "lookahead"),
        ({"options": {"gop": 0}}, INVALID_PARAM, "no distance between keyframes"),
        ({"options": {"codec": "av1"}}, INVALID_PARAM, "codec"),
        ({"width_px": 321}, INVALID_PARAM, "size 321x180"),
        ({"width_px": 4098}, INVALID_PARAM, "size 4098x180"),
        ({"width_px": 128}, INVALID_PARAM, "size 128x180"),
        ({"codec": "hevc", "height_px": 8194}, INVALID_PARAM, "size 320x8194"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_driver_refuses_what_its_engine_cannot_do(plan, status, why, tmp_path):
    log = tmp_path / "calls"

    result = encode_clip.run(NvidiaDriver(log=log), **plan)

    assert f"Error code : {status}" in result.error
    (refused,) = [call for call in read_calls(log) if call.status]
    assert (refused.status, refused["why"]) == (status, why)


def test_driver_answers_each_misuse_with_its_status(tmp_path):
    program, built = tmp_path / "misuse", build.libraries()
    libraries = (str(built.cuda / build.CUDA_LIBRARY), str(built.encode / build.ENCODE_LIBRARY))
    build.compile_c([Path(__file__).parent / "misuse.c"], program, *libraries)

    done = subprocess.run([program], env=NvidiaDriver().environment(), capture_output=True, text=True, check=True)

    assert done.stdout.splitlines() == MISUSES.split("\n")[1:-1]
