import asyncio
import random
import socket
import struct

import pytest
from aioice import stun
from google_crc32c import value as crc32c

from streamer.transport.base import CONTROL, IceSettings
from tests.loopback.viewer import Clip, Observer, Viewer, join, make_peer, peer_settings, play, until


def protocols(peer):
    return peer._ice._connection._protocols


def address_of(peer) -> tuple[str, int]:
    local = protocols(peer)[0].local_candidate
    return local.host, local.port


async def dropped(peer, at_least: int) -> None:
    await until(lambda: sum(protocol.dropped_datagrams for protocol in protocols(peer)) >= at_least)


def strange_datagrams() -> list[bytes]:
    rng = random.Random(3)
    heads = [b"", b"\x16", b"\x15\xfe\xfd", b"\x80\xc8", b"\x80\x60", b"\x00\x01", b"\x01\x01"]
    return heads + [head + rng.randbytes(40) for head in heads]


async def test_stranger_does_not_disturb_an_established_connection(joined, observer):
    peer, viewer = joined
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for datagram in strange_datagrams():
            stranger.sendto(datagram, address_of(peer))
    await dropped(peer, len(strange_datagrams()))

    assert peer.send(CONTROL, "still there?")
    await play(peer, Clip(), 1)

    await until(lambda: bool(viewer.messages and viewer.packets))
    assert observer.failures == []


async def test_stranger_does_not_disturb_a_connection_that_is_being_made(peer, viewer, observer):
    offer = await peer.offer()
    answer = await viewer.answer(offer)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for datagram in strange_datagrams():
            stranger.sendto(datagram, address_of(peer))
        await peer.answer(answer)
        for datagram in strange_datagrams():
            stranger.sendto(datagram, address_of(peer))

    await until(lambda: bool(observer.codecs or observer.failures))
    assert observer.codecs == ["h264"]


async def test_empty_datagram_of_the_viewer_is_dropped(joined, observer):
    peer, viewer = joined
    pair = viewer.dtls.transport._connection._nominated[1]

    with socket.socket(fileno=socket.dup(pair.protocol.transport.get_extra_info("socket").fileno())) as own:
        own.sendto(b"", pair.remote_addr)
    await dropped(peer, 1)

    assert peer.send(CONTROL, "still there?")
    await until(lambda: bool(viewer.messages))
    assert observer.failures == []


async def test_datagrams_from_off_the_machine_are_dropped_before_they_are_parsed(monkeypatch):
    observer, viewer = Observer(), Viewer()
    peer = make_peer(observer, peer_settings(ice=IceSettings(is_loopback_only=True)))
    await join(peer, viewer)
    try:
        parsed = []
        monkeypatch.setattr("aioice.stun.parse_message", parsed.append)
        protocol = protocols(peer)[0]

        protocol.datagram_received(b"\x00\x01" + bytes(18), ("203.0.113.1", 4000))
        protocol.datagram_received(b"\x16" + bytes(18), ("203.0.113.1", 4000))

        assert protocol.dropped_datagrams == 2
        assert parsed == []
    finally:
        monkeypatch.undo()
        await peer.close()
        await viewer.close()


async def test_check_without_a_priority_is_dropped(peer, viewer, observer):
    answer = await viewer.answer(await peer.offer())
    await peer.answer(answer)
    await until(lambda: bool(observer.codecs))
    connection = peer._ice._connection
    request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    request.attributes["USERNAME"] = f"{connection.local_username}:{connection.remote_username}"
    request.add_message_integrity(connection.local_password.encode())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.sendto(bytes(request), address_of(peer))

    await dropped(peer, 1)
    assert observer.failures == []


def sctp_packet(viewer, chunk: bytes) -> bytes:
    sctp = viewer.connection.sctp
    head = struct.pack("!HHL", sctp._local_port, sctp._remote_port, sctp._remote_verification_tag)
    return head + struct.pack("<L", crc32c(head + bytes(4) + chunk)) + chunk


async def test_data_channel_packets_with_bad_lengths_are_dropped(joined, observer):
    _, viewer = joined
    for chunk in (b"\x82\x00\x00\x08\x00\x0d\x00\x00", b"\x04\x00\x00\x08\x00\x01\x00\x01", b"\x03\x00\x00\x04"):
        await viewer.dtls._send_data(sctp_packet(viewer, chunk))

    viewer.channels[CONTROL].send("still there?")

    await until(lambda: observer.messages == [(CONTROL, "still there?")])
    assert observer.failures == []


