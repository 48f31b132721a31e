import subprocess
import sys

import pytest

from streamer import x11
from streamer.inputs import xtest
from streamer.sources import screen

WITHOUT_XCFFIB = """
import sys
sys.modules["xcffib"] = None
from streamer.desktop.desktop import Desktop, DesktopSettings
from streamer.errors import ConfigError
from streamer.inputs import xtest
from streamer.media.frame import Resolution
from streamer.sources import screen
print(screen.why_unavailable())
print(xtest.why_unavailable())
try:
    Desktop(DesktopSettings("true", Resolution(64, 64)))
except ConfigError as exc:
    print(exc)
"""


def test_everything_is_available_with_xcffib():
    pytest.importorskip("xcffib")

    assert (x11.why_unavailable(), screen.why_unavailable(), xtest.why_unavailable()) == (None, None, None)


def test_without_xcffib_the_extra_is_named(repository):
    shown = subprocess.run(
        [sys.executable, "-c", WITHOUT_XCFFIB], check=True, capture_output=True, text=True, cwd=repository, timeout=60
    ).stdout.splitlines()

    assert len(shown) == 3
    assert all("pip install 'render-streamer[x11]'" in line for line in shown)
