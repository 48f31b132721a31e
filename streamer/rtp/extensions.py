"""Header extensions of RTP packets: who is who on the wire, the block for an outgoing packet, and its parsing.

A block is prepared once per shape; only the bytes that change are patched for a packet. Format: RFC 8285, section 4.
The one-byte form is used unless an id is above 14 or a value is longer than 16 bytes.
"""

from collections.abc import Mapping, Sequence
from struct import Struct

from streamer.errors import LocalProtocolError, RemoteProtocolError

MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
ABS_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
TRANSPORT_WIDE_CC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
PLAYOUT_DELAY = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
ABS_CAPTURE_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time"
AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"

# What a video stream of ours can write.
VIDEO_EXTENSIONS = (MID, ABS_SEND_TIME, TRANSPORT_WIDE_CC, PLAYOUT_DELAY, ABS_CAPTURE_TIME)

_ONE_BYTE_PROFILE = 0xBEDE
# RFC 8285, 4.3: the low four bits are the application's and ignored.
_TWO_BYTE_PROFILE = 0x1000
_TWO_BYTE_PROFILE_MASK = 0xFFF0
_ONE_BYTE_MAX_ID = 14
_TWO_BYTE_MAX_ID = 255
_ONE_BYTE_MAX_VALUE_BYTES = 16
_ONE_BYTE_STOP_ID = 15

_BLOCK_HEADER = Struct("!HH")
_WORD = Struct("!I")
_NUMBER = Struct("!H")
_CAPTURE_TIME = Struct("!QQ")
_pack_word_into = _WORD.pack_into
_pack_number_into = _NUMBER.pack_into
_pack_capture_into = _CAPTURE_TIME.pack_into

# abs-send-time: 6 bits of seconds and 18 of their fraction. 2^18 / 10^6 in lowest terms is 4096 / 15625.
_SEND_TIME_NUMERATOR = 4096
_SEND_TIME_DENOMINATOR = 15_625
_SEND_TIME_MASK = 0xFFFFFF
_SEND_TIME_BYTES = 3
_PLAYOUT_DELAY_MAX = 0xFFF


