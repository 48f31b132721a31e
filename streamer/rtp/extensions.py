"""Header extensions of RTP packets: who is who on the wire, and a block of them as bytes and as values.

Format: RFC 8285, section 4. The one-byte form is used unless an id is above 14 or a value is longer than 16 bytes.
"""

from collections.abc import Sequence
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
BLOCK_HEAD_BYTES = _BLOCK_HEADER.size

# abs-send-time: 6 bits of seconds and 18 of their fraction. 2^18 / 10^6 in lowest terms is 4096 / 15625.
_SEND_TIME_NUMERATOR = 4096
_SEND_TIME_DENOMINATOR = 15_625
_SEND_TIME_MASK = 0xFFFFFF
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


def is_two_byte_form(block: bytes) -> bool:
    """Return whether each value in a block has two bytes in front of it, or one."""
    return block[:1] == _TWO_BYTE_PROFILE.to_bytes(2, "big")[:1]


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
