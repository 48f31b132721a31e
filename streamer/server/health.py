"""Whether this server does its work, and how much is going on inside: one small JSON object, for supervisors."""

import asyncio
import threading
from collections.abc import Callable

from aiohttp import web

OK = "ok"
ENDING = "ending"


class Health:
    """Answer `/healthz`: 200 while viewers can come in, 503 otherwise.

    `tasks` and `threads` are those of the process: numbers that grow with every viewer who has left are leaks.
    """

    def __init__(self, is_open: Callable[[], bool]) -> None:
        self._is_open = is_open

    async def answer(self, request: web.Request) -> web.StreamResponse:  # noqa: ARG002 - the signature is aiohttp's
        is_open = self._is_open()
        content = {
            "status": OK if is_open else ENDING,
            "tasks": len(asyncio.all_tasks()),
            "threads": threading.active_count(),
        }
        return web.json_response(content, status=200 if is_open else 503)
