"""Everything that leaves a peer besides STUN, DTLS and data channels: counted across streams, paced, encrypted, sent.

Owns the transport-wide sequence number, the alarm of the flow that decides when packets leave, and the buffer in which
they are made. What a packet says is its stream's affair (packets.py), where it goes is path.py's. Encryption is
RFC 3711 by libsrtp, in place.
"""

# ruff: noqa: SLF001
# Private names of the libraries are what this file is about: guard.py lists and checks them.

from collections.abc import Callable, Sequence
from itertools import groupby
from operator import attrgetter
from typing import TypeAlias

from aiortc import RTCDtlsTransport
from pylibsrtp._binding import ffi, lib

from streamer.clock import Clock
from streamer.congestion.flow import Flow
from streamer.congestion.pacer import Priority
from streamer.media.trace import FrameTrace, Stage
from streamer.transport.packets import MediaPacket, RtxPacket
from streamer.transport.path import Path

Packet: TypeAlias = MediaPacket | RtxPacket
MakePadding: TypeAlias = Callable[[int], Sequence[Packet]]

# What is written and encrypted before the kernel is called, and taken by it in one call (path.py): a frame of 25 Mbit/s
# at 60 fps, where the path is so wide that it leaves in one burst.
_BATCH_PACKETS = 52
# 1200 bytes of payload, header, extensions and SRTP's trailer.
_SLOT_BYTES = 1500
# When the kernel's buffer is full, a burst of 16 packets has left after 1 ms on a path of 150 Mbit/s; slower ones are
# asked a few times more.
_RETRY_US = 1_000
_NUMBER_MASK = 0xFFFF
_PRIORITY_OF = attrgetter("priority")


class Egress:
    """The one way out of a peer. Used on the event loop only.

    `make_padding` returns packets of at least so many bytes in all that may be sent to find out what the path carries,
    or none where there is nothing to send. `on_woken` is called when the flow has asked to be looked at.
    """

    def __init__(
        self,
        dtls: RTCDtlsTransport,
        flow: Flow[Packet],
        make_padding: MakePadding,
        on_woken: Callable[[int], None],
        clock: Clock,
    ) -> None:
        self._dtls = dtls
        self._flow = flow
        self._make_padding = make_padding
        self._on_woken = on_woken
        self._clock = clock
        self._path = Path(dtls.transport._connection)
        self._alarm = clock.alarm(self._woken)
        self._wake_us: int | None = None
        self._is_open = True
        self._buffer = bytearray(_BATCH_PACKETS * _SLOT_BYTES)
        self._view = memoryview(self._buffer)
        self._base = ffi.from_buffer("unsigned char[]", self._buffer, require_writable=True)
        self._length = ffi.new("int *")
        # Traces of frames whose last datagram the kernel has not taken yet.
        self._unstamped: list[FrameTrace] = []
        self.next_index = 0
        self.packets_sent = 0
        self.bytes_sent = 0

    @property
    def lost_datagrams(self) -> int:
        """How many datagrams the kernel refused for good, or that had nowhere to go."""
        return self._path.lost_datagrams

    @property
    def refused_datagrams(self) -> int:
        """How many datagrams had to be offered to the kernel again."""
        return self._path.refused_datagrams

    def send(self, packets: Sequence[Packet], priority: Priority, now_us: int) -> None:
        """Hand over packets of one stream, in order; they leave when the flow says so."""
        if self._is_open:
            self._flow.enqueue(packets, priority, now_us)
            self.pump(now_us)

    def pump(self, now_us: int) -> None:
        """Send what may leave now: to be called when the flow has learned something."""
        if not self._is_open:
            return
        if not self._path.is_blocked or self._path.flush():
            self._write(self._flow.release(now_us), now_us)
            padding_bytes = self._flow.padding_due_bytes(now_us)
            if padding_bytes:
                self._write(self._make_padding(padding_bytes), now_us)
        if self._path.is_blocked:
            self._arm(now_us + _RETRY_US)
        else:
            self._stamp()
            self._arm(self._flow.next_wake_us())

    def send_rtcp(self, compound: bytes) -> None:
        """Encrypt and send RTCP at once."""
        session = self._dtls._tx_srtp
        if self._is_open and session is not None:
            protected = session.protect_rtcp(compound)
            self._path.send(memoryview(protected), (len(protected),))

    def close(self) -> None:
        """Drop what waits, give up the descriptor and the buffer."""
        self._is_open = False
        self._alarm.close()
        self._path.close()
        self._unstamped.clear()
        self._flow.clear()
        # Whoever made these holds this egress in turn: memory is free before the collector comes by.
        self._make_padding, self._on_woken = _no_padding, _do_nothing
        self._base, self._view, self._buffer = ffi.NULL, memoryview(b""), bytearray()

    def _write(self, packets: Sequence[Packet], now_us: int) -> None:
        for priority, run in groupby(packets, _PRIORITY_OF):
            alike = list(run)
            for first in range(0, len(alike), _BATCH_PACKETS):
                self._write_batch(alike[first : first + _BATCH_PACKETS], priority, now_us)

    def _write_batch(self, packets: Sequence[Packet], priority: Priority, now_us: int) -> None:
        session = self._dtls._tx_srtp._srtp[0]
        view, base, length, protect = self._view, self._base, self._length, lib.srtp_protect
        sizes_bytes = []
        at, first_index = 0, self.next_index
        for index, packet in enumerate(packets, first_index):
            length[0] = packet.write(view, at, now_us, index & _NUMBER_MASK) - at
            error = protect(session, base + at, length)
            if error:
                raise RuntimeError(f"libsrtp refuses to encrypt a packet of {length[0]} bytes (error {error})")
            sizes_bytes.append(length[0])
            at += length[0]
            if packet.trace is not None:
                self._unstamped.append(packet.trace)
        self.next_index += len(sizes_bytes)
        self.packets_sent += len(sizes_bytes)
        self.bytes_sent += at
        # Nobody misses a copy that was sent to fill a probe.
        named = None if priority is Priority.PADDING else packets
        self._flow.sent(first_index, sizes_bytes, now_us, priority, named)
        self._path.send(view[:at], sizes_bytes)

    def _stamp(self) -> None:
        if self._unstamped:
            now_us = self._clock.now_us()
            for trace in self._unstamped:
                trace.stamp(Stage.SEND, now_us)
            self._unstamped.clear()

    def _arm(self, wake_us: int | None) -> None:
        if wake_us == self._wake_us:
            return
        self._wake_us = wake_us
        if wake_us is None:
            self._alarm.clear()
        else:
            self._alarm.set(wake_us)

    def _woken(self) -> None:
        self._wake_us = None
        now_us = self._clock.now_us()
        self._on_woken(now_us)
        self.pump(now_us)


def _no_padding(size_bytes: int) -> Sequence[Packet]:  # noqa: ARG001 - the signature of a maker of padding
    return ()


def _do_nothing(now_us: int) -> None:
    """Do nothing."""
