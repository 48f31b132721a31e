import asyncio
import socket
import threading

import pytest
from aioice import stun

from streamer.errors import ConfigError, TransportError
from streamer.transport.base import IceServer, IceSettings
from tests.loopback.viewer import Observer, Viewer, join, make_peer, peer_settings

# Documentation addresses, RFC 5737: nobody has them.
REFLEXIVE = ("203.0.113.7", 40_000)
ABSENT = "203.0.113.1"


class StunServer(asyncio.DatagramProtocol):
    """Answers binding requests with an address that a NAT could have."""

    def connection_made(self, transport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr) -> None:
        request = stun.parse_message(data)
        answer = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, request.transaction_id)
        answer.attributes["XOR-MAPPED-ADDRESS"] = REFLEXIVE
        self.transport.sendto(bytes(answer), addr)


async def offer_of(settings: IceSettings) -> str:
    peer = make_peer(Observer(), peer_settings(ice=settings))
    try:
        async with asyncio.timeout(4):
            return await peer.offer()
    finally:
        await peer.close()


async def test_server_that_never_answers_costs_no_more_than_the_limit():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        server = IceServer((f"stun:127.0.0.1:{silent.getsockname()[1]}",))

        # The library alone would wait for 5 s.
        offer = await offer_of(IceSettings(servers=(server,), gather_timeout_ms=100))

        silent.setblocking(False)
        assert silent.recv(2048)
    assert "typ host" in offer
    assert "typ srflx" not in offer


async def test_server_that_answers_in_time_contributes_its_candidate():
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(StunServer, local_addr=("127.0.0.1", 0))
    try:
        server = IceServer((f"stun:127.0.0.1:{transport.get_extra_info('sockname')[1]}",))
        offer = await offer_of(IceSettings(servers=(server,), gather_timeout_ms=3000))
    finally:
        transport.close()

    assert f"{REFLEXIVE[0]} {REFLEXIVE[1]} typ srflx" in offer


async def test_no_server_is_asked_by_default():
    before = threading.active_count()

    offer = await offer_of(IceSettings())

    assert "typ srflx" not in offer
    assert threading.active_count() == before


async def test_no_server_is_asked_when_only_this_machine_is_served():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        silent.setblocking(False)
        server = IceServer((f"stun:127.0.0.1:{silent.getsockname()[1]}",))

        await offer_of(IceSettings(servers=(server,), is_loopback_only=True))

        with pytest.raises(BlockingIOError):
            silent.recv(2048)


async def test_url_that_is_no_server_is_named():
    with pytest.raises(ConfigError, match="http://example"):
        make_peer(Observer(), peer_settings(ice=IceSettings(servers=(IceServer(("http://example",)),))))


async def test_machine_with_no_address_but_loopback_is_told_what_to_do(monkeypatch, peer):
    monkeypatch.setattr("aioice.ice.get_host_addresses", lambda **_: [])

    with pytest.raises(TransportError, match="ip address add"):
        await peer.offer()


async def test_address_that_cannot_be_bound_is_left_out(monkeypatch, peer):
    monkeypatch.setattr("aioice.ice.get_host_addresses", lambda **_: [ABSENT])

    with pytest.raises(TransportError):
        await peer.offer()


async def test_peer_for_this_machine_alone_admits_its_own_addresses():
    observer, viewer = Observer(), Viewer()
    peer = make_peer(observer, peer_settings(ice=IceSettings(is_loopback_only=True)))
    try:
        await join(peer, viewer)
        admits = peer._gathering._admits

        assert admits("127.0.0.1")
        assert admits("::1")
        assert not admits(ABSENT)
    finally:
        await peer.close()
        await viewer.close()


async def test_offer_lists_the_candidates_and_their_end(peer):
    offer = await peer.offer()

    assert "a=end-of-candidates" in offer
    assert all(" udp " in line for line in offer.splitlines() if line.startswith("a=candidate:"))
