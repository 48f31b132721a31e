"""The HTTP server of one session: puts the other files of this folder together.

Binds first, so that a taken port is known before anything expensive starts; serves once it has a door. Shutdown is
goodbyes, then sockets.
"""

import socket
import ssl
from pathlib import Path

from aiohttp import web

from streamer.clock import Clock
from streamer.config import IceConfig, ServerConfig
from streamer.protocol.signaling import IceServerEntry
from streamer.server.address import MAX_BACKLOG, bind, read_tls, shown_host
from streamer.server.auth import Gate, check_exposure, read_token
from streamer.server.health import Health
from streamer.server.pages import WEB_DIST, Pages
from streamer.server.resumption import Resumption
from streamer.server.security import HostList, add_headers, guard
from streamer.server.signaling import Signaling
from streamer.session.door import Door

# A connection that has not sent a whole request, or sends none any more, is closed after this time: aiohttp has no
# other limit for slow headers.
_IDLE_TIMEOUT_S = 10.0
# Goodbyes have been said before; what is left are downloads of a page of a few hundred kilobytes.
_SHUTDOWN_TIMEOUT_S = 2.0
_MAX_BODY_BYTES = 64 * 1024
_US_PER_MS = 1000


class Server:
    """One listening address that serves one session. Used on the event loop."""

    def __init__(
        self,
        config: ServerConfig,
        clock: Clock,
        *,
        ice: IceConfig | None = None,
        resume_timeout_ms: int = 10_000,
        web_dist: Path = WEB_DIST,
        idle_timeout_s: float = _IDLE_TIMEOUT_S,
    ) -> None:
        self._config = config
        self._clock = clock
        self._ice = ice or IceConfig()
        self._resumption = Resumption(resume_timeout_ms * _US_PER_MS)
        self._web_dist = web_dist
        self._idle_timeout_s = idle_timeout_s
        self._token: str | None = None
        self._tls: ssl.SSLContext | None = None
        self._sockets: list[socket.socket] = []
        self._runner: web.AppRunner | None = None
        self._signaling: Signaling | None = None

    @property
    def url(self) -> str:
        """Where the page is, without the token."""
        scheme = "http" if self._tls is None else "https"
        return f"{scheme}://{shown_host(self._config.host)}:{self._sockets[0].getsockname()[1]}/"

    @property
    def invitation(self) -> str:
        """The address that lets a viewer in: a fragment is sent to no server and stands in no log of one."""
        return self.url if self._token is None else f"{self.url}#token={self._token}"

    def bind(self) -> None:
        """Take the address. Nobody is answered yet.

        Raises:
            ConfigError: the address is taken, not ours or not safe, or a token or TLS file cannot be used.
        """
        check_exposure(self._config)
        self._token = read_token(self._config)
        self._tls = read_tls(self._config)
        self._sockets = bind(self._config.host, self._config.port)

    async def start(self, door: Door) -> None:
        """Answer requests for the session behind `door`. `bind` comes first."""
        hosts = HostList(self._config)
        signaling = Signaling(
            door,
            self._config,
            self._clock,
            gate=Gate(self._token),
            hosts=hosts,
            resumption=self._resumption,
            ice_servers=tuple(_ice_servers(self._ice)),
        )
        app = web.Application(middlewares=[guard(hosts)], client_max_size=_MAX_BODY_BYTES)
        app.on_response_prepare.append(add_headers)
        app.add_routes(
            [
                web.get("/signaling", signaling.answer, allow_head=False),
                web.get("/healthz", Health(lambda: signaling.is_open).answer),
                web.get("/{path:.*}", Pages(self._web_dist).answer),
            ]
        )
        self._signaling = signaling
        self._runner = web.AppRunner(
            app, access_log=None, keepalive_timeout=self._idle_timeout_s, shutdown_timeout=_SHUTDOWN_TIMEOUT_S
        )
        await self._runner.setup()
        for bound in self._sockets:
            await web.SockSite(self._runner, bound, ssl_context=self._tls, backlog=MAX_BACKLOG).start()

    async def stop(self, reason: str) -> None:
        """Say goodbye to every viewer and give the address back. Harmless when called twice."""
        if self._signaling is not None:
            await self._signaling.stop(reason)
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        for bound in self._sockets:
            bound.close()
        self._sockets = []


def _ice_servers(config: IceConfig) -> list[IceServerEntry]:
    return [
        IceServerEntry(
            urls=server.urls,
            username=server.username,
            credential=None if server.credential is None else server.credential.get_secret_value(),
        )
        for server in config.servers
    ]
