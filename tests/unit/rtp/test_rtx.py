import pytest

from streamer.errors import RemoteProtocolError
from streamer.rtp.rtx import OVERHEAD_BYTES, make_payload, split_payload


@pytest.mark.parametrize("sequence", [0, 1, 65535])
def test_rtx_carries_the_original_sequence_in_front(sequence):
    payload = make_payload(sequence, b"abc")

    assert len(payload) == OVERHEAD_BYTES + 3
    assert payload[:2] == sequence.to_bytes(2, "big")
    assert split_payload(payload) == (sequence, b"abc")


def test_rtx_refuses_a_payload_without_sequence():
    with pytest.raises(RemoteProtocolError, match="1 bytes"):
        split_payload(b"\x00")
