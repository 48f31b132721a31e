"""RTCP messages by which a receiver asks for something: packets again, a keyframe, a lower rate.

Each parser is handed the body after the common header; `rtcp.py` finds them in a compound. Formats: RFC 4585,
sections 6.2.1 and 6.3.1; RFC 5104, section 4.3.1; draft-alvestrand-rmcat-remb-03, section 2.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct

from streamer.errors import LocalProtocolError, RemoteProtocolError
from streamer.rtp.reports import frame, ssrc_at

TRANSPORT_LAYER = 205
PAYLOAD_SPECIFIC = 206
# Five-bit formats within the two packet types above.
NACK = 1
TRANSPORT_WIDE = 15
PICTURE_LOSS = 1
FULL_INTRA_REQUEST = 4
APPLICATION_LAYER = 15

# libwebrtc lists 1000 lost packets at most; each one that is named costs whoever reads it some work.
MAX_NACK_SEQUENCES = 1024

_SSRCS = Struct("!II")
_NACK_ENTRY = Struct("!HH")
_FIR_ENTRY = Struct("!IBxxx")
_REMB_NAME = b"REMB"
_REMB_MANTISSA_BITS = 18
_REMB_MAX_EXPONENT = 63
# The largest rate that a receiver can mean; anything above is an overflow of theirs.
_REMB_MAX_BPS = 1 << 62
_SEQUENCE_MASK = 0xFFFF
_NACK_FOLLOWERS = 16


@dataclass(frozen=True, slots=True)
class Nack:
    """Packets of `media_ssrc` that did not arrive, in the order in which they were named."""

    sender_ssrc: int
    media_ssrc: int
    sequences: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PictureLoss:
    """The receiver cannot decode `media_ssrc` any more: send a keyframe."""

    sender_ssrc: int
    media_ssrc: int


@dataclass(frozen=True, slots=True)
class FullIntraRequest:
    """Send a keyframe of each named stream, once per command number: a repeated number is a repeated message."""

    sender_ssrc: int
    entries: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Remb:
    """The rate that the receiver believes these streams can have together."""

    sender_ssrc: int
    bps: int
    ssrcs: tuple[int, ...]


def parse_nack(body: bytes) -> Nack:
    """Parse a generic NACK; of one that names more than `MAX_NACK_SEQUENCES` packets, the first of them."""
    sender_ssrc, media_ssrc = ssrc_at(body, 0), ssrc_at(body, 4)
    sequences: list[int] = []
    entries = body[_SSRCS.size :]
    for first, followers in _NACK_ENTRY.iter_unpack(entries[: len(entries) & ~3]):
        if len(sequences) >= MAX_NACK_SEQUENCES:
            break
        sequences.append(first)
        while followers:
            lowest = followers & -followers
            # RFC 4585, 6.2.1: bit i stands for first + i + 1, modulo 2^16.
            sequences.append(first + lowest.bit_length() & _SEQUENCE_MASK)
            followers ^= lowest  # noqa: PLW2901 - bits are taken off one by one
    return Nack(sender_ssrc, media_ssrc, tuple(sequences[:MAX_NACK_SEQUENCES]))


def parse_picture_loss(body: bytes) -> PictureLoss:
    """Parse a picture loss indication."""
    return PictureLoss(ssrc_at(body, 0), ssrc_at(body, 4))


def parse_full_intra_request(body: bytes) -> FullIntraRequest:
    """Parse a full intra request."""
    sender_ssrc = ssrc_at(body, 0)
    entries = body[_SSRCS.size :]
    if not entries or len(entries) % _FIR_ENTRY.size:
        raise RemoteProtocolError(f"a full intra request with {len(entries)} bytes of entries")
    return FullIntraRequest(sender_ssrc, tuple(_FIR_ENTRY.iter_unpack(entries)))


def parse_remb(body: bytes) -> Remb | None:
    """Parse a receiver-estimated maximum bitrate; None if the application-layer message is some other."""
    if body[_SSRCS.size : _SSRCS.size + 4] != _REMB_NAME:
        return None
    word = ssrc_at(body, _SSRCS.size + 4)
    count = word >> 24
    bps = (word & (1 << _REMB_MANTISSA_BITS) - 1) << (word >> _REMB_MANTISSA_BITS & _REMB_MAX_EXPONENT)
    if bps > _REMB_MAX_BPS:
        raise RemoteProtocolError(f"a maximum bitrate of {bps} bit/s")
    first = _SSRCS.size + 8
    return Remb(ssrc_at(body, 0), bps, tuple(ssrc_at(body, first + 4 * place) for place in range(count)))


def serialize_nack(sender_ssrc: int, media_ssrc: int, sequences: Sequence[int]) -> bytes:
    """Return a NACK for these sequence numbers; neighbours that ascend share entries."""
    entries: list[tuple[int, int]] = []
    for sequence in sequences:
        if entries:
            first, followers = entries[-1]
            distance = sequence - first & _SEQUENCE_MASK
            # Only upwards: an entry cannot name a packet twice or in another order.
            if 1 <= distance <= _NACK_FOLLOWERS and not followers >> distance - 1:
                entries[-1] = (first, followers | 1 << distance - 1)
                continue
        entries.append((sequence, 0))
    body = _SSRCS.pack(sender_ssrc, media_ssrc) + b"".join(_NACK_ENTRY.pack(*entry) for entry in entries)
    return frame(TRANSPORT_LAYER, NACK, body)


def serialize_picture_loss(sender_ssrc: int, media_ssrc: int) -> bytes:
    """Return a picture loss indication."""
    return frame(PAYLOAD_SPECIFIC, PICTURE_LOSS, _SSRCS.pack(sender_ssrc, media_ssrc))


def serialize_full_intra_request(sender_ssrc: int, entries: Sequence[tuple[int, int]]) -> bytes:
    """Return a full intra request for (ssrc, command number) pairs."""
    # RFC 5104, 4.3.1.2: the media source of the common part is not used and zero.
    body = _SSRCS.pack(sender_ssrc, 0) + b"".join(_FIR_ENTRY.pack(*entry) for entry in entries)
    return frame(PAYLOAD_SPECIFIC, FULL_INTRA_REQUEST, body)


def serialize_remb(sender_ssrc: int, bps: int, ssrcs: Sequence[int]) -> bytes:
    """Return a receiver-estimated maximum bitrate, rounded down to 18 significant bits."""
    if not 0 <= bps <= _REMB_MAX_BPS:
        raise LocalProtocolError(f"a maximum bitrate of {bps} bit/s")
    exponent = max(0, bps.bit_length() - _REMB_MANTISSA_BITS)
    word = len(ssrcs) << 24 | exponent << _REMB_MANTISSA_BITS | bps >> exponent
    tail = b"".join(ssrc.to_bytes(4, "big") for ssrc in ssrcs)
    body = _SSRCS.pack(sender_ssrc, 0) + _REMB_NAME + word.to_bytes(4, "big") + tail
    return frame(PAYLOAD_SPECIFIC, APPLICATION_LAYER, body)
