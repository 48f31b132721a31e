"""The supervisor of a session: an error in what it runs is logged and ends that alone.

The one place on the event loop where any error may be caught.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from threading import Thread
from typing import Any, TypeVar

logger = logging.getLogger(__name__)

_T = TypeVar("_T")


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


async def in_thread(work: Callable[[], _T], name: str) -> _T:
    """Do `work` in a thread of its own, and return or raise what came of it.

    Not in the loop's pool: the end of the program waits for that, whatever a driver does in it, and it takes no more
    work from the end of the main thread on, when a session of `streamer.Stream` may still have to be closed.
    """
    answer: Future[_T] = Future()
    answer.set_running_or_notify_cancel()

    def run() -> None:
        try:
            answer.set_result(work())
        except BaseException as exc:  # noqa: BLE001 - whoever waits gets it, a call of `sys.exit` as well
            answer.set_exception(exc)

    Thread(target=run, name=name, daemon=True).start()
    return await asyncio.wrap_future(answer)


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
