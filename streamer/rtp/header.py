"""The head of every packet of one RTP stream, written into the sender's buffer: fixed header and extension block.

A head is prepared once per shape; only the bytes that change are patched for a packet, since this happens thousands of
times a second. Format: RFC 3550, section 5.1; RFC 8285, section 4.
"""

from collections.abc import Mapping, Sequence
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

_CHANGING = Struct("!BBHI")
_pack_changing_into = _CHANGING.pack_into
_pack_ssrc_into = Struct("!I").pack_into
_SSRC_AT = _CHANGING.size
_pack_word_into = Struct("!I").pack_into
_pack_number_into = Struct("!H").pack_into
_pack_capture_into = Struct("!QQ").pack_into

_SEND_TIME_BYTES = 3
_NUMBER_BYTES = 2
_CAPTURE_TIME_BYTES = 16


class HeadWriter:
    """The heads of one stream's packets, with the extensions that were negotiated. Called from the event loop only.

    `ids` maps URIs to ids; URIs that this writer does not know are left out, as is an empty `mid`.
    """

    __slots__ = ("_marked_type", "_on_first", "_on_others", "_payload_type", "_send_us")

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
        # What the templates have in them: the packets of a burst leave at the same instant.
        self._send_us = 0
        self._on_first = _Template(ssrc, fields)
        self._on_others = _Template(ssrc, [field for field in fields if field[0] != ABS_CAPTURE_TIME])

    @property
    def largest_bytes(self) -> int:
        """The length of the longest head: what a buffer must hold besides the payload."""
        return len(self._on_first.head)

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
        if send_us != self._send_us:
            self._set_send_time(send_us)
        template = self._on_others if capture_ntp is None else self._on_first
        head = template.head
        _pack_changing_into(
            head,
            0,
            template.first_byte,
            self._marked_type if marker else self._payload_type,
            sequence,
            timestamp,
        )
        if template.number_at:
            _pack_number_into(head, template.number_at, transport_number)
        if template.capture_at:
            _pack_capture_into(head, template.capture_at, capture_ntp, 0)
        end = offset + len(head)
        buffer[offset:end] = head
        return end

    def _set_send_time(self, send_us: int) -> None:
        self._send_us = send_us
        ticks = abs_send_time(send_us)
        for template in (self._on_first, self._on_others):
            if template.send_time_at:
                _pack_word_into(template.head, template.send_time_at, template.send_time_prefix | ticks)


class _Template:
    """One prepared head and the places in it that change. A place of 0 means that the extension is not written."""

    __slots__ = ("capture_at", "first_byte", "head", "number_at", "send_time_at", "send_time_prefix")

    def __init__(self, ssrc: int, fields: Sequence[tuple[str, int, bytes]]) -> None:
        block = serialize_extensions([(number, value) for _, number, value in fields])
        self.first_byte = VERSION_BITS | EXTENSION_BIT if block else VERSION_BITS
        self.head = bytearray(HEADER_BYTES) + block
        _pack_ssrc_into(self.head, _SSRC_AT, ssrc)
        at = HEADER_BYTES + BLOCK_HEAD_BYTES
        places: dict[str, int] = {}
        for uri, _, value in fields:
            at += 2 if is_two_byte_form(block) else 1
            places[uri] = at
            at += len(value)
        self.number_at = places.get(TRANSPORT_WIDE_CC, 0)
        self.capture_at = places.get(ABS_CAPTURE_TIME, 0)
        # The 24 bits are written together with the byte before them, which does not change: one store instead of two.
        self.send_time_at = max(0, places.get(ABS_SEND_TIME, 0) - 1)
        self.send_time_prefix = self.head[self.send_time_at] << 24 if self.send_time_at else 0
