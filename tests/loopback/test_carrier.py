import asyncio

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from streamer.protocol.signaling import Bye, ByeCode, parse_from_server
from streamer.server import carrier
from tests.fakes.waiting import WAIT_S

BYE = Bye("this viewer came back on another connection", ByeCode.REPLACED, retry=False)


async def test_carrier_that_closes_at_once_says_goodbye_and_does_not_wait_for_an_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(carrier, "PATIENCE_S", 10 * WAIT_S)
    is_gone = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(timeout=10 * WAIT_S)
        await socket.prepare(request)
        # Nobody receives: what was read last is still being carried out.
        try:
            async with carrier.Carrier(socket) as ours:
                ours.finish(BYE, at_once=True)
        finally:
            # The end of the connection may cancel whoever answers it.
            is_gone.set()
        return socket

    app = web.Application()
    app.add_routes([web.get("/", answer)])
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        viewer = await http.ws_connect(server.make_url("/"), autoclose=False)
        async with asyncio.timeout(WAIT_S):
            heard, end = parse_from_server(await viewer.receive_str()), await viewer.receive()
            await is_gone.wait()

    assert heard == BYE
    assert end.type is aiohttp.WSMsgType.CLOSE
