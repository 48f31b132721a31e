"""Find the addresses of a peer, and judge those that the viewer sends.

Owns gathering (which sockets are bound, which servers are asked and for how long) and the limits on remote candidates.
Connectivity checks are aioice's. RFC 8445; candidates are written as in RFC 8839, section 5.1.
"""

# ruff: noqa: SLF001
# Private names of the libraries are what this file is about: guard.py lists and checks them.

import asyncio
import ipaddress
import logging
import socket
from collections.abc import Coroutine, Sequence
from typing import Any, TypeAlias

from aioice import Candidate
from aioice.candidate import candidate_foundation, candidate_priority
from aioice.ice import Connection, get_host_addresses, relayed_candidate, server_reflexive_candidate
from aioice.mdns import is_mdns_hostname
from aiortc import RTCIceCandidate, RTCIceServer
from aiortc.rtcicetransport import parse_stun_turn_uri
from aiortc.sdp import candidate_from_sdp

from streamer.errors import ConfigError, RemoteProtocolError, TransportError
from streamer.transport.base import IceServer, IceSettings
from streamer.transport.guard import GuardedStunProtocol

logger = logging.getLogger(__name__)

# A browser sends a handful per network interface; more are a way to make us knock at strangers' doors.
MAX_CANDIDATES = 32
# With those that are of no use to us: TCP twins, addresses behind several servers. Each costs some microseconds.
MAX_CANDIDATE_MESSAGES = 256
# The longest line seen from browsers has about 200 bytes.
_MAX_CANDIDATE_BYTES = 1024
_COMPONENT_RTP = 1
_MAX_PORT = 65535
# RTCP, STUN and data channels arrive here: 256 KiB, which is what aioice asks for too.
_RECEIVE_BUFFER_BYTES = 262_144

_Found: TypeAlias = tuple[Candidate, "GuardedStunProtocol | None"]


def to_library_servers(settings: IceSettings) -> list[RTCIceServer]:
    """Return the STUN and TURN servers to ask; none when only this machine is served.

    Raises:
        ConfigError: a URL is not one of a STUN or TURN server.
    """
    if settings.is_loopback_only:
        return []
    return [_to_library_server(server) for server in settings.servers]


def _to_library_server(server: IceServer) -> RTCIceServer:
    for url in server.urls:
        try:
            parse_stun_turn_uri(url)
        except ValueError as exc:
            raise ConfigError(f"ice.servers: {url!r} is not stun:host[:port] or turn[s]:host[:port] ({exc})") from exc
    return RTCIceServer(urls=list(server.urls), username=server.username, credential=server.credential)


