import os
import socket
from contextlib import suppress

import pytest

from streamer.bench.network.capacity import constant
from streamer.bench.network.link import Fate, LinkSettings
from streamer.bench.network.live.lane import Lane
from streamer.bench.network.live.packet_log import DOWN
from tests.fakes.ip_packets import rtp_packet, tcp_packet

# 1250 bytes leave in a millisecond.
_SETTINGS = LinkSettings(capacity=constant(10_000_000), delay_us=20_000, queue_us=1_500, outages=((50_000, 60_000),))
_ORIGIN_US = 7_000_000


@pytest.fixture
def device():
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    near.setblocking(False)
    with near, far:
        yield near.fileno(), far


@pytest.fixture
def lane(device):
    descriptor, _ = device
    return Lane(DOWN, -1, descriptor, _SETTINGS, seed=1)


def test_lane_delivers_what_is_due_and_writes_down_when(lane, device):
    _, far = device
    lane.begin(_ORIGIN_US)

    lane.push(rtp_packet(), _ORIGIN_US + 5_000)
    assert lane.next_us() == _ORIGIN_US + 26_000
    lane.deliver(_ORIGIN_US + 25_999)
    assert lane.packets == []
    lane.deliver(_ORIGIN_US + 26_010)

    assert far.recv(2_000) == rtp_packet()
    (packet,) = lane.packets
    assert packet.entered_us == _ORIGIN_US + 5_000
    assert packet.departed_us == _ORIGIN_US + 6_000
    assert packet.due_us == _ORIGIN_US + 26_000
    assert packet.delivered_us == _ORIGIN_US + 26_010
    assert (packet.size_bytes, packet.fate, packet.is_media) == (1250, Fate.CARRIED, True)
    assert lane.next_us() is None


def test_lane_limits_nothing_before_it_begins(lane):
    for _ in range(3):
        lane.push(tcp_packet(), 1_000)

    lane.deliver(21_000)

    assert [packet.due_us for packet in lane.packets] == [21_000] * 3


def test_what_entered_before_the_begin_still_arrives(lane, device):
    _, far = device
    lane.push(tcp_packet(), _ORIGIN_US - 1_000)

    lane.begin(_ORIGIN_US)
    lane.push(rtp_packet(), _ORIGIN_US)
    assert lane.next_us() == _ORIGIN_US + 19_000
    lane.deliver(_ORIGIN_US + 21_000)

    assert [far.recv(2_000) for _ in range(2)] == [tcp_packet(), rtp_packet()]


def test_lane_writes_down_what_does_not_get_through(lane):
    lane.begin(_ORIGIN_US)

    for _ in range(3):
        lane.push(rtp_packet(), _ORIGIN_US)
    lane.push(rtp_packet(), _ORIGIN_US + 55_000)

    # Two of a millisecond each wait already; the queue holds one and a half.
    assert [(packet.fate, packet.departed_us) for packet in lane.packets] == [
        (Fate.QUEUE_FULL, None),
        (Fate.LOST, None),
    ]


def test_device_that_is_full_loses_packets(lane, device):
    descriptor, _ = device
    with suppress(BlockingIOError):
        while True:
            os.write(descriptor, rtp_packet())
    lane.begin(_ORIGIN_US)
    lane.push(rtp_packet(), _ORIGIN_US)

    lane.deliver(_ORIGIN_US + 21_000)

    assert len(lane.packets) == 1
