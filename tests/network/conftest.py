"""What needs network namespaces is skipped, with the reason, where they are not allowed."""

import pytest

from streamer.bench.network.link import LinkSettings
from streamer.bench.network.live.emulated_link import EmulatedLink
from streamer.bench.network.live.lane import Course
from streamer.errors import ConfigError


@pytest.fixture(scope="session", autouse=True)
def _namespaces() -> None:
    try:
        with EmulatedLink(Course(LinkSettings(), LinkSettings(), seed=1)):
            pass
    except ConfigError as exc:
        pytest.skip(str(exc))
