"""The composition root of `streamer serve`: opens a session and its server, and closes them in reverse.

Ctrl-C and SIGTERM stop at any moment, also while devices are still being opened.
"""

import asyncio
import json
import logging
import random
import signal
import sys
from typing import Any

import click

from streamer.allocator import return_large_blocks
from streamer.clock import Clock, SystemClock
from streamer.config import Config, IceConfig, LogConfig, LogFormat, LogLevel
from streamer.congestion.decision import RateLimits
from streamer.errors import SessionError
from streamer.media.frame import Resolution
from streamer.server.app import Server
from streamer.session.door import Ended, Event, Opened
from streamer.session.session import Session
from streamer.transport.base import IceServer, IceSettings, Peer, PeerObserver, PeerSettings
from streamer.transport.decision_log import DecisionLog
from streamer.transport.peer import RtcPeer

logger = logging.getLogger(__name__)

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
# Libraries that log each packet or candidate at info.
_TALKATIVE = ("aioice", "aiortc", "aiohttp.access")


def run(config: Config) -> None:
    """Serve until a signal comes or the session ends.

    Raises:
        ConfigError: something that the configuration names is not there, or cannot be.
        StreamerError: a device failed.
    """
    return_large_blocks()
    set_up_logging(config.log)
    asyncio.run(_Run(config, SystemClock()).run())


def set_up_logging(config: LogConfig) -> None:
    """Log to standard error, for people or for machines."""
    output = logging.StreamHandler(sys.stderr)
    if config.format is LogFormat.JSON:
        output.setFormatter(_JsonFormatter())
    else:
        output.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    logging.basicConfig(level=config.level.value.upper(), handlers=[output], force=True)
    if config.level is not LogLevel.DEBUG:
        for name in _TALKATIVE:
            logging.getLogger(name).setLevel(logging.WARNING)


class _JsonFormatter(logging.Formatter):
    """One object per line, with the names that log collectors look for."""

    def format(self, record: logging.LogRecord) -> str:
        content: dict[str, Any] = {
            "time": self.formatTime(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            content["exception"] = self.formatException(record.exc_info)
        return json.dumps(content)


class _Run:
    """One run, from open to closed. `_stopped` is set by a signal or by the end of the session."""

    def __init__(self, config: Config, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._stopped = asyncio.Event()
        self._failure: str | None = None
        self._decisions: DecisionLog | None = None

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self._stop)
        config = self._config
        server = Server(config.server, self._clock, ice=config.ice, resume_timeout_ms=config.session.resume_timeout_ms)
        server.bind()
        try:
            if config.video.decisions_log is not None:
                self._decisions = DecisionLog(config.video.decisions_log)
            await self._serve(server)
        finally:
            await server.stop("the server stops")
            if self._decisions is not None:
                self._decisions.close()
        if self._failure is not None:
            raise SessionError(f"the session ended because {self._failure}")

    async def _serve(self, server: Server) -> None:
        session = Session(self._config, self._make_peer, self._clock)
        session.subscribe(self._hear)
        if not await self._unless_stopped(session):
            return
        try:
            await server.start(session)
            click.echo(f"Open {server.invitation} in a browser. Ctrl-C stops.")
            await self._stopped.wait()
            # Goodbyes first: viewers shall hear that the server stops, not that the session failed them.
            await server.stop("the server stops")
        finally:
            await session.close()

    async def _unless_stopped(self, session: Session) -> bool:
        """Open the session; return False when a signal came first."""
        opening = asyncio.create_task(session.open(), name="opening of the session")
        stopping = asyncio.create_task(self._stopped.wait(), name="wait for a signal")
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

    def _stop(self) -> None:
        self._stopped.set()
        # A second signal does what it does to every program.
        for number in _SIGNALS:
            asyncio.get_running_loop().remove_signal_handler(number)

    def _hear(self, event: Event) -> None:
        if isinstance(event, Opened):
            size = f"{event.width_px}x{event.height_px}"
            click.echo(f"Streaming {event.source}, {size} at {event.fps:g} fps: {event.encoder}.")
        elif isinstance(event, Ended):
            self._failure = event.reason if event.is_failure else None
            if not event.is_failure and not self._stopped.is_set():
                click.echo(f"The session ended because {event.reason}.")
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
