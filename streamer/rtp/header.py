"""The head of every packet of one RTP stream, written into the sender's buffer: fixed header and extension block.

A head is prepared once per shape; only the bytes that change are patched for a packet, since this happens thousands of
times a second. Format: RFC 3550, section 5.1; RFC 8285, section 4.
"""

from collections.abc import Callable, Mapping, Sequence
from struct import Struct

from streamer.rtp.extensions import (
    ABS_CAPTURE_TIME,
    ABS_SEND_TIME,
    BLOCK_HEAD_BYTES,
    MID,
    PLAYOUT_DELAY,
    TRANSPORT_WIDE_CC,
    abs_send_time,
    is_two_byte_form,
    playout_delay,
    serialize_extensions,
)
from streamer.rtp.packet import EXTENSION_BIT, HEADER_BYTES, MARKER_BIT, VERSION_BITS

# The two bytes of flags and types, sequence number, timestamp: what a packet has of its own.
_OWN_FORMAT = "!BBHI"
_SSRC_AT = 8
_pack_ssrc_into = Struct("!I").pack_into
_pack_capture_into = Struct("!QQ").pack_into

_SEND_TIME_BYTES = 3
_NUMBER_BYTES = 2
_CAPTURE_TIME_BYTES = 16


class HeadWriter:
    """The heads of one stream's packets, with the extensions that were negotiated. Called from the event loop only.

    `ids` maps URIs to ids; URIs that this writer does not know are left out, as is an empty `mid`.
    """

    __slots__ = ("_marked_type", "_on_first", "_on_others", "_payload_type")

    def __init__(
        self,
        payload_type: int,
        ssrc: int,
        ids: Mapping[str, int],
        mid: str,
        *,
        playout_delay_10ms: tuple[int, int] = (0, 0),
    ) -> None:
        values = {
            ABS_SEND_TIME: bytes(_SEND_TIME_BYTES),
            TRANSPORT_WIDE_CC: bytes(_NUMBER_BYTES),
            PLAYOUT_DELAY: playout_delay(*playout_delay_10ms),
            ABS_CAPTURE_TIME: bytes(_CAPTURE_TIME_BYTES),
            MID: mid.encode(),
        }
        fields = [(uri, ids[uri], value) for uri, value in values.items() if uri in ids and value]
        self._payload_type = payload_type
        self._marked_type = payload_type | MARKER_BIT
        self._on_first = _Template(ssrc, fields)
        self._on_others = _Template(ssrc, [field for field in fields if field[0] != ABS_CAPTURE_TIME])

    @property
    def largest_bytes(self) -> int:
        """The length of the longest head: what a buffer must hold besides the payload."""
        return self._on_first.size_bytes

    def write(
        self,
        buffer: bytearray | memoryview,
        offset: int,
        sequence: int,
        timestamp: int,
        send_us: int,
        transport_number: int,
        *,
        marker: bool = False,
        capture_ntp: int | None = None,
    ) -> int:
        """Write the head of a packet that leaves at `send_us` at `offset`, and return where its payload begins.

        `sequence`, `timestamp` and the transport-wide number are already wrapped. `capture_ntp` is the NTP time (64
        bits, 32.32) at which the frame was captured: given for the first packet of a frame, it is written in the
        16-byte form whose clock offset is zero: the capture clock is the sender's.
        """
        template = self._on_others if capture_ntp is None else self._on_first
        if send_us != template.send_us or capture_ntp is not None:
            template.renew(send_us, capture_ntp)
        template.pack_into(
            buffer,
            offset,
            template.first_byte,
            self._marked_type if marker else self._payload_type,
            sequence,
            timestamp,
            template.before,
            transport_number,
            template.after,
        )
        return offset + template.size_bytes


class _Template:
    """One prepared head: the bytes before and after the transport-wide number, and how all of it is packed at once.

    The packets of a burst leave at the same instant, so `renew` is called once for all of them.
    """

    __slots__ = (
        "_capture_at",
        "_head",
        "_number_at",
        "_send_time_at",
        "after",
        "before",
        "first_byte",
        "pack_into",
        "send_us",
        "size_bytes",
    )

    def __init__(self, ssrc: int, fields: Sequence[tuple[str, int, bytes]]) -> None:
        block = serialize_extensions([(number, value) for _, number, value in fields])
        self.first_byte = VERSION_BITS | EXTENSION_BIT if block else VERSION_BITS
        self._head = bytearray(HEADER_BYTES) + block
        self.size_bytes = len(self._head)
        _pack_ssrc_into(self._head, _SSRC_AT, ssrc)
        at = HEADER_BYTES + BLOCK_HEAD_BYTES
        places: dict[str, int] = {}
        for uri, _, value in fields:
            at += 2 if is_two_byte_form(block) else 1
            places[uri] = at
            at += len(value)
        self._send_time_at = places.get(ABS_SEND_TIME)
        self._capture_at = places.get(ABS_CAPTURE_TIME)
        self._number_at = places.get(TRANSPORT_WIDE_CC)
        self.pack_into = _packer(self.size_bytes, self._number_at)
        self.renew(0, None)

    def renew(self, send_us: int, capture_ntp: int | None) -> None:
        """Write the time of sending, and that of capture if it is given, into what packets of a burst share."""
        self.send_us = send_us
        head, number_at = self._head, self._number_at
        if self._send_time_at is not None:
            end = self._send_time_at + _SEND_TIME_BYTES
            head[self._send_time_at : end] = abs_send_time(send_us).to_bytes(_SEND_TIME_BYTES, "big")
        if self._capture_at is not None and capture_ntp is not None:
            _pack_capture_into(head, self._capture_at, capture_ntp, 0)
        self.before = bytes(head[_SSRC_AT:number_at])
        self.after = b"" if number_at is None else bytes(head[number_at + _NUMBER_BYTES :])


def _packer(size_bytes: int, number_at: int | None) -> Callable[..., None]:
    """Return what packs a head of so many bytes, in which the transport-wide number may have no place."""
    if number_at is not None:
        before_bytes, after_bytes = number_at - _SSRC_AT, size_bytes - number_at - _NUMBER_BYTES
        return Struct(f"{_OWN_FORMAT}{before_bytes}sH{after_bytes}s").pack_into
    pack_into = Struct(f"{_OWN_FORMAT}{size_bytes - _SSRC_AT}s").pack_into
    return lambda *arguments: pack_into(*arguments[:-2])
