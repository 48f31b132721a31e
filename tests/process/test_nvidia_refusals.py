"""What `streamer devices` says of NVIDIA encoders on machines that cannot encode with them."""

import json
from ctypes.util import find_library

import pytest

from streamer.encoders import _nvenc_library
from tests.fakes.program import run_streamer
from tests.nvidia_driver import build
from tests.nvidia_driver.driver import INCOMPATIBLE_CLIENT_KEY, Fault, NvidiaDriver

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(build.why_unavailable() is not None, reason=str(build.why_unavailable())),
]
needs_package = pytest.mark.skipif(_nvenc_library.why_missing() is not None, reason=str(_nvenc_library.why_missing()))

LOST = "the GPU was lost or its driver restarted: the kernel's log (Xid messages) says why"
NO_ENCODER = "this GPU has no video encoder (datacenter GPUs such as A100, H100 and H200 have none; "
NO_SESSION = "the driver gives no further encoding session: GeForce drivers allow only so many at a time"
TOO_OLD = "the NVIDIA driver is too old: NVENC API 12.1 is needed, which came with driver 530.41 for Linux"
TOO_OLD_FOR_FFMPEG = "the NVIDIA driver is too old for this FFmpeg: it offers API {0}, and 13.0 is needed (driver 5"
NO_DRIVER = "there is no NVIDIA driver: libcuda.so.1 cannot be loaded (a container needs --gpus all)"
WAY_OUT = "; auto takes what can run here, and `streamer doctor` with the same options says what is missing"
NO_LIBRARY = "the driver's video encoding library libnvidia-encode.so.1 cannot be loaded"

# The driver, what is said of `nvenc`, and of `nvenc_av`; None: it can be used.
MACHINES = {
    "good": (NvidiaDriver(), None, None),
    "two-gpus": (NvidiaDriver(devices=2), None, None),
    "older-driver": (
        NvidiaDriver(api="12.1"),
        None,
        TOO_OLD_FOR_FFMPEG.format("12.1"),
    ),
    "old-driver": (NvidiaDriver(api="12.0"), TOO_OLD, TOO_OLD_FOR_FFMPEG.format("12.0")),
    "no-gpu": (
        NvidiaDriver(devices=0),
        "the NVIDIA driver sees no GPU (nvidia-smi shows what it sees)",
        "the NVIDIA driver sees no GPU (nvidia-smi shows what it sees)",
    ),
    "no-encode-library": (NvidiaDriver(has_encode_library=False), NO_LIBRARY, NO_LIBRARY),
    "no-encoder": (NvidiaDriver(has_engine=False), NO_ENCODER, NO_ENCODER),
    "no-encoder-on-either": (NvidiaDriver(has_engine=False, devices=2), f"GPU 0: {NO_ENCODER}", f"GPU 0: {NO_ENCODER}"),
    "no-session": (NvidiaDriver(sessions=0), NO_SESSION, NO_SESSION),
    "no-session-for-this-key": (
        NvidiaDriver(sessions=0, session_error=INCOMPATIBLE_CLIENT_KEY),
        NO_SESSION,
        NO_SESSION,
    ),
    "holds-packets": (
        NvidiaDriver(held_packets=2),
        "it holds frames back: frame 0 went in and nothing came out",
        "it holds frames back: frame 0 went in and nothing came out",
    ),
    # FFmpeg drains nothing, makes a keyframe of each change itself, and resets the encoder with it.
    "drain-makes-keyframes": (
        NvidiaDriver(drain_makes_keyframe=True),
        "each frame became a keyframe: draining the encoder after a frame ends its prediction",
        None,
    ),
    "change-makes-keyframe": (
        NvidiaDriver(reconfigure_makes_keyframe=True),
        "a change of the rate made a keyframe",
        None,
    ),
    "ignores-rates": (
        NvidiaDriver(ignores_rate=True),
        "the rate is not obeyed: told to go from 2.0 to 0.6 Mbit/s",
        None,
    ),
    "crashes": (
        NvidiaDriver(faults=(Fault(call="encode_picture", nth=5, effect="crash"),)),
        "its proof crashed with signal 11 (SIGSEGV): the driver or its library is broken",
        "its proof crashed with signal 11 (SIGSEGV): the driver or its library is broken",
    ),
    "loses-the-gpu": (
        NvidiaDriver(faults=(Fault(call="encode_picture", nth=5, effect="device_lost"),)),
        LOST,
        LOST,
    ),
    "fails": (
        NvidiaDriver(faults=(Fault(call="encode_picture", nth=5),)),
        "nvEncEncodePicture failed with NVENC error 20",
        "h264_nvenc failed",
    ),
}


@pytest.fixture(autouse=True)
def _no_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def reasons(ended):
    assert ended.returncode == 0, ended.stderr
    return {
        entry["name"]: entry["why_unavailable"] for entry in json.loads(ended.stdout) if entry["kind"] == "encoders"
    }


