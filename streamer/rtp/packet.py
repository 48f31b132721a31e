"""An RTP packet: its fixed header and padding, and its parsing for receivers of ours.

Heads of outgoing packets are written by `header.py`; what the extension block says is `extensions.py`'s. Format:
RFC 3550, section 5.1.
"""

from dataclasses import dataclass
from struct import Struct

from streamer.errors import RemoteProtocolError

HEADER_BYTES = 12
_VERSION = 2
_HEADER = Struct("!BBHII")
_EXTENSION_HEADER = Struct("!HH")

VERSION_BITS = _VERSION << 6
_PADDING_BIT = 0x20
EXTENSION_BIT = 0x10
_CSRC_COUNT_MASK = 0x0F
MARKER_BIT = 0x80
_PAYLOAD_TYPE_MASK = 0x7F


@dataclass(frozen=True, slots=True)
class RtpPacket:
    """One parsed packet. `extension` is the whole header extension block with its four-byte head, or empty."""

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    extension: bytes = b""
    csrcs: tuple[int, ...] = ()
    padding_bytes: int = 0


def padding(length_bytes: int) -> bytes:
    """Return `length_bytes` (1 to 255) of padding: zeros and, as the last byte, their number."""
    return bytes(length_bytes - 1) + bytes((length_bytes,))


def parse(data: bytes | bytearray | memoryview) -> RtpPacket:
    """Parse one whole packet.

    Raises:
        RemoteProtocolError: the bytes are no RTP packet.
    """
    view = memoryview(data)
    if len(view) < HEADER_BYTES:
        raise RemoteProtocolError(f"an RTP packet has at least 12 bytes, not {len(view)}")
    first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(view)
    if first >> 6 != _VERSION:
        raise RemoteProtocolError(f"RTP version {first >> 6}")
    csrcs, at = _parse_csrcs(view, first & _CSRC_COUNT_MASK)
    extension_end = _extension_end(view, at) if first & EXTENSION_BIT else at
    padding_bytes = _padding_bytes(view, extension_end) if first & _PADDING_BIT else 0
    return RtpPacket(
        payload_type=second & _PAYLOAD_TYPE_MASK,
        marker=bool(second & MARKER_BIT),
        sequence=sequence,
        timestamp=timestamp,
        ssrc=ssrc,
        payload=bytes(view[extension_end : len(view) - padding_bytes]),
        extension=bytes(view[at:extension_end]),
        csrcs=csrcs,
        padding_bytes=padding_bytes,
    )


def _parse_csrcs(view: memoryview, count: int) -> tuple[tuple[int, ...], int]:
    end = HEADER_BYTES + 4 * count
    if len(view) < end:
        raise RemoteProtocolError(f"an RTP packet of {len(view)} bytes cannot name {count} contributing sources")
    return tuple(int.from_bytes(view[at : at + 4], "big") for at in range(HEADER_BYTES, end, 4)), end


def _extension_end(view: memoryview, at: int) -> int:
    if len(view) < at + _EXTENSION_HEADER.size:
        raise RemoteProtocolError("the RTP header extension is cut off")
    _, words = _EXTENSION_HEADER.unpack_from(view, at)
    end: int = at + _EXTENSION_HEADER.size + 4 * words
    if len(view) < end:
        raise RemoteProtocolError(f"the RTP header extension claims {words} words")
    return end


def _padding_bytes(view: memoryview, payload_at: int) -> int:
    count = view[-1] if len(view) > payload_at else 0
    if not 1 <= count <= len(view) - payload_at:
        raise RemoteProtocolError(f"{count} bytes of RTP padding in {len(view) - payload_at} bytes of payload")
    return count
