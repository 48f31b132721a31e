"""RTCP messages that every RTP sender and receiver exchanges: reports, source descriptions, goodbyes.

Each parser is handed the body after the common header and its five-bit count; `rtcp.py` finds them in a compound.
Format: RFC 3550, section 6.4 to 6.6.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct

from streamer.errors import LocalProtocolError, RemoteProtocolError

SENDER_REPORT = 200
RECEIVER_REPORT = 201
SOURCE_DESCRIPTION = 202
GOODBYE = 203

_COMMON_HEADER = Struct("!BBH")
_SSRC = Struct("!I")
_SENDER_INFO = Struct("!QIII")
_REPORT_BLOCK = Struct("!IIIIII")
_VERSION_BITS = 2 << 6
_MAX_COUNT = 31
_CNAME = 1
_MAX_TEXT_BYTES = 255
# RFC 3550, 6.4.1: last SR and the delay since it are the middle 32 bits of an NTP time, so 1/65536 s.
_MIDDLE_NTP_MASK = 0xFFFFFFFF
_MIDDLE_NTP_HZ = 65_536
# A round trip as long as half the range of the middle 32 bits is a clock error, not a path.
_MAX_ROUND_TRIP = 1 << 31


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """What one receiver says of one stream. `fraction_lost` is in 1/256; times are in 1/65536 s."""

    ssrc: int
    fraction_lost: int
    cumulative_lost_packets: int
    highest_sequence: int
    jitter_ticks: int
    last_sender_report: int
    delay_since_last_sender_report: int

    def rtt_us(self, now_ntp: int) -> int | None:
        """Return the round-trip time when the report arrived at `now_ntp` (64 bits), or None if it holds none."""
        if self.last_sender_report == 0:
            return None
        middle = now_ntp >> 16 & _MIDDLE_NTP_MASK
        round_trip = (middle - self.last_sender_report - self.delay_since_last_sender_report) & _MIDDLE_NTP_MASK
        if round_trip >= _MAX_ROUND_TRIP:
            return None
        return round_trip * 1_000_000 // _MIDDLE_NTP_HZ


@dataclass(frozen=True, slots=True)
class SenderReport:
    """Which RTP timestamp belongs to which NTP time (64 bits), and how much has been sent."""

    ssrc: int
    ntp: int
    rtp_timestamp: int
    packet_count: int
    octet_count: int
    blocks: tuple[ReportBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    """What a receiver says of the streams that it receives."""

    ssrc: int
    blocks: tuple[ReportBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceDescription:
    """The canonical name of each source, None where it was not given."""

    cnames: tuple[tuple[int, str | None], ...]


@dataclass(frozen=True, slots=True)
class Goodbye:
    """These sources have ended."""

    ssrcs: tuple[int, ...]
    reason: str | None = None


def frame(packet_type: int, count: int, body: bytes) -> bytes:
    """Return one RTCP packet: the common header with its five-bit count, and a body of whole words."""
    return _COMMON_HEADER.pack(_VERSION_BITS | count, packet_type, len(body) // 4) + body


def parse_sender_report(body: bytes, count: int) -> SenderReport:
    """Parse a sender report; profile-specific extensions at its end are ignored."""
    ssrc = ssrc_at(body, 0)
    if len(body) < _SSRC.size + _SENDER_INFO.size:
        raise RemoteProtocolError(f"a sender report of {len(body)} bytes")
    ntp, rtp_timestamp, packet_count, octet_count = _SENDER_INFO.unpack_from(body, _SSRC.size)
    blocks = _parse_blocks(body, _SSRC.size + _SENDER_INFO.size, count)
    return SenderReport(ssrc, ntp, rtp_timestamp, packet_count, octet_count, blocks)


def parse_receiver_report(body: bytes, count: int) -> ReceiverReport:
    """Parse a receiver report; profile-specific extensions at its end are ignored."""
    return ReceiverReport(ssrc_at(body, 0), _parse_blocks(body, _SSRC.size, count))


def parse_source_description(body: bytes, count: int) -> SourceDescription:
    """Parse a source description; items other than the canonical name are skipped."""
    cnames: list[tuple[int, str | None]] = []
    at = 0
    for _ in range(count):
        ssrc = ssrc_at(body, at)
        cname, at = _parse_items(body, at + _SSRC.size)
        cnames.append((ssrc, cname))
    return SourceDescription(tuple(cnames))


def parse_goodbye(body: bytes, count: int) -> Goodbye:
    """Parse a goodbye and its reason, if there is one."""
    ssrcs = tuple(ssrc_at(body, _SSRC.size * place) for place in range(count))
    text = body[_SSRC.size * count :]
    if not text:
        return Goodbye(ssrcs)
    if len(text) < 1 + text[0]:
        raise RemoteProtocolError(f"a goodbye reason of {text[0]} bytes has {len(text) - 1}")
    return Goodbye(ssrcs, text[1 : 1 + text[0]].decode(errors="replace"))


def ssrc_at(body: bytes, at: int) -> int:
    """Return the 32-bit word at `at`.

    Raises:
        RemoteProtocolError: the body ends before it.
    """
    if len(body) < at + _SSRC.size:
        raise RemoteProtocolError(f"an RTCP body of {len(body)} bytes has no word at {at}")
    return int(_SSRC.unpack_from(body, at)[0])


def _parse_blocks(body: bytes, at: int, count: int) -> tuple[ReportBlock, ...]:
    if len(body) < at + count * _REPORT_BLOCK.size:
        raise RemoteProtocolError(f"{count} report blocks in {len(body) - at} bytes")
    return tuple(_parse_block(body, at + place * _REPORT_BLOCK.size) for place in range(count))


def _parse_block(body: bytes, at: int) -> ReportBlock:
    ssrc, lost, highest, jitter, last_report, delay = _REPORT_BLOCK.unpack_from(body, at)
    cumulative = lost & 0xFFFFFF
    # RFC 3550, 6.4.1: the cumulative loss is signed, because duplicates count as received.
    if cumulative & 0x800000:
        cumulative -= 1 << 24
    return ReportBlock(ssrc, lost >> 24, cumulative, highest, jitter, last_report, delay)


def _parse_items(body: bytes, at: int) -> tuple[str | None, int]:
    """Return the canonical name of one chunk and where the next chunk begins."""
    cname: str | None = None
    while at < len(body) and body[at]:
        length = body[at + 1] if at + 1 < len(body) else _MAX_TEXT_BYTES + 1
        text = body[at + 2 : at + 2 + length]
        if len(text) < length:
            raise RemoteProtocolError("a source description item is cut off")
        if body[at] == _CNAME:
            cname = text.decode(errors="replace")
        at += 2 + length
    if at >= len(body):
        raise RemoteProtocolError("a source description chunk does not end")
    # RFC 3550, 6.5: one to four zero bytes end a chunk at a word boundary.
    return cname, at + 4 - at % 4


def serialize_sender_report(
    *,
    ssrc: int,
    ntp: int,
    rtp_timestamp: int,
    packet_count: int,
    octet_count: int,
    blocks: Sequence[ReportBlock] = (),
) -> bytes:
    """Return a sender report. The counts wrap at 2^32 here."""
    info = _SENDER_INFO.pack(ntp, rtp_timestamp, packet_count & 0xFFFFFFFF, octet_count & 0xFFFFFFFF)
    return frame(SENDER_REPORT, len(blocks), _SSRC.pack(ssrc) + info + _serialize_blocks(blocks))


def serialize_receiver_report(ssrc: int, blocks: Sequence[ReportBlock] = ()) -> bytes:
    """Return a receiver report."""
    return frame(RECEIVER_REPORT, len(blocks), _SSRC.pack(ssrc) + _serialize_blocks(blocks))


def _serialize_blocks(blocks: Sequence[ReportBlock]) -> bytes:
    if len(blocks) > _MAX_COUNT:
        raise LocalProtocolError(f"{len(blocks)} report blocks")
    return b"".join(
        _REPORT_BLOCK.pack(
            block.ssrc,
            block.fraction_lost << 24 | block.cumulative_lost_packets & 0xFFFFFF,
            block.highest_sequence,
            block.jitter_ticks,
            block.last_sender_report,
            block.delay_since_last_sender_report,
        )
        for block in blocks
    )


def serialize_source_description(ssrc: int, cname: str) -> bytes:
    """Return the source description that RFC 3550, 6.1 wants in every compound: one source, its canonical name."""
    text = _text(cname)
    chunk = _SSRC.pack(ssrc) + bytes((_CNAME,)) + text
    return frame(SOURCE_DESCRIPTION, 1, chunk + bytes(4 - len(chunk) % 4))


def serialize_goodbye(ssrcs: Sequence[int], reason: str = "") -> bytes:
    """Return a goodbye for these sources."""
    if len(ssrcs) > _MAX_COUNT:
        raise LocalProtocolError(f"a goodbye of {len(ssrcs)} sources")
    text = _text(reason) if reason else b""
    body = b"".join(_SSRC.pack(ssrc) for ssrc in ssrcs) + text
    return frame(GOODBYE, len(ssrcs), body + bytes(-len(text) % 4))


def _text(text: str) -> bytes:
    encoded = text.encode()
    if len(encoded) > _MAX_TEXT_BYTES:
        raise LocalProtocolError(f"an RTCP text of {len(encoded)} bytes")
    return bytes((len(encoded),)) + encoded
