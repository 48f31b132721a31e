import asyncio
import errno
import socket
from types import SimpleNamespace

import pytest

from streamer.transport import path as path_module
from streamer.transport.path import Path


class Inbox(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.datagrams: list[bytes] = []

    def datagram_received(self, data: bytes, addr) -> None:  # noqa: ARG002 - asyncio calls it so
        self.datagrams.append(data)


class FullSocket(socket.socket):
    """A socket whose buffer is full for the next `full_for` calls."""

    full_for = 0

    def _check(self) -> None:
        if self.full_for:
            self.full_for -= 1
            raise BlockingIOError

    def sendto(self, *values):
        self._check()
        return super().sendto(*values)

    def sendmsg(self, *values):
        self._check()
        return super().sendmsg(*values)


class UnreachableSocket(socket.socket):
    """A socket of a machine that has just lost its network."""

    is_reachable = False

    def _check(self) -> None:
        if not self.is_reachable:
            raise OSError(errno.ENETUNREACH, "network is unreachable")

    def sendto(self, *values):
        self._check()
        return super().sendto(*values)

    def sendmsg(self, *values):
        self._check()
        return super().sendmsg(*values)


@pytest.fixture
async def route():
    """A path that leads to an inbox."""
    loop = asyncio.get_running_loop()
    receiving, inbox = await loop.create_datagram_endpoint(Inbox, local_addr=("127.0.0.1", 0))
    sending, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0))
    pair = SimpleNamespace(
        protocol=SimpleNamespace(transport=sending), remote_addr=receiving.get_extra_info("sockname")
    )
    path = Path(SimpleNamespace(_nominated={1: pair}))
    yield path, inbox
    path.close()
    sending.close()
    receiving.close()


def burst(sizes: list[int]) -> tuple[memoryview, list[bytes]]:
    datagrams = [bytes((number,)) * size for number, size in enumerate(sizes, start=1)]
    return memoryview(b"".join(datagrams)), datagrams


async def received(inbox: Inbox, count: int) -> list[bytes]:
    async with asyncio.timeout(5):
        while len(inbox.datagrams) < count:  # noqa: ASYNC110 - the kernel has no event to wait for
            await asyncio.sleep(0.001)
    return inbox.datagrams


@pytest.mark.parametrize(
    "sizes", [[1200], [1200] * 16, [1217, 1200, 1200, 700], [700, 1200, 1200], [1200, 300, 1200, 1200], [1200] * 64]
)
@pytest.mark.parametrize("has_segmentation", [True, False])
async def test_burst_arrives_whole_and_in_order(route, sizes, has_segmentation):
    path, inbox = route
    path._has_segmentation = has_segmentation
    view, datagrams = burst(sizes)

    path.send(view, sizes)

    assert await received(inbox, len(sizes)) == datagrams


async def test_kernel_that_refuses_segmentation_gets_single_datagrams(route, monkeypatch):
    path, inbox = route
    # The kernel answers an option that it does not know with EINVAL.
    monkeypatch.setattr(path_module, "_UDP_SEGMENT", 9999)
    view, datagrams = burst([1200] * 4)

    path.send(view, [1200] * 4)

    assert await received(inbox, 4) == datagrams
    assert not path._has_segmentation
    assert path.lost_datagrams == 0


async def test_network_that_is_gone_for_a_moment_does_not_end_segmentation(route):
    path, inbox = route
    path.send(*_one(b"first"))
    path._socket = UnreachableSocket(fileno=path._socket.detach())
    view, datagrams = burst([900] * 3)

    path.send(view, [900] * 3)
    path._socket.is_reachable = True
    path.send(view, [900] * 3)

    assert path.lost_datagrams == 3
    assert path._has_segmentation
    assert await received(inbox, 4) == [b"first", *datagrams]


async def test_transport_that_has_just_closed_is_nowhere_to_go(route):
    path, inbox = route
    pair = path._connection._nominated[1]
    working = pair.protocol.transport
    pair.protocol.transport = SimpleNamespace(get_extra_info=lambda _: SimpleNamespace(fileno=lambda: -1))

    path.send(*_one(b"lost"))
    pair.protocol.transport = working
    path.send(*_one(b"arrives"))

    assert path.lost_datagrams == 1
    assert await received(inbox, 1) == [b"arrives"]


@pytest.mark.parametrize("has_segmentation", [True, False])
async def test_what_the_kernel_does_not_take_at_once_waits_in_order(route, has_segmentation):
    path, inbox = route
    path.send(*_one(b"first"))
    path._socket = FullSocket(fileno=path._socket.detach())
    path._socket.full_for = 1
    path._has_segmentation = has_segmentation
    view, datagrams = burst([900] * 3)

    path.send(view, [900] * 3)
    path.send(*_one(b"last"))
    assert path.is_blocked
    assert path.refused_datagrams == 4
    assert path.flush()

    assert await received(inbox, 5) == [b"first", *datagrams, b"last"]
    assert not path.is_blocked


async def test_flush_stops_at_the_first_datagram_that_is_refused_again(route):
    path, inbox = route
    path.send(*_one(b"first"))
    path._socket = FullSocket(fileno=path._socket.detach())
    path._socket.full_for = 2
    path.send(*_one(b"second"))

    assert not path.flush()
    assert path.flush()

    assert await received(inbox, 2) == [b"first", b"second"]


async def test_datagrams_with_nowhere_to_go_are_counted():
    path = Path(SimpleNamespace(_nominated={}))

    path.send(*_one(b"x"))

    assert path.lost_datagrams == 1
    assert not path.is_blocked


async def test_pair_is_looked_up_for_every_burst(route):
    path, inbox = route
    path.send(*_one(b"here"))
    await received(inbox, 1)
    loop = asyncio.get_running_loop()
    other, other_inbox = await loop.create_datagram_endpoint(Inbox, local_addr=("127.0.0.1", 0))
    path._connection._nominated[1].remote_addr = other.get_extra_info("sockname")

    path.send(*_one(b"there"))

    assert await received(other_inbox, 1) == [b"there"]
    other.close()


async def test_relay_is_sent_through_its_transport():
    sent = []
    relay = SimpleNamespace(get_extra_info=lambda _: None, sendto=lambda data, addr: sent.append((data, addr)))
    pair = SimpleNamespace(protocol=SimpleNamespace(transport=relay), remote_addr=("192.0.2.1", 9))
    path = Path(SimpleNamespace(_nominated={1: pair}))
    view, datagrams = burst([3, 2])

    path.send(view, [3, 2])

    assert sent == [(datagrams[0], ("192.0.2.1", 9)), (datagrams[1], ("192.0.2.1", 9))]


def _one(datagram: bytes) -> tuple[memoryview, list[int]]:
    return memoryview(datagram), [len(datagram)]
