"""VP8: frames after RFC 6386, RTP payloads after RFC 7741 with the shortest descriptor.

No picture identifiers: they would count per stream, and a payload is shared by the streams of all viewers.
"""

from collections.abc import Sequence

from streamer.codecs.base import SdpFormat
from streamer.errors import LocalProtocolError, RemoteProtocolError
from streamer.media.frame import Resolution

NAME = "vp8"
MIME_TYPE = "video/VP8"

_CLOCK_RATE_HZ = 90_000
# RFC 7741, section 4.2: S marks the first payload of a partition; the whole frame is sent as partition 0.
_FIRST, _FOLLOWING = b"\x10", b"\x00"
_START_BIT, _EXTENSION_BIT, _PARTITION_BITS = 0x10, 0x80, 0x07
# RFC 6386, section 9.1: the frame tag has 3 bytes; its lowest bit is zero in a keyframe.
_TAG_BYTES = 3
_INTERFRAME_BIT = 0x01


def sdp_formats(largest: Resolution, fps: float) -> tuple[SdpFormat, ...]:  # noqa: ARG001 - VP8 has no levels
    """Return the one format; it has no parameters."""
    return (SdpFormat(MIME_TYPE, _CLOCK_RATE_HZ),)


def is_keyframe(data: bytes) -> bool:
    """Return what the frame tag says.

    Raises:
        LocalProtocolError: there is no frame tag.
    """
    if len(data) < _TAG_BYTES:
        raise LocalProtocolError(f"a VP8 frame of {len(data)} bytes has no frame tag")
    return not data[0] & _INTERFRAME_BIT


def conform(data: bytes) -> bytes:
    """Return the frame as it is: VP8 decoders output every shown frame at once."""
    return data


def packetize(data: bytes, max_payload_bytes: int) -> tuple[bytes, ...]:
    """Return the payloads of a frame, of about equal size.

    Raises:
        LocalProtocolError: there is no frame tag.
    """
    if len(data) < _TAG_BYTES:
        raise LocalProtocolError(f"a VP8 frame of {len(data)} bytes has no frame tag")
    count = -(-len(data) // (max_payload_bytes - 1))
    step = -(-len(data) // count)
    return tuple((_FOLLOWING if at else _FIRST) + data[at : at + step] for at in range(0, len(data), step))


def depacketize(payloads: Sequence[bytes]) -> bytes:
    """Return the frame that payloads with the shortest descriptor carry, in order.

    Raises:
        RemoteProtocolError: they are not payloads of one frame.
    """
    if not payloads:
        raise RemoteProtocolError("a frame has no payload")
    for index, payload in enumerate(payloads):
        if len(payload) < 2 or payload[0] & (_EXTENSION_BIT | _PARTITION_BITS):  # noqa: PLR2004 - descriptor and content
            raise RemoteProtocolError("a payload has another descriptor than ours")
        if bool(payload[0] & _START_BIT) != (index == 0):
            raise RemoteProtocolError("the payloads do not begin and end with one frame")
    return b"".join(payload[1:] for payload in payloads)
