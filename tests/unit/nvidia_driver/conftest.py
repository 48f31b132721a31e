import importlib.util

import pytest

from tests.nvidia_driver import build


@pytest.fixture(autouse=True)
def _needs_the_driver() -> None:
    reason = build.why_unavailable()
    if reason is not None:
        pytest.skip(reason)
    if importlib.util.find_spec("PyNvVideoCodec") is None:
        pytest.skip("PyNvVideoCodec is not installed (pip install pynvvideocodec)")
