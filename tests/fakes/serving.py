"""A real server on a free port of loopback, in front of a fake session."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from streamer.clock import Clock, SystemClock
from streamer.config import IceConfig, ServerConfig
from streamer.server.app import Server
from tests.fakes.door import FakeDoor


@asynccontextmanager
async def serving(
    door: FakeDoor,
    *,
    web_dist: Path = Path("/nonexistent"),
    clock: Clock | None = None,
    ice: IceConfig | None = None,
    idle_timeout_s: float = 10.0,
    **keys: Any,
) -> AsyncIterator[Server]:
    """Serve `door` until the block ends. `keys` are those of the section [server]."""
    config = ServerConfig.model_validate({"port": 0, **keys})
    server = Server(config, clock or SystemClock(), ice=ice, web_dist=web_dist, idle_timeout_s=idle_timeout_s)
    server.bind()
    try:
        await server.start(door)
        yield server
    finally:
        await server.stop("the test is over")
