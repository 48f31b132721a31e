"""One session and the server in front of it: opened together, closed in reverse.

Knows no signals, prints nothing and sets up no logging: these belong to the program around it.
"""

import asyncio
import random
from collections.abc import Callable
from contextlib import AsyncExitStack

from streamer.clock import Clock
from streamer.config import Config, IceConfig
from streamer.congestion.decision import RateLimits
from streamer.errors import SessionError
from streamer.media.frame import Resolution
from streamer.server.app import Server
from streamer.session.door import Ended, Event, Opened
from streamer.session.session import Session
from streamer.sources.base import EncodedSource, FrameSource
from streamer.transport.base import IceServer, IceSettings, Peer, PeerObserver, PeerSettings
from streamer.transport.decision_log import DecisionLog
from streamer.transport.peer import RtcPeer

_GOODBYE = "the server stops"


class Host:
    """One run, from open to closed. Event loop only, but for its construction."""

    def __init__(self, config: Config, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._server = Server(config.server, clock, ice=config.ice, resume_timeout_ms=config.session.resume_timeout_ms)
        self._session = Session(config, self._make_peer, clock)
        self._session.subscribe(self._hear)
        self._decisions: DecisionLog | None = None
        # Set by `stop`, and by the end of the session.
        self._stopped = asyncio.Event()
        self._is_wanted = True
        self._opened: Opened
        self._ended: Ended | None = None

    @property
    def invitation(self) -> str:
        """The address that lets a viewer in, while it is up."""
        return self._server.invitation

    @property
    def source(self) -> FrameSource | EncodedSource:
        """What the pictures come from, while it is up."""
        return self._session.source

    async def run(self, is_up: Callable[[Opened], None]) -> str | None:
        """Serve until `stop`, and return None, or until the session ends by itself, and return why.

        Raises:
            ConfigError: something that the configuration names is not there, or cannot be.
            DeviceError: a device does not open, or no encoder can run here.
            SessionError: the session ended by a failure.
        """
        async with AsyncExitStack() as opened:
            self._server.bind()
            opened.push_async_callback(self._server.stop, _GOODBYE)
            if self._config.video.decisions_log is not None:
                self._decisions = DecisionLog(self._config.video.decisions_log)
                opened.callback(self._decisions.close)
            if await self._open_session():
                opened.push_async_callback(self._session.close)
                await self._server.start(self._session)
                # Goodbyes first: viewers shall hear that the server stops, not that the session failed them.
                opened.push_async_callback(self._server.stop, _GOODBYE)
                is_up(self._opened)
                await self._stopped.wait()
        if self._ended is not None and self._ended.is_failure:
            raise SessionError(f"the session ended because {self._ended.reason}")
        return self._ended.reason if self._ended is not None and self._is_wanted else None

    def stop(self) -> None:
        """End the run, also while devices are still being opened."""
        self._is_wanted = False
        self._stopped.set()

    async def _open_session(self) -> bool:
        """Open the session; return False when `stop` came first."""
        opening = asyncio.create_task(self._session.open(), name="opening of the session")
        stopping = asyncio.create_task(self._stopped.wait(), name="wait for a stop")
        try:
            await asyncio.wait((opening, stopping), return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            if not opening.done():
                opening.cancel()
            await asyncio.gather(stopping, opening, return_exceptions=True)
        if opening.cancelled():
            return False
        opening.result()
        return True

    def _hear(self, event: Event) -> None:
        if isinstance(event, Opened):
            self._opened = event
        elif isinstance(event, Ended):
            self._ended = event
            self._stopped.set()

    def _make_peer(self, observer: PeerObserver, codecs: tuple[str, ...], largest: Resolution) -> Peer:
        config = self._config
        settings = PeerSettings(
            codecs=codecs,
            largest=largest,
            fps=config.session.fps,
            rate_limits=RateLimits(
                min_bps=config.video.min_target_bps,
                start_bps=config.video.start_target_bps,
                max_bps=config.video.max_target_bps,
            ),
            is_adaptive=config.video.is_adaptive,
            prefer=config.video.prefer,
            ice=_ice_settings(config.ice, is_loopback_only=config.server.is_loopback),
        )
        note = None if self._decisions is None else self._decisions.viewer()
        return RtcPeer(settings, observer, self._clock, random.Random(), note)


def _ice_settings(config: IceConfig, *, is_loopback_only: bool) -> IceSettings:
    servers = tuple(
        IceServer(
            urls=server.urls,
            username=server.username,
            credential=None if server.credential is None else server.credential.get_secret_value(),
        )
        for server in config.servers
    )
    return IceSettings(servers, config.gather_timeout_ms, is_loopback_only=is_loopback_only)