class Gathering:
    """Binds the sockets of one ICE connection and asks its servers, in bounded time. Replaces aioice's own way."""

    def __init__(self, connection: Connection, settings: IceSettings) -> None:
        self._connection = connection
        self._timeout_s = settings.gather_timeout_ms / 1000
        self._is_loopback_only = settings.is_loopback_only
        self._own_addresses: frozenset[str] = frozenset()
        connection.get_component_candidates = self._gather  # type: ignore[method-assign]

    async def _gather(self, component: int, addresses: list[str], timeout: float = 0) -> list[Candidate]:  # noqa: ARG002, ASYNC109 - aioice's signature; the bound is ours
        self._own_addresses = frozenset(get_host_addresses(use_ipv4=True, use_ipv6=True))
        protocols = []
        for address in addresses:
            protocol = await self._bind(component, address)
            if protocol is not None:
                protocols.append(protocol)
        return [protocol.local_candidate for protocol in protocols] + await self._ask_servers(component, protocols)

    async def _bind(self, component: int, address: str) -> GuardedStunProtocol | None:
        loop = asyncio.get_running_loop()
        try:
            transport, protocol = await loop.create_datagram_endpoint(self._make_protocol, local_addr=(address, 0))
        except OSError as exc:
            logger.info("no candidate on %s because %s", address, exc)
            return None
        self._connection._protocols.append(protocol)
        bound = transport.get_extra_info("socket")
        if bound is not None:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
        host, port = transport.get_extra_info("sockname")[:2]
        protocol.local_candidate = Candidate(
            foundation=candidate_foundation("host", "udp", host),
            component=component,
            transport="udp",
            priority=candidate_priority(component, "host"),
            host=host,
            port=port,
            type="host",
        )
        return protocol

    def _make_protocol(self) -> GuardedStunProtocol:
        return GuardedStunProtocol(self._connection, self._admits)

    def _admits(self, host: str) -> bool:
        if not self._is_loopback_only:
            return True
        return host in self._own_addresses or ipaddress.ip_address(host.partition("%")[0]).is_loopback

    async def _ask_servers(self, component: int, protocols: Sequence[GuardedStunProtocol]) -> list[Candidate]:
        questions = self._questions(component, protocols)
        if not questions:
            return []
        tasks = [asyncio.create_task(question) for question in questions]
        try:
            await asyncio.wait(tasks, timeout=self._timeout_s)
        finally:
            for task in tasks:
                task.cancel()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        return [candidate for answer in answers if (candidate := self._keep(answer)) is not None]

    def _questions(self, component: int, protocols: Sequence[GuardedStunProtocol]) -> list[Coroutine[Any, Any, _Found]]:
        connection = self._connection
        questions: list[Coroutine[Any, Any, Any]] = []
        if connection.stun_server is not None:
            # aioice asks STUN servers over IPv4 alone.
            over_ipv4 = (p for p in protocols if ":" not in p.local_candidate.host)
            questions += [server_reflexive_candidate(p, connection.stun_server) for p in over_ipv4]
        if connection.turn_server is not None:
            questions.append(
                relayed_candidate(
                    component=component,
                    hide_related_address=False,
                    protocol_factory=self._make_protocol,
                    turn_server=connection.turn_server,
                    turn_username=connection.turn_username,
                    turn_password=connection.turn_password,
                    turn_ssl=connection.turn_ssl,
                    turn_transport=connection.turn_transport,
                )
            )
        return questions

    def _keep(self, answer: _Found | BaseException) -> Candidate | None:
        if isinstance(answer, asyncio.CancelledError):
            logger.info(
                "a STUN or TURN server is left out because it did not answer in %.0f ms", self._timeout_s * 1000
            )
            return None
        if isinstance(answer, BaseException):
            logger.info("a STUN or TURN server is left out because of %r", answer)
            return None
        candidate, relay = answer
        if relay is not None:
            self._connection._protocols.append(relay)
        return candidate


def require_candidates(connection: Connection) -> None:
    """Check that there is an address to be reached at. Loopback is none: Chromium gathers nothing where it is alone.

    Raises:
        TransportError: there is none.
    """
    if not connection.local_candidates:
        raise TransportError(
            "ice",
            "this machine has no network address but loopback, over which browsers do not connect: give it one, for "
            "example `ip link add veth0 type veth peer name veth1 && ip address add 192.0.2.1/24 dev veth0 && "
            "ip link set veth0 up && ip link set veth1 up`",
        )


def parse_candidate(line: str) -> RTCIceCandidate | None:
    """Parse one remote candidate; return None for one that is of no use to us.

    No use: TCP, a second component, a host name other than `.local` (nothing is looked up), an address of nobody or in
    a zone.

    Raises:
        RemoteProtocolError: it cannot be parsed.
    """
    text = line.strip().removeprefix("a=").removeprefix("candidate:")
    if len(text) > _MAX_CANDIDATE_BYTES or not text.isprintable():
        raise RemoteProtocolError(f"candidate of {len(text)} characters")
    try:
        candidate = candidate_from_sdp(text)
    except (AssertionError, ValueError, LookupError) as exc:
        raise RemoteProtocolError(f"candidate {text[:80]!r} cannot be parsed") from exc
    if not 0 <= candidate.port <= _MAX_PORT:
        raise RemoteProtocolError(f"candidate {text[:80]!r} has no such port")
    is_useful = candidate.component == _COMPONENT_RTP and candidate.protocol.lower() == "udp" and candidate.port > 0
    return candidate if is_useful and _is_useful_host(candidate.ip) else None


def is_mdns(candidate: RTCIceCandidate) -> bool:
    """Return whether the candidate hides its address behind a `.local` name that has to be asked for."""
    return bool(is_mdns_hostname(candidate.ip))


def _is_useful_host(host: str) -> bool:
    if is_mdns_hostname(host):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    # RFC 4007, section 6: what a zone is called, its own machine alone knows. A long name makes a socket of ours fail.
    has_zone = "%" in host
    return not (address.is_multicast or address.is_unspecified or has_zone)
