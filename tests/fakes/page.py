"""A page: a real WebSocket client that speaks signaling to a real server."""

from types import TracebackType
from typing import Any, Self

import aiohttp

from streamer.protocol.signaling import (
    Bye,
    Hello,
    ServerMessage,
    ViewerMessage,
    Welcome,
    parse_from_server,
    serialize,
)


class Page:
    """One browser tab. Its origin is that of the server, as for a page that came from there."""

    def __init__(self, url: str, *, origin: str | None = None, **options: Any) -> None:
        self.url = url
        self._origin = url.rstrip("/") if origin is None else origin
        self._options = options
        self._http = aiohttp.ClientSession()
        self.socket: aiohttp.ClientWebSocketResponse

    async def __aenter__(self) -> Self:
        try:
            self.socket = await self._http.ws_connect(f"{self.url}signaling", origin=self._origin, **self._options)
        except BaseException:
            await self._http.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.socket.close()
        await self._http.close()

    async def say(self, message: ViewerMessage) -> None:
        await self.socket.send_str(serialize(message))

    async def hear(self) -> ServerMessage:
        return parse_from_server(await self.socket.receive_str(timeout=5))

    async def join(self, token: str | None = None, resume: str | None = None) -> Welcome:
        await self.say(Hello(token=token, resume=resume))
        welcome = await self.hear()
        assert isinstance(welcome, Welcome), welcome
        return welcome

    async def hear_bye(self) -> Bye:
        """Return the goodbye; what comes before it is skipped, and nothing may come after it."""
        while not isinstance(message := await self.hear(), Bye):
            pass
        end = await self.socket.receive(timeout=5)
        assert end.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSING), end
        return message