async def test_data_channel_packet_out_of_place_ends_that_peer_alone(joined, observer):
    _, viewer = joined
    other_observer, other_viewer = Observer(), Viewer()
    other = make_peer(other_observer)
    try:
        await join(other, other_viewer)
        # An acknowledgement for a channel that does not exist.
        data = struct.pack("!LHHL", viewer.connection.sctp._local_tsn, 77, 0, 50) + b"\x02"
        chunk = struct.pack("!BBH", 0, 3, 4 + len(data)) + data + bytes(-len(data) % 4)
        await viewer.dtls._send_data(sctp_packet(viewer, chunk))

        await until(lambda: bool(observer.failures))
        assert observer.failures[0][0] == "protocol_error"
        assert other.send(CONTROL, "you are fine")
        await until(lambda: bool(other_viewer.messages))
    finally:
        await other.close()
        await other_viewer.close()


def data_chunk(tsn: int, stream: int, user_data: bytes, *, flags: int = 0) -> bytes:
    value = struct.pack("!LHHL", tsn & 0xFFFFFFFF, stream, 0, 53) + user_data
    return struct.pack("!BBH", 0, flags, 4 + len(value)) + value + bytes(-len(value) % 4)


FIRST, UNORDERED_WHOLE = 2, 7


async def send_until_refused(peer, viewer, observer, chunks) -> int:
    """Hand chunks straight to the guarded entry: SCTP's own flow control would hold an honest sender back."""
    sent = 0
    for chunk in chunks:
        await peer._sctp._handle_data(sctp_packet(viewer, chunk))
        await asyncio.sleep(0)
        if observer.failures:
            break
        sent += 1
    return sent


async def test_unfinished_messages_end_the_peer_when_they_exceed_the_window(joined, observer):
    peer, viewer = joined
    most = peer._sctp._advertised_rwnd // 1100
    tsn = viewer.connection.sctp._local_tsn
    chunks = (data_chunk(tsn + number, 1, bytes(1100), flags=0 if number else FIRST) for number in range(most + 2))

    assert await send_until_refused(peer, viewer, observer, chunks) == most + 1
    assert observer.failures[0][0] == "protocol_error"


@pytest.mark.parametrize("kind", ["out of order", "short", "on many channels"])
async def test_unfinished_chunks_end_the_peer_when_they_are_more_than_a_window_has(joined, observer, kind):
    peer, viewer = joined
    tsn = viewer.connection.sctp._local_tsn
    make = {
        # Whole messages, with a gap before each.
        "out of order": lambda number: data_chunk(tsn + 2 * number + 1, 1, b"x", flags=UNORDERED_WHOLE),
        "short": lambda number: data_chunk(tsn + number, 1, b"x", flags=0 if number else FIRST),
        "on many channels": lambda number: data_chunk(tsn + number, number, b"x", flags=UNORDERED_WHOLE),
    }[kind]

    sent = await send_until_refused(peer, viewer, observer, map(make, range(1100)))

    assert sent < 1100
    assert observer.failures[0][0] == "protocol_error"


async def test_data_channel_packet_that_cannot_be_answered_ends_that_peer_alone(joined, observer):
    peer, viewer = joined
    tsn = viewer.connection.sctp._local_tsn
    peer._dtls._ssl.shutdown()

    await peer._sctp._handle_data(sctp_packet(viewer, data_chunk(tsn, 1, b"x", flags=UNORDERED_WHOLE)))

    await until(lambda: bool(observer.failures))
    assert observer.failures[0][0] == "protocol_error"


def to_peer(viewer, chunk: bytes) -> bytes:
    return sctp_packet(viewer, chunk)


@pytest.mark.parametrize("seed", range(4))
async def test_random_rtcp_of_the_viewer_harms_nobody(joined, observer, seed):
    peer, viewer = joined
    rng = random.Random(seed)
    for _ in range(50):
        body = bytes([0x80 | rng.randrange(32), rng.choice([200, 201, 205, 206, 207])]) + rng.randbytes(
            rng.randrange(60)
        )
        await peer._received_rtcp(body)

    assert peer.send(CONTROL, "still there?")
    await until(lambda: bool(viewer.messages))
    assert observer.failures == []
