"""AV1: temporal units of sized OBUs, RTP payloads after AOM's "RTP Payload Format For AV1" (1.0), Main profile.

No dependency descriptor: a stream of one layer needs none. But receivers without one tell a frame's first packet by its
Z bit alone, and libwebrtc takes every packet without Z for the first of a frame. So packets of one frame break inside
of OBUs, never between two.

Rules of this file: no state; a payload is planned once and shared.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from streamer.codecs.base import SdpFormat
from streamer.errors import LocalProtocolError, ProtocolError, RemoteProtocolError
from streamer.media.frame import Resolution

NAME = "av1"
MIME_TYPE = "video/AV1"

_CLOCK_RATE_HZ = 90_000
# Clauses 5.3.2 and 6.2.2 of the AV1 specification: the OBU header and the types that matter here.
_FORBIDDEN_BIT, _TYPE_BITS, _TYPE_SHIFT = 0x80, 0x78, 3
_EXTENSION_BIT, _HAS_SIZE_BIT = 0x04, 0x02
_SEQUENCE_HEADER, _TEMPORAL_DELIMITER, _FRAME_HEADER, _FRAME, _TILE_LIST, _PADDING = 1, 2, 3, 6, 8, 15
# Section 5 of the payload format: delimiters and tile lists are not sent. Padding says nothing.
_NOT_SENT = (_TEMPORAL_DELIMITER, _TILE_LIST, _PADDING)
_DELIMITER = bytes((_TEMPORAL_DELIMITER << _TYPE_SHIFT | _HAS_SIZE_BIT, 0))
# Clause 5.9.2: show_existing_frame, frame_type in two bits, show_frame. A key frame that is shown has 0, 0 and 1.
_FRAME_START_BITS, _SHOWN_KEY_FRAME = 0xF0, 0x10
# Section 4.4 of the payload format: the aggregation header.
_CONTINUES_BIT, _CONTINUED_BIT, _COUNT_SHIFT, _COUNT_BITS, _NEW_SEQUENCE_BIT = 0x80, 0x40, 4, 0x30, 0x08
_MAX_COUNTED = 3
# Clause 4.10.5: seven bits a byte, the lowest first. Packets, and so the elements in them, are shorter than two such
# bytes can say; eight are the most that a number may have.
_LENGTH_BYTES, _MAX_LENGTH_BYTES = 2, 8
_MORE_BIT, _SEVEN_BITS = 0x80, 0x7F
_MAIN_PROFILE, _MAIN_TIER = "0", "0"
# Annex A.3: seq_level_idx, luma samples per second that are shown, samples per picture, width, height.
_LEVELS = (
    (0, 4_423_680, 147_456, 2048, 1152), (1, 8_363_520, 278_784, 2816, 1584), (4, 19_975_680, 665_856, 4352, 2448),
    (5, 31_950_720, 1_065_024, 5504, 3096), (8, 70_778_880, 2_359_296, 6144, 3456),
    (9, 141_557_760, 2_359_296, 6144, 3456), (12, 267_386_880, 8_912_896, 8192, 4352),
    (13, 534_773_760, 8_912_896, 8192, 4352), (14, 1_069_547_520, 8_912_896, 8192, 4352),
    (16, 1_069_547_520, 35_651_584, 16384, 8704), (17, 2_139_095_040, 35_651_584, 16384, 8704),
    (18, 4_278_190_080, 35_651_584, 16384, 8704),
)  # fmt: skip


def sdp_formats(largest: Resolution, fps: float) -> tuple[SdpFormat, ...]:
    """Return the one format: its level admits the largest picture at the full frame rate."""
    parameters = (
        ("level-idx", str(_level_idx(largest, fps))),
        ("profile", _MAIN_PROFILE),
        ("tier", _MAIN_TIER),
    )
    return (SdpFormat(MIME_TYPE, _CLOCK_RATE_HZ, parameters),)


def is_keyframe(data: bytes) -> bool:
    """Return whether decoding can start here: a key frame that is shown, behind its sequence header.

    Raises:
        LocalProtocolError: there is no frame in it, or it does not consist of OBUs.
    """
    has_sequence_header = False
    for obu in _obus(data):
        if obu.type in (_FRAME, _FRAME_HEADER):
            start = data[obu.body_at : obu.end][:1]
            # The first frame decides. The rest is not searched.
            return has_sequence_header and bool(start) and start[0] & _FRAME_START_BITS == _SHOWN_KEY_FRAME
        has_sequence_header = has_sequence_header or obu.type == _SEQUENCE_HEADER
    raise LocalProtocolError(f"there is no frame in a temporal unit of {len(data)} bytes")


def conform(data: bytes) -> bytes:
    """Return the frame as it is: AV1 decoders output every shown frame at once."""
    return data


def packetize(data: bytes, max_payload_bytes: int) -> tuple[bytes, ...]:
    """Return the payloads of a temporal unit, of about equal size.

    Raises:
        LocalProtocolError: there is no frame in it, or it does not consist of OBUs.
    """
    new_sequence = _NEW_SEQUENCE_BIT if is_keyframe(data) else 0
    obus = [_without_size(data, obu) for obu in _obus(data) if obu.type not in _NOT_SENT]
    packets = _fill(obus, max_payload_bytes - 1)
    flags = [new_sequence, *(_CONTINUES_BIT if packet.goes_on else 0 for packet in packets)]
    return tuple(map(_payload, packets, flags))


def depacketize(payloads: Sequence[bytes]) -> bytes:
    """Return the temporal unit that the payloads of one frame carry, in order: sized OBUs behind a delimiter.

    Raises:
        RemoteProtocolError: they are not whole payloads of this format.
    """
    obus: list[bytes] = []
    is_open = False
    for payload in payloads:
        if not payload:
            raise RemoteProtocolError("a payload is empty")
        if bool(payload[0] & _CONTINUES_BIT) != is_open:
            raise RemoteProtocolError("a fragment of an OBU is missing")
        elements = _elements(payload)
        if is_open:
            obus[-1] += elements.pop(0)
        obus += elements
        is_open = bool(payload[0] & _CONTINUED_BIT)
    if is_open or not obus:
        raise RemoteProtocolError("the last payload of a frame is missing")
    return _DELIMITER + b"".join(_with_size(obu) for obu in obus)


def _level_idx(largest: Resolution, fps: float) -> int:
    for level, per_second, per_picture, width_px, height_px in _LEVELS:
        if (
            largest.pixels <= per_picture
            and largest.pixels * fps <= per_second
            and largest.fits_in(Resolution(width_px, height_px))
        ):
            return level
    return _LEVELS[-1][0]


@dataclass(frozen=True, slots=True)
class _Obu:
    """Where an OBU lies in a temporal unit."""

    type: int
    start: int
    body_at: int
    end: int


def _obus(data: bytes) -> Iterator[_Obu]:
    """Yield the OBUs of a temporal unit in order; the last one need not have a size."""
    at = 0
    while at < len(data):
        header = data[at]
        body_at = at + _header_bytes(header)
        end = len(data)
        if header & _HAS_SIZE_BIT:
            size_bytes, body_at = _read_length(data, body_at, LocalProtocolError)
            end = body_at + size_bytes
        if header & _FORBIDDEN_BIT or body_at > end or end > len(data):
            raise LocalProtocolError(f"a temporal unit of {len(data)} bytes does not consist of OBUs")
        yield _Obu((header & _TYPE_BITS) >> _TYPE_SHIFT, at, body_at, end)
        at = end


def _header_bytes(header: int) -> int:
    return 2 if header & _EXTENSION_BIT else 1


def _without_size(data: bytes, obu: _Obu) -> bytes:
    header_end = obu.start + _header_bytes(data[obu.start])
    header = bytes((data[obu.start] & ~_HAS_SIZE_BIT & 0xFF,)) + data[obu.start + 1 : header_end]
    return header + data[obu.body_at : obu.end]


def _with_size(obu: bytes) -> bytes:
    if not obu or obu[0] & (_FORBIDDEN_BIT | _HAS_SIZE_BIT) or len(obu) < _header_bytes(obu[0]):
        raise RemoteProtocolError("an element of a payload is not an OBU without size")
    body_at = _header_bytes(obu[0])
    header = bytes((obu[0] | _HAS_SIZE_BIT,)) + obu[1:body_at]
    return header + _length(len(obu) - body_at) + obu[body_at:]


@dataclass(slots=True)
class _Packet:
    """The OBUs, or parts of them, that travel together; the last one may go on in the next packet."""

    elements: list[bytes] = field(default_factory=list)
    goes_on: bool = False


def _fill(obus: Sequence[bytes], room: int) -> list[_Packet]:
    """Cut the OBUs into elements, each of which costs its length field too, in packets of about equal size."""
    total = sum(len(obu) + _LENGTH_BYTES for obu in obus)
    # A cut costs one length field more.
    count = -(-total // (room - _LENGTH_BYTES))
    capacity = -(-total // count) + _LENGTH_BYTES
    packets, left = [_Packet()], capacity
    for number, obu in enumerate(obus, start=1):
        at = 0
        while at < len(obu):
            if left <= _LENGTH_BYTES:
                packets[-1].goes_on = at > 0
                packets.append(_Packet())
                left = capacity
            take = min(len(obu) - at, left - _LENGTH_BYTES)
            left -= _LENGTH_BYTES + take
            if left <= _LENGTH_BYTES and at + take == len(obu) and take > 1 and number < len(obus):
                # The packet would end between two OBUs: the last byte goes into the next one.
                take, left = take - 1, 0
            packets[-1].elements.append(obu[at : at + take])
            at += take
    return packets


def _payload(packet: _Packet, flags: int) -> bytes:
    """Return the payload: where its elements are counted, the last one has no length field."""
    *others, last = packet.elements
    is_counted = len(packet.elements) <= _MAX_COUNTED
    parts = [part for element in others for part in (_length(len(element)), element)]
    parts += [last] if is_counted else [_length(len(last)), last]
    header = flags | (len(packet.elements) << _COUNT_SHIFT if is_counted else 0)
    return bytes((header | (_CONTINUED_BIT if packet.goes_on else 0),)) + b"".join(parts)


def _elements(payload: bytes) -> list[bytes]:
    count = (payload[0] & _COUNT_BITS) >> _COUNT_SHIFT
    elements: list[bytes] = []
    at = 1
    while at < len(payload):
        size_bytes = len(payload) - at
        if len(elements) + 1 != count:
            size_bytes, at = _read_length(payload, at, RemoteProtocolError)
        if not 0 < size_bytes <= len(payload) - at:
            raise RemoteProtocolError("the elements of a payload do not fit it")
        elements.append(payload[at : at + size_bytes])
        at += size_bytes
    if not elements or (count and len(elements) != count):
        raise RemoteProtocolError(f"a payload has {len(elements)} elements instead of {count}")
    return elements


def _length(number: int) -> bytes:
    encoded = bytearray()
    while number > _SEVEN_BITS:
        encoded.append(number & _SEVEN_BITS | _MORE_BIT)
        number >>= 7
    return bytes((*encoded, number))


def _read_length(data: bytes, at: int, error: type[ProtocolError]) -> tuple[int, int]:
    """Return the number that begins at `at`, and where it ends."""
    number = 0
    for index, byte in enumerate(data[at : at + _MAX_LENGTH_BYTES]):
        number |= (byte & _SEVEN_BITS) << 7 * index
        if not byte & _MORE_BIT:
            return number, at + index + 1
    raise error("a length does not end")
