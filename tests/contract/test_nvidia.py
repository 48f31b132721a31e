"""The contract of the encoders over the substitute NVIDIA driver, in processes of their own: that is when a driver is
looked for. What runs there is `test_encoders.py` for the backends on NVIDIA GPUs, and `tests/nvidia`.
"""

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from streamer.encoders import _nvenc_library
from tests.nvidia_driver import build
from tests.nvidia_driver.driver import Fault, NvidiaDriver

LIMIT_S = 300

pytestmark = [
    pytest.mark.slow,
    # Whole suites run inside these tests.
    pytest.mark.timeout(2 * LIMIT_S),
    pytest.mark.skipif(build.why_unavailable() is not None, reason=str(build.why_unavailable())),
]
needs_package = pytest.mark.skipif(_nvenc_library.why_missing() is not None, reason=str(_nvenc_library.why_missing()))
# What the backends do not promise: the end of the reason for which a test is skipped.
EXCLUDED = {
    "test_encoder_shows_what_it_was_given": "does not take i420",
    "test_encoder_keeps_frames_below_an_ordered_limit": "says so",
    "test_encoder_refines_a_picture_that_stands_still": "says so",
}


def run(driver, tmp_path, *arguments):
    """Run tests with the driver, and return how many passed and what was skipped for which reason."""
    report = tmp_path / "report.xml"
    logged = replace(driver, log=tmp_path / "calls.jsonl")
    ended = logged.run_python(
        "-m",
        "pytest",
        "-q",
        "--tb=short",
        "-p",
        "no:cacheprovider",
        f"--junit-xml={report}",
        *arguments,
        limit_s=LIMIT_S,
    )

    assert ended.returncode == 0, f"of {' '.join(arguments)}:\n{ended.stdout[-8000:]}{ended.stderr[-2000:]}"
    cases = list(ET.parse(report).iter("testcase"))
    skipped = {
        case.get("name"): case.find("skipped").get("message") for case in cases if case.find("skipped") is not None
    }
    return len(cases) - len(skipped), skipped


@pytest.mark.parametrize(
    ("api", "backend"),
    [
        pytest.param("13.0", "nvenc-", marks=needs_package, id="nvenc-13.0"),
        pytest.param("12.1", "nvenc-", marks=needs_package, id="nvenc-12.1"),
        pytest.param("13.0", "nvenc_av-", id="nvenc_av"),
    ],
)
def test_encoders_keep_their_contract_over_the_substitute_driver(api, backend, tmp_path):
    passed, skipped = run(NvidiaDriver(api=api), tmp_path, "tests/contract/test_encoders.py", "-k", backend)

    unexpected = {
        name: why for name, why in skipped.items() if not why.endswith(EXCLUDED.get(name.partition("[")[0], "nothing"))
    }
    assert unexpected == {}
    # Nothing of H.264 is left out.
    assert [name for name in skipped if name.endswith("-h264]") and "i420" not in skipped[name]] == []
    assert passed >= 30


@needs_package
@pytest.mark.parametrize(("api", "which"), [("13.0", "slow or not slow"), ("12.1", "not slow")])
def test_nvenc_asks_of_the_substitute_driver_what_it_should(api, which, tmp_path):
    passed, skipped = run(NvidiaDriver(api=api), tmp_path, "tests/nvidia", "-m", which)

    assert passed >= 30
    # Those run below.
    assert {why for why in skipped.values() if "for a driver that" not in why} == set()


@needs_package
@pytest.mark.parametrize(
    "faults",
    [
        # The first thirty-odd frames are those of the proof.
        pytest.param((Fault(call="encode_picture", nth=50),), id="one-failure"),
        pytest.param((Fault(call="encode_picture", nth=50), Fault(call="encode_picture", nth=55)), id="two-failures"),
        pytest.param((Fault(call="encode_picture", nth=50, effect="engine_lost"),), id="engine-lost"),
        pytest.param((Fault(call="encode_picture", nth=50, effect="device_lost"),), id="gpu-lost"),
        pytest.param((Fault(call="encode_picture", nth=50, effect="hang"),), id="encode-hangs"),
        pytest.param((Fault(call="lock_bitstream", nth=50, effect="hang"),), id="lock-hangs"),
    ],
)
def test_stream_survives_what_happens_to_the_driver(faults, tmp_path):
    passed, _ = run(NvidiaDriver(faults=faults), tmp_path, "tests/nvidia/test_nvenc_streaming.py")

    assert passed == 1
