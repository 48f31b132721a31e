import socket
from collections.abc import Iterator

import pytest

from streamer.bench.relay import Relay
from streamer.clock import SystemClock
from tests.fakes.clock import ManualClock

HOST = "127.0.0.1"
# The wait for what must arrive. What must not arrive is followed by something that must.
WAIT_S = 10


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def relay(clock) -> Iterator[Relay]:
    with Relay(HOST, clock) as relay:
        yield relay


def bound() -> socket.socket:
    endpoint = socket.socket(type=socket.SOCK_DGRAM)
    endpoint.bind((HOST, 0))
    endpoint.settimeout(WAIT_S)
    return endpoint


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with bound() as endpoint:
        yield endpoint


@pytest.fixture
def viewer(relay, server) -> Iterator[socket.socket]:
    relay.lead_to(server.getsockname())
    with bound() as endpoint:
        endpoint.connect(relay.address)
        yield endpoint


def test_relay_forwards_in_both_directions(viewer, server):
    viewer.send(b"question")
    question, relay_address = server.recvfrom(100)
    server.sendto(b"answer", relay_address)

    assert question == b"question"
    assert viewer.recv(100) == b"answer"


def test_relay_drops_everything_until_the_silence_ends(relay, viewer, server, clock):
    viewer.send(b"before")
    _, relay_address = server.recvfrom(100)

    began_ms, ends_ms = relay.silence(700)
    viewer.send(b"lost")
    server.sendto(b"lost", relay_address)
    _until_dropped(relay, 2)
    clock.at_us = round(ends_ms * 1000)
    viewer.send(b"after")
    server.sendto(b"after", relay_address)

    assert ends_ms - began_ms == 700
    assert server.recv(100) == b"after"
    assert viewer.recv(100) == b"after"


def test_relay_has_nowhere_to_send_before_it_knows_the_server(relay):
    with bound() as stranger:
        stranger.sendto(b"early", relay.address)
        _until_dropped(relay, 1)

    assert relay.forwarded_datagrams == 0


def _until_dropped(relay: Relay, count: int) -> None:
    clock = SystemClock()
    ends_us = clock.now_us() + WAIT_S * 1_000_000
    while relay.dropped_datagrams < count:
        assert clock.now_us() < ends_us, "the datagrams were not dropped"
