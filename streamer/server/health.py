"""Whether this server does its work, for load balancers and supervisors: one small JSON object."""

from collections.abc import Callable

from aiohttp import web

OK = "ok"
ENDING = "ending"


class Health:
    """Answer `/healthz`: 200 while viewers can come in, 503 otherwise."""

    def __init__(self, is_open: Callable[[], bool]) -> None:
        self._is_open = is_open

    async def answer(self, request: web.Request) -> web.StreamResponse:  # noqa: ARG002 - the signature is aiohttp's
        is_open = self._is_open()
        return web.json_response({"status": OK if is_open else ENDING}, status=200 if is_open else 503)
