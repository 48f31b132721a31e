"""Retransmission payloads: the original sequence number in front of the original payload.

Format: RFC 4588, section 4. Sequence numbers, SSRC and payload type of the RTX stream are the sender's.
"""

from struct import Struct

from streamer.errors import RemoteProtocolError

_ORIGINAL_SEQUENCE = Struct("!H")
OVERHEAD_BYTES = _ORIGINAL_SEQUENCE.size


def make_payload(sequence: int, payload: bytes) -> bytes:
    """Return the payload that resends the packet `sequence`."""
    return _ORIGINAL_SEQUENCE.pack(sequence) + payload


def split_payload(payload: bytes) -> tuple[int, bytes]:
    """Return the original sequence number and payload.

    Raises:
        RemoteProtocolError: there is no sequence number. Padding on an RTX stream has an empty payload: test for that.
    """
    if len(payload) < OVERHEAD_BYTES:
        raise RemoteProtocolError(f"a retransmission payload of {len(payload)} bytes")
    return int(_ORIGINAL_SEQUENCE.unpack_from(payload)[0]), payload[OVERHEAD_BYTES:]
