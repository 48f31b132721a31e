"""Wait, for a bounded time, for what another thread or task is about to do."""

import asyncio
import time
from collections.abc import Callable

WAIT_S = 20.0
_LOOK_S = 0.002


async def until(claim: Callable[[], object]) -> None:
    """Let other tasks run until `claim` holds."""
    async with asyncio.timeout(WAIT_S):
        while not claim():  # noqa: ASYNC110 - threads and sockets have no event of this loop
            await asyncio.sleep(_LOOK_S)


def block_until(claim: Callable[[], object]) -> None:
    """Block until `claim` holds."""
    end = time.monotonic() + WAIT_S
    while not claim():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(_LOOK_S)
