"""The packets of one RTP stream, from a frame's payloads to bytes in the egress's buffer.

Owns SSRCs, sequence numbers, timestamps and the history from which packets are sent again. When a packet leaves is the
pacer's business. RFC 3550, section 5.1; RFC 4588.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from streamer.congestion.pacer import Priority
from streamer.media.frame import EncodedFrame
from streamer.media.timeline import RtpTimeline
from streamer.media.trace import FrameTrace
from streamer.rtp.header import HeadWriter
from streamer.rtp.history import SendHistory, SentPacket
from streamer.rtp.rtx import make_payload

# What a probe is filled with: enough packets that a copy rarely comes twice.
_FILL_PACKETS = 32
# SRTP's longest tag in use: AES-GCM's.
_TAG_BYTES = 16
_SEQUENCE_MASK = 0xFFFF
# RFC 3711, 3.3.1: a first number in the lower half leaves no doubt about the rollover counter when early packets are
# lost.
_FIRST_SEQUENCES = 1 << 15


@dataclass(frozen=True, slots=True)
class StreamParameters:
    """What was negotiated for a stream."""

    payload_type: int
    rtx_payload_type: int | None
    extension_ids: dict[str, int]
    mid: str


def _ignore(sequence: int, sent_at_us: int) -> None:
    """Do nothing."""


class Stream:
    """The numbers of one RTP stream. Used on the event loop only."""

    def __init__(self, ssrc: int, rtx_ssrc: int, parameters: StreamParameters, rng: random.Random) -> None:
        self.ssrc = ssrc
        self.rtx_payload_type = parameters.rtx_payload_type
        shared = parameters.extension_ids, parameters.mid
        self.heads = HeadWriter(parameters.payload_type, ssrc, *shared)
        # Nothing is resent where no payload type was agreed upon for it.
        self.rtx_heads = HeadWriter(parameters.rtx_payload_type or 0, rtx_ssrc, *shared)
        self.history = SendHistory()
        self.overhead_bytes = self.heads.largest_bytes + _TAG_BYTES
        self.octets = 0
        self.packets = 0
        self.packets_retransmitted = 0
        # Told the number of each packet whose copy leaves, and when.
        self.on_resent: Callable[[int, int], None] = _ignore
        self._next_sequence = rng.randrange(_FIRST_SEQUENCES)
        self._next_rtx_sequence = rng.randrange(_FIRST_SEQUENCES)
        self.timeline = RtpTimeline(rng.getrandbits(32))

    def forget(self) -> None:
        """Let go of the payloads in the history, which refers to this stream in turn."""
        self.history = SendHistory(capacity=1)
        self.on_resent = _ignore

    @property
    def next_sequence(self) -> int:
        """The number of the next packet that is not a resend."""
        return self._next_sequence

    def packetize(self, frame: EncodedFrame, capture_ntp: int | None) -> list["MediaPacket"]:
        """Return the packets of a frame; the first one carries `capture_ntp` if that is given."""
        timestamp = self.timeline.timestamp(frame.capture_us)
        first = self._next_sequence
        packets = [
            MediaPacket(self, payload, sequence & _SEQUENCE_MASK, timestamp)
            for sequence, payload in enumerate(frame.payloads, first)
        ]
        packets[0].capture_ntp = capture_ntp
        packets[-1].marker = True
        packets[-1].trace = frame.trace
        self._next_sequence = first + len(packets) & _SEQUENCE_MASK
        return packets

    def resend(self, lost: Sequence[SentPacket]) -> list["RtxPacket"]:
        """Return copies of sent packets on the RTX stream."""
        first = self._next_rtx_sequence
        self._next_rtx_sequence = first + len(lost) & _SEQUENCE_MASK
        return [RtxPacket(self, packet, first + number & _SEQUENCE_MASK) for number, packet in enumerate(lost)]

    def fill(self, size_bytes: int) -> list["RtxPacket"]:
        """Return packets of at least so many bytes in all, to find out what the path carries.

        They are copies of the newest packets, which mend a loss by the way; padding is 255 bytes a packet at most, so
        that five times as many would be needed. Without RTX, and before the first packet, there are none.
        """
        if self.rtx_payload_type is None:
            return []
        newest = self.history.newest(_FILL_PACKETS)
        copied: list[SentPacket] = []
        while newest and size_bytes > 0:
            copied.append(newest[len(copied) % len(newest)])
            size_bytes -= copied[-1].size_bytes
        copies = self.resend(copied)
        for packet in copies:
            packet.priority = Priority.PADDING
        return copies


class MediaPacket(SentPacket):
    """A packet that is sent for the first time, and remembers itself. `trace` is its frame's, on the last packet."""

    __slots__ = ("_stream", "capture_ntp", "trace")
    priority = Priority.VIDEO

    @property
    def media_sequence(self) -> int:
        """The number under which the viewer misses what this packet carries."""
        return self.sequence

    def __init__(self, stream: Stream, payload: bytes, sequence: int, timestamp: int) -> None:
        # What SentPacket's own constructor does, at half its cost: this is done thousands of times a second.
        self.sequence = sequence
        self.payload = payload
        self.timestamp = timestamp
        self.marker = False
        self.sent_at_us = 0
        self.size_bytes = len(payload) + stream.overhead_bytes
        self.retransmitted_at_us: int | None = None
        self._stream = stream
        self.capture_ntp: int | None = None
        self.trace: FrameTrace | None = None

    def write(self, buffer: memoryview, offset: int, now_us: int, transport_number: int) -> int:
        """Write the packet at `offset`, remember it, and return where it ends."""
        stream, payload = self._stream, self.payload
        at = stream.heads.write(
            buffer,
            offset,
            self.sequence,
            self.timestamp,
            now_us,
            transport_number,
            marker=self.marker,
            capture_ntp=self.capture_ntp,
        )
        end = at + len(payload)
        buffer[at:end] = payload
        stream.packets += 1
        stream.octets += len(payload)
        self.sent_at_us = now_us
        stream.history.add(self)
        return end


class RtxPacket:
    """A packet that is sent again, or once more to find out what the path carries."""

    __slots__ = ("_lost", "_sequence", "_stream", "priority", "size_bytes", "trace")

    def __init__(self, stream: Stream, lost: SentPacket, sequence: int) -> None:
        self._stream = stream
        self._lost = lost
        self._sequence = sequence
        self.size_bytes = lost.size_bytes
        self.priority = Priority.RETRANSMISSION
        self.trace: FrameTrace | None = None

    @property
    def media_sequence(self) -> int:
        """The number under which the viewer misses what this packet carries."""
        return self._lost.sequence

    def write(self, buffer: memoryview, offset: int, now_us: int, transport_number: int) -> int:
        """Write the packet at `offset` and return where it ends."""
        stream, lost = self._stream, self._lost
        at = stream.rtx_heads.write(
            buffer, offset, self._sequence, lost.timestamp, now_us, transport_number, marker=lost.marker
        )
        payload = make_payload(lost.sequence, lost.payload)
        end = at + len(payload)
        buffer[at:end] = payload
        if self.priority is Priority.RETRANSMISSION:
            stream.packets_retransmitted += 1
            stream.on_resent(lost.sequence, now_us)
        return end
