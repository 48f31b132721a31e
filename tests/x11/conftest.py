from collections.abc import Iterator

import pytest

from streamer.clock import SystemClock
from streamer.media.frame import Resolution
from streamer.sources import screen
from streamer.sources.base import SourceSettings
from tests.fakes.xvfb import xvfb

pytest.importorskip("xcffib")
from tests.fakes.x_client import XClient

__all__ = ["xvfb"]


@pytest.fixture
def client(xvfb: str) -> Iterator[XClient]:
    client = XClient(xvfb)
    yield client
    client.close()


@pytest.fixture
def source(xvfb: str) -> Iterator[screen.ScreenSource]:
    source = screen.create(
        SourceSettings(Resolution(1, 1), 60, SystemClock(), screen.Options(display=xvfb), lambda: 77)
    )
    yield source
    source.close()
