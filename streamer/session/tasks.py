"""The supervisor of a session: an error in what it runs is logged and ends that alone.

The one place on the event loop where any error may be caught.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

logger = logging.getLogger(__name__)


def attempt(work: Callable[[], object], name: str) -> bool:
    """Do `work` at once; return whether it came to its end."""
    try:
        work()
    except Exception:
        logger.exception("%s failed", name)
        return False
    return True


async def complete(work: Awaitable[object], name: str) -> bool:
    """Await `work`; return whether it came to its end."""
    try:
        await work
    except Exception:
        logger.exception("%s failed", name)
        return False
    return True


class Tasks:
    """Starts tasks and ends them together: the owner that awaits every one. Event loop only."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Run `work` until it ends, is cancelled, or everything is closed."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._supervise)
        return task

    async def close(self) -> None:
        """Cancel what still runs and wait for its end."""
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def drain(self) -> None:
        """Wait until nothing runs any more."""
        while self._running:
            await asyncio.gather(*self._running, return_exceptions=True)

    def _supervise(self, task: asyncio.Task[None]) -> None:
        """Take note of the end of a task."""
        self._running.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            logger.error("%s failed", task.get_name(), exc_info=error)