@needs_package
@pytest.mark.parametrize("machine", MACHINES)
def test_devices_say_why_an_encoder_cannot_be_used(machine):
    driver, *expected = MACHINES[machine]

    said = reasons(driver.run_python("-m", "streamer", "devices", "--json"))

    for name, reason in zip(("nvenc", "nvenc_av"), expected, strict=True):
        if reason is None:
            assert said[name] is None
        else:
            assert (said[name] or "it can be used").startswith(reason)
    assert said["software"] is None


@needs_package
def test_devices_take_proofs_from_the_cache_and_make_broken_ones_anew(tmp_path):
    def encoded() -> int:
        log = tmp_path / "calls.jsonl"
        said = reasons(NvidiaDriver(log=log).run_python("-m", "streamer", "devices", "--json"))
        assert said["nvenc"] is None
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return sum('"encode_picture"' in line for line in lines)

    assert encoded() > 30
    assert encoded() == 0

    proofs = list((tmp_path / "cache" / "render-streamer").glob("proof-*.json"))
    assert len(proofs) >= 2
    # One that another version of this program may have written, and three that are no proofs at all.
    of_another_version = json.dumps({**json.loads(proofs[0].read_text()), "value": {"gpu": "a card"}})
    for proof, rest in zip(proofs, (of_another_version, '{"key": "anoth', "null", ""), strict=False):
        proof.write_text(rest)
    assert encoded() > 30
    assert encoded() == 0


NO_SUCH_GPU = "GPU 5 is asked for, but there is 1 GPU, number 0"
TOO_LARGE = "pictures of 8192x2160; the largest are 4096x4096"
# The driver, what is asked for, and what is said of it.
REFUSALS = {
    "no-such-gpu": (NvidiaDriver(), "nvenc", ("--gpu", "5"), NO_SUCH_GPU),
    "no-such-gpu-av": (NvidiaDriver(), "nvenc_av", ("--gpu", "5"), NO_SUCH_GPU),
    "no-such-gpu-of-two": (
        NvidiaDriver(devices=2),
        "nvenc",
        ("--gpu", "2"),
        "GPU 2 is asked for, but there are 2 GPUs, numbers 0 to 1",
    ),
    "old-driver": (NvidiaDriver(api="12.0"), "nvenc", (), TOO_OLD),
    "old-driver-av": (NvidiaDriver(api="12.1"), "nvenc_av", (), TOO_OLD_FOR_FFMPEG.format("12.1")),
    "no-encoder": (NvidiaDriver(has_engine=False), "nvenc", (), NO_ENCODER),
    "no-session": (NvidiaDriver(sessions=0), "nvenc", (), NO_SESSION),
    "no-session-av": (NvidiaDriver(sessions=0), "nvenc_av", (), NO_SESSION),
    "codec": (NvidiaDriver(), "nvenc", ("--codec", "vp8"), "cannot encode 'vp8'; it can do h264, h265, av1"),
    "codec-of-the-engine": (NvidiaDriver(), "nvenc", ("--codec", "av1"), "this GPU does not encode av1"),
    "large": (NvidiaDriver(), "nvenc", ("--size", "8192x2160"), TOO_LARGE),
    "large-av": (NvidiaDriver(), "nvenc_av", ("--size", "8192x2160"), TOO_LARGE),
    "small": (NvidiaDriver(), "nvenc", ("--size", "100x40"), "pictures of 100x40; the smallest are 145x49"),
}


@needs_package
@pytest.mark.parametrize("case", REFUSALS)
def test_serve_refuses_an_encoder_that_was_asked_for_with_the_reason_and_the_way_out(case):
    driver, encoder, options, expected = REFUSALS[case]

    ended = driver.run_python(
        "-m", "streamer", "serve", "--port", "0", "--source", "pattern", "--encoder", encoder, *options
    )

    # Above it may be what has been logged while the source opened.
    *logged, last = ended.stderr.splitlines()
    assert ended.returncode == 2
    assert last.startswith(f"streamer: video.encoder = {encoder!r} (--encoder): ")
    assert expected in last
    assert last.endswith(WAY_OUT)
    assert not [line for line in logged if " INFO " not in line or "PyNvVideoCodec" in line]


@needs_package
@pytest.mark.skipif(find_library("cuda") is not None, reason="there is a driver")
def test_machine_without_a_driver_says_so():
    said = reasons(run_streamer("devices", "--json"))
    ended = run_streamer("serve", "--port", "0", "--encoder", "nvenc")

    assert said["nvenc"] == said["nvenc_av"] == NO_DRIVER
    assert ended.returncode == 2
    assert ended.stderr.endswith(f"streamer: video.encoder = 'nvenc' (--encoder): {NO_DRIVER}{WAY_OUT}\n")
