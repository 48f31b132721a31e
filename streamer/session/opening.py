"""Put a session together from a configuration: the one place where it meets its transport."""

import ipaddress
import random

from streamer.clock import Clock
from streamer.config import Config, IceServerConfig
from streamer.session.session import Session
from streamer.transport.base import IceServer, IceSettings, Peer, PeerObserver, PeerSettings
from streamer.transport.peer import RtcPeer


async def open_session(config: Config, clock: Clock) -> Session:
    """Open a session; whoever called closes it.

    Raises:
        ConfigError: something that the configuration names is not there.
        DeviceError: a device does not open, or no encoder can run here.
    """

    def make_peer(observer: PeerObserver, codecs: tuple[str, ...]) -> Peer:
        return RtcPeer(peer_settings(config, codecs), observer, clock, random.Random())

    session = Session(config, make_peer, clock)
    await session.open()
    return session


def peer_settings(config: Config, codecs: tuple[str, ...]) -> PeerSettings:
    """Return what a peer of this session offers."""
    return PeerSettings(
        codecs=codecs,
        largest=config.session.size,
        fps=config.session.fps,
        start_target_bps=config.video.start_target_bps,
        max_target_bps=config.video.max_target_bps,
        ice=IceSettings(
            servers=tuple(map(_ice_server, config.ice.servers)),
            gather_timeout_ms=config.ice.gather_timeout_ms,
            is_loopback_only=_is_loopback(config.server.host),
        ),
    )


def _ice_server(server: IceServerConfig) -> IceServer:
    credential = server.credential.get_secret_value() if server.credential is not None else None
    return IceServer(server.urls, server.username, credential)


def _is_loopback(host: str) -> bool:
    """Whether only this machine can reach the page, and so only this machine has business with the media."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
