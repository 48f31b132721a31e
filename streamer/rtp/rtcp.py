"""RTCP compounds: found apart here, each message by the file of its family.

One bad message must not cost the good ones around it. A message whose body makes no sense becomes a `Malformed` value
in its place. When the framing itself breaks (a version, a length that leaves the datagram), nothing after that place
can be found: what came before is returned, ended by a `Malformed`. That is also the end of a compound whose messages
together name more packets than one of them may. Only a datagram that does not even begin with one whole message, or is
longer than any compound can be, raises.

Format: RFC 3550, section 6.1; RFC 5506 lets any message come first.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from streamer.errors import RemoteProtocolError
from streamer.rtp.feedback import MAX_STATUSES, TransportFeedback, parse_feedback, serialize_feedback
from streamer.rtp.reports import (
    GOODBYE,
    RECEIVER_REPORT,
    SENDER_REPORT,
    SOURCE_DESCRIPTION,
    Goodbye,
    ReceiverReport,
    ReportBlock,
    SenderReport,
    SourceDescription,
    frame,
    parse_goodbye,
    parse_receiver_report,
    parse_sender_report,
    parse_source_description,
    serialize_goodbye,
    serialize_receiver_report,
    serialize_sender_report,
    serialize_source_description,
    ssrc_at,
)
from streamer.rtp.requests import (
    APPLICATION_LAYER,
    FULL_INTRA_REQUEST,
    MAX_NACK_SEQUENCES,
    NACK,
    PAYLOAD_SPECIFIC,
    PICTURE_LOSS,
    TRANSPORT_LAYER,
    TRANSPORT_WIDE,
    FullIntraRequest,
    Nack,
    PictureLoss,
    Remb,
    parse_full_intra_request,
    parse_nack,
    parse_picture_loss,
    parse_remb,
    serialize_full_intra_request,
    serialize_nack,
    serialize_picture_loss,
    serialize_remb,
)

__all__ = [
    "ExtendedReport",
    "FullIntraRequest",
    "Goodbye",
    "Malformed",
    "Nack",
    "PictureLoss",
    "ReceiverReport",
    "Remb",
    "ReportBlock",
    "RtcpMessage",
    "SenderReport",
    "SourceDescription",
    "TransportFeedback",
    "Unknown",
    "parse_compound",
    "serialize_full_intra_request",
    "serialize_goodbye",
    "serialize_nack",
    "serialize_picture_loss",
    "serialize_receiver_report",
    "serialize_remb",
    "serialize_sender_report",
    "serialize_source_description",
    "serialize_transport_feedback",
]

# RFC 3611, section 2.
_EXTENDED_REPORT = 207
# A compound is one datagram, and browsers fill 1500 bytes at most.
MAX_COMPOUND_BYTES = 2048
_HEADER_BYTES = 4
_VERSION = 2
_PADDING_BIT = 0x20
_COUNT_MASK = 0x1F


@dataclass(frozen=True, slots=True)
class ExtendedReport:
    """An RFC 3611 report, whose blocks nobody here reads."""

    ssrc: int


@dataclass(frozen=True, slots=True)
class Unknown:
    """A whole message of a kind that nobody here reads; `count` is its five-bit count or format."""

    packet_type: int
    count: int


@dataclass(frozen=True, slots=True)
class Malformed:
    """A message that could not be read, and why; `packet_type` is None where the framing broke."""

    packet_type: int | None
    reason: str


RtcpMessage: TypeAlias = (
    SenderReport
    | ReceiverReport
    | SourceDescription
    | Goodbye
    | Nack
    | PictureLoss
    | FullIntraRequest
    | Remb
    | TransportFeedback
    | ExtendedReport
    | Unknown
    | Malformed
)

_REPORTS: dict[int, Callable[[bytes, int], RtcpMessage]] = {
    SENDER_REPORT: parse_sender_report,
    RECEIVER_REPORT: parse_receiver_report,
    SOURCE_DESCRIPTION: parse_source_description,
    GOODBYE: parse_goodbye,
    _EXTENDED_REPORT: lambda body, _: ExtendedReport(ssrc_at(body, 0)),
}
_REQUESTS: dict[tuple[int, int], Callable[[bytes], RtcpMessage | None]] = {
    (TRANSPORT_LAYER, NACK): parse_nack,
    (TRANSPORT_LAYER, TRANSPORT_WIDE): parse_feedback,
    (PAYLOAD_SPECIFIC, PICTURE_LOSS): parse_picture_loss,
    (PAYLOAD_SPECIFIC, FULL_INTRA_REQUEST): parse_full_intra_request,
    (PAYLOAD_SPECIFIC, APPLICATION_LAYER): parse_remb,
}


def parse_compound(data: bytes) -> list[RtcpMessage]:
    """Return the messages of one decrypted datagram, in order.

    Raises:
        RemoteProtocolError: it is too long, or does not begin with one whole message.
    """
    if len(data) > MAX_COMPOUND_BYTES:
        raise RemoteProtocolError(f"an RTCP compound of {len(data)} bytes")
    messages: list[RtcpMessage] = []
    statuses = sequences = at = 0
    while at < len(data) or not messages:
        try:
            end = _message_end(data, at)
        except RemoteProtocolError as exc:
            if not messages:
                raise
            messages.append(Malformed(None, str(exc)))
            break
        message = _parse_message(data[at:end])
        statuses += len(message.deltas) if isinstance(message, TransportFeedback) else 0
        sequences += len(message.sequences) if isinstance(message, Nack) else 0
        if statuses > MAX_STATUSES or sequences > MAX_NACK_SEQUENCES:
            messages.append(Malformed(data[at + 1], "an RTCP compound that names more packets than it may"))
            break
        messages.append(message)
        at = end
    return messages


def _message_end(data: bytes, at: int) -> int:
    if len(data) < at + _HEADER_BYTES:
        raise RemoteProtocolError(f"an RTCP header of {len(data) - at} bytes")
    if data[at] >> 6 != _VERSION:
        raise RemoteProtocolError(f"RTCP version {data[at] >> 6}")
    end = at + _HEADER_BYTES + 4 * int.from_bytes(data[at + 2 : at + 4], "big")
    if end > len(data):
        raise RemoteProtocolError(f"an RTCP message of {end - at} bytes with {len(data) - at} left")
    return end


def _parse_message(message: bytes) -> RtcpMessage:
    packet_type, count = message[1], message[0] & _COUNT_MASK
    try:
        body = _without_padding(message)
        if packet_type in _REPORTS:
            return _REPORTS[packet_type](body, count)
        parse = _REQUESTS.get((packet_type, count))
        parsed = None if parse is None else parse(body)
    except RemoteProtocolError as exc:
        return Malformed(packet_type, str(exc))
    return Unknown(packet_type, count) if parsed is None else parsed


def _without_padding(message: bytes) -> bytes:
    """Return the body, which need not be whole words: Chromium's transport feedback with its padding off is not."""
    body = message[_HEADER_BYTES:]
    if not message[0] & _PADDING_BIT:
        return body
    if not body or not 1 <= body[-1] <= len(body):
        raise RemoteProtocolError(f"RTCP padding that does not fit into {len(body)} bytes")
    return body[: -body[-1]]


def serialize_transport_feedback(feedback: TransportFeedback) -> bytes:
    """Return a transport-wide feedback message, padded to whole words and marked so, as Chromium does.

    Raises:
        LocalProtocolError: it has too many packets, or a delta does not fit.
    """
    body = serialize_feedback(feedback)
    missing = -len(body) % 4
    if not missing:
        return frame(TRANSPORT_LAYER, TRANSPORT_WIDE, body)
    padded = frame(TRANSPORT_LAYER, TRANSPORT_WIDE, body + bytes(missing - 1) + bytes((missing,)))
    return bytes((padded[0] | _PADDING_BIT,)) + padded[1:]
