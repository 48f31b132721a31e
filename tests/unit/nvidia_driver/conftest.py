import pytest

from streamer.encoders import _nvenc_library
from tests.nvidia_driver import build


@pytest.fixture(autouse=True)
def _needs_the_driver() -> None:
    reason = build.why_unavailable()
    if reason is not None:
        pytest.skip(reason)
    reason = _nvenc_library.why_missing()
    if reason is not None:
        pytest.skip(reason)