def abs_send_time(send_us: int) -> int:
    """Return the 24 bits of abs-send-time: seconds modulo 64 in 1/2^18 s. Any clock of even pace will do."""
    return (send_us * _SEND_TIME_NUMERATOR // _SEND_TIME_DENOMINATOR) & _SEND_TIME_MASK


def playout_delay(min_10ms: int, max_10ms: int) -> bytes:
    """Return the three bytes of playout-delay: two numbers of 12 bits in units of 10 ms.

    Raises:
        LocalProtocolError: a number does not fit, or the minimum is above the maximum.
    """
    if not 0 <= min_10ms <= max_10ms <= _PLAYOUT_DELAY_MAX:
        raise LocalProtocolError(f"a playout delay of {min_10ms} to {max_10ms} units of 10 ms")
    return (min_10ms << 12 | max_10ms).to_bytes(3, "big")


def serialize_extensions(values: Sequence[tuple[int, bytes]]) -> bytes:
    """Return the whole padded block for (id, value) pairs, in the shortest form that can carry them.

    Raises:
        LocalProtocolError: an id or a value fits neither form.
    """
    if not values:
        return b""
    if not all(1 <= number <= _TWO_BYTE_MAX_ID and len(value) <= _TWO_BYTE_MAX_ID for number, value in values):
        raise LocalProtocolError(f"header extensions {[(number, len(value)) for number, value in values]}")
    if all(number <= _ONE_BYTE_MAX_ID and 1 <= len(value) <= _ONE_BYTE_MAX_VALUE_BYTES for number, value in values):
        profile = _ONE_BYTE_PROFILE
        body = b"".join(bytes((number << 4 | len(value) - 1,)) + value for number, value in values)
    else:
        profile = _TWO_BYTE_PROFILE
        body = b"".join(bytes((number, len(value))) + value for number, value in values)
    body += bytes(-len(body) % 4)
    return _BLOCK_HEADER.pack(profile, len(body) // 4) + body


def parse_extensions(block: bytes) -> dict[int, bytes]:
    """Parse a whole block into values by id; a block of an unknown profile has none.

    Raises:
        RemoteProtocolError: the block or one of its elements is cut off.
    """
    if not block:
        return {}
    if len(block) < _BLOCK_HEADER.size:
        raise RemoteProtocolError(f"a header extension block of {len(block)} bytes")
    profile, words = _BLOCK_HEADER.unpack_from(block)
    body = block[_BLOCK_HEADER.size :]
    if len(body) != 4 * words:
        raise RemoteProtocolError(f"a header extension block of {words} words has {len(body)} bytes")
    if profile == _ONE_BYTE_PROFILE:
        return _parse_one_byte(body)
    if profile & _TWO_BYTE_PROFILE_MASK == _TWO_BYTE_PROFILE:
        return _parse_two_byte(body)
    return {}


def _parse_one_byte(body: bytes) -> dict[int, bytes]:
    values: dict[int, bytes] = {}
    at = 0
    while at < len(body):
        head = body[at]
        at += 1
        if head == 0:
            continue
        number, length = head >> 4, (head & 0x0F) + 1
        # RFC 8285, 4.2: id 15 ends the processing; id 0 with a length is no padding and cannot be skipped safely.
        if number in (0, _ONE_BYTE_STOP_ID):
            break
        values[number] = _take(body, at, length)
        at += length
    return values


def _parse_two_byte(body: bytes) -> dict[int, bytes]:
    values: dict[int, bytes] = {}
    at = 0
    while at < len(body):
        number = body[at]
        at += 1
        if number == 0:
            continue
        length = _take(body, at, 1)[0]
        values[number] = _take(body, at + 1, length)
        at += 1 + length
    return values


def _take(body: bytes, at: int, length: int) -> bytes:
    if at + length > len(body):
        raise RemoteProtocolError(f"a header extension of {length} bytes with {len(body) - at} left")
    return body[at : at + length]


class _Template:
    """One prepared block and the places in it that change. A place of 0 means that the extension is not written."""

    __slots__ = ("block", "capture_at", "number_at", "send_time_at", "send_time_prefix")

    def __init__(self, fields: Sequence[tuple[str, int, bytes]]) -> None:
        self.block = bytearray(serialize_extensions([(number, value) for _, number, value in fields]))
        is_two_byte = self.block[:1] == _TWO_BYTE_PROFILE.to_bytes(2, "big")[:1]
        places: dict[str, int] = {}
        at = _BLOCK_HEADER.size
        for uri, _, value in fields:
            at += 2 if is_two_byte else 1
            places[uri] = at
            at += len(value)
        self.number_at = places.get(TRANSPORT_WIDE_CC, 0)
        self.capture_at = places.get(ABS_CAPTURE_TIME, 0)
        # The 24 bits are written together with the byte before them, which does not change: one store instead of two.
        self.send_time_at = max(0, places.get(ABS_SEND_TIME, 0) - 1)
        self.send_time_prefix = self.block[self.send_time_at] << 24 if self.send_time_at else 0


class ExtensionWriter:
    """The extension blocks of one RTP stream, for the ids that were negotiated. Called from the event loop only.

    `ids` maps URIs to ids; URIs that this writer does not know are left out, as is an empty `mid`.
    """

    __slots__ = ("_on_first", "_on_others")

    def __init__(self, ids: Mapping[str, int], mid: str, *, playout_delay_10ms: tuple[int, int] = (0, 0)) -> None:
        values = {
            ABS_SEND_TIME: bytes(_SEND_TIME_BYTES),
            TRANSPORT_WIDE_CC: bytes(_NUMBER.size),
            PLAYOUT_DELAY: playout_delay(*playout_delay_10ms),
            ABS_CAPTURE_TIME: bytes(_CAPTURE_TIME.size),
            MID: mid.encode(),
        }
        fields = [(uri, ids[uri], value) for uri, value in values.items() if uri in ids and value]
        self._on_first = _Template(fields)
        self._on_others = _Template([field for field in fields if field[0] != ABS_CAPTURE_TIME])

    @property
    def largest_bytes(self) -> int:
        """The length of the longest block: what a buffer must hold besides the fixed header."""
        return len(self._on_first.block)

    def block(self, *, send_us: int, transport_number: int, capture_ntp: int | None = None) -> bytes:
        """Return the block for a packet that leaves at `send_us` with this transport-wide number (16 bits).

        `capture_ntp` is the NTP time (64 bits, 32.32) at which the frame was captured: given for the first packet of a
        frame, it is written in the 16-byte form whose clock offset is zero: the capture clock is the sender's.
        """
        template = self._on_others if capture_ntp is None else self._on_first
        block = template.block
        if template.send_time_at:
            ticks = (send_us * _SEND_TIME_NUMERATOR // _SEND_TIME_DENOMINATOR) & _SEND_TIME_MASK
            _pack_word_into(block, template.send_time_at, template.send_time_prefix | ticks)
        if template.number_at:
            _pack_number_into(block, template.number_at, transport_number)
        if capture_ntp is not None and template.capture_at:
            _pack_capture_into(block, template.capture_at, capture_ntp, 0)
        return bytes(block)
