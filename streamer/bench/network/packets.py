"""What travels through a simulation: packets to the receiver, reports back to the sender."""

from dataclasses import dataclass

from streamer.bench.network.recording import FrameRecord
from streamer.rtp.history import SentPacket

# RTP header, the extensions that the product sends with every packet, and SRTP's tag.
RTP_OVERHEAD_BYTES = 48
# IPv4 and UDP: what a link carries besides.
DATAGRAM_OVERHEAD_BYTES = 28
# As in the product (session/rendition.py): datagrams stay below 1280 bytes.
MAX_PAYLOAD_BYTES = 1200


class SentFrame:
    """An encoded frame on its way: which packets it is made of, counted from the stream's first one."""

    __slots__ = ("first_index", "number", "packets", "record")

    def __init__(self, number: int, first_index: int, packets: int, record: FrameRecord) -> None:
        self.number = number
        self.first_index = first_index
        self.packets = packets
        self.record = record


class VideoPacket(SentPacket):
    """A piece of a frame. `index` is its sequence number without wrapping."""

    __slots__ = ("frame", "index")

    def __init__(self, frame: SentFrame, index: int, size_bytes: int) -> None:
        super().__init__(
            index & 0xFFFF, b"", frame.record.capture_us, marker=False, sent_at_us=0, size_bytes=size_bytes
        )
        self.frame = frame
        self.index = index


class ResentPacket:
    """A piece of a frame that is sent again."""

    __slots__ = ("original", "size_bytes")

    def __init__(self, original: VideoPacket) -> None:
        self.original = original
        # RFC 4588: the original sequence number goes before the payload.
        self.size_bytes = original.size_bytes + 2


class PaddingPacket:
    """Bytes that only fill the path."""

    __slots__ = ("size_bytes",)

    def __init__(self, size_bytes: int) -> None:
        self.size_bytes = size_bytes


Packet = VideoPacket | ResentPacket | PaddingPacket


@dataclass(frozen=True, slots=True)
class SenderTime:
    """A sender report, as far as the round trip is measured with it."""

    sent_at_us: int


@dataclass(frozen=True, slots=True)
class ReceptionReport:
    """A receiver report: loss since the last one, and the last sender report with how long ago it came."""

    loss_ratio: float
    sender_time: SenderTime | None
    held_us: int
