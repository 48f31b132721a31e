"""The contract of the encoders over the substitute NVIDIA driver, in processes of their own: that is when a driver is
looked for. What runs there is `test_encoders.py` for the backends on NVIDIA GPUs, and `tests/nvidia`.
"""

import xml.etree.ElementTree as ET

import pytest

from streamer.encoders import _nvenc_library
from tests.nvidia_driver import build
from tests.nvidia_driver.driver import NvidiaDriver

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(build.why_unavailable() is not None, reason=str(build.why_unavailable())),
]
needs_package = pytest.mark.skipif(_nvenc_library.why_missing() is not None, reason=str(_nvenc_library.why_missing()))
# What the backends do not promise.
EXCLUDED = {"test_encoder_shows_what_it_was_given": "does not take i420"}

CONTRACT = "tests/contract/test_encoders.py"


@pytest.mark.parametrize(
    ("driver", "arguments", "least"),
    [
        pytest.param(NvidiaDriver(), (CONTRACT, "-k", "nvenc-"), 30, marks=needs_package, id="nvenc-13.0"),
        pytest.param(NvidiaDriver(api="12.1"), (CONTRACT, "-k", "nvenc-"), 30, marks=needs_package, id="nvenc-12.1"),
        pytest.param(NvidiaDriver(), (CONTRACT, "-k", "nvenc_av-"), 30, id="nvenc_av"),
        pytest.param(NvidiaDriver(), ("tests/nvidia",), 30, marks=needs_package, id="calls-13.0"),
        pytest.param(
            NvidiaDriver(api="12.1"), ("tests/nvidia", "-m", "not slow"), 30, marks=needs_package, id="calls-12.1"
        ),
    ],
)
def test_encoders_keep_their_contract_over_the_substitute_driver(driver, arguments, least, tmp_path):
    report = tmp_path / "report.xml"
    logged = NvidiaDriver(api=driver.api, log=tmp_path / "calls.jsonl")

    ended = logged.run_python(
        "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider", f"--junit-xml={report}", *arguments
    )

    assert ended.returncode == 0, f"of {' '.join(arguments)}:\n{ended.stdout[-8000:]}{ended.stderr[-2000:]}"
    cases = list(ET.parse(report).iter("testcase"))
    skipped = {
        case.get("name"): case.find("skipped").get("message") for case in cases if case.find("skipped") is not None
    }
    assert {name: why for name, why in skipped.items() if EXCLUDED.get(name.partition("[")[0]) != why} == {}
    assert len(cases) - len(skipped) >= least
