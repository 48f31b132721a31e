"""The link with real sockets at its ends. What is compared is order, counts and the log: never how long it took."""

import socket
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from streamer.bench.network.capacity import constant
from streamer.bench.network.link import Fate, LinkSettings
from streamer.bench.network.live.emulated_link import SERVER_ADDRESS, VIEWER_ADDRESS, EmulatedLink
from streamer.bench.network.live.lane import Course
from streamer.bench.network.live.namespace import Namespace
from streamer.errors import SessionError

_DELAY_US = 5_000
# As RTP begins.
_MEDIA = b"\x80".ljust(1_172, b"\0")
_IP_AND_UDP_BYTES = 28
_LIMIT_S = 20
_NAMESPACE = Path("/proc/thread-self/ns/net")


def _socket(side, address):
    # A socket belongs to the namespace in which it was made.
    with side.inside():
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.settimeout(_LIMIT_S)
    made.bind((address, 0))
    return made


def _link(down):
    return EmulatedLink(Course(down, LinkSettings(delay_us=_DELAY_US), seed=1))


def test_what_is_sent_arrives_and_is_written_down():
    with (
        _link(LinkSettings(capacity=constant(100_000_000), delay_us=_DELAY_US)) as link,
        _socket(link.server_side, SERVER_ADDRESS) as server,
        _socket(link.viewer_side, VIEWER_ADDRESS) as viewer,
    ):
        for number in range(20):
            server.sendto(_MEDIA + bytes([number]), viewer.getsockname())
        received = [viewer.recvfrom(2_000) for _ in range(20)]
        viewer.sendto(b"thanks", server.getsockname())
        thanks = server.recvfrom(2_000)
        addresses = server.getsockname(), viewer.getsockname()
        log = link.finish()

    assert received == [(_MEDIA + bytes([number]), addresses[0]) for number in range(20)]
    assert thanks == (b"thanks", addresses[1])
    assert [packet.size_bytes for packet in log.down] == [len(_MEDIA) + 1 + _IP_AND_UDP_BYTES] * 20
    assert [packet.is_media for packet in log.up] == [False]
    for packet in (*log.down, *log.up):
        assert packet.fate is Fate.CARRIED
        assert packet.delivered_us >= packet.due_us >= packet.entered_us + _DELAY_US


def test_what_does_not_fit_into_the_queue_is_lost_and_written_down():
    # Each packet takes 1.2 ms to send; the queue holds what takes 2 ms.
    settings = LinkSettings(capacity=constant(8_000_000), delay_us=_DELAY_US, queue_us=2_000)
    with (
        _link(settings) as link,
        _socket(link.server_side, SERVER_ADDRESS) as server,
        _socket(link.viewer_side, VIEWER_ADDRESS) as viewer,
    ):
        for _ in range(200):
            server.sendto(_MEDIA, viewer.getsockname())
        viewer.recv(2_000)
        viewer.sendto(b"the end", server.getsockname())
        server.recv(2_000)
        log = link.finish()

    assert len(log.down) == 200
    assert {packet.fate for packet in log.down} == {Fate.CARRIED, Fate.QUEUE_FULL}
    assert all(packet.queue_us <= 2_000 + 1_200 for packet in log.down if packet.queue_us is not None)


def test_nothing_of_the_link_is_left():
    before = _descriptors()

    with _link(LinkSettings()) as link:
        pid, log_file = link.pid, link.log_file
        assert psutil.pid_exists(pid)

    assert not psutil.pid_exists(pid)
    assert not log_file.parent.exists()
    assert _descriptors() == before


def test_run_without_media_has_no_log():
    with _link(LinkSettings()) as link, pytest.raises(SessionError, match="no media"):
        link.finish()


def test_thread_comes_home_from_a_namespace_after_a_failure():
    home = _NAMESPACE.readlink()

    with Namespace() as namespace, suppress(ZeroDivisionError), namespace.inside():
        inside = _NAMESPACE.readlink()
        raise ZeroDivisionError

    assert inside != home
    assert _NAMESPACE.readlink() == home


def _descriptors():
    return {entry.name for entry in Path("/proc/self/fd").iterdir()}
