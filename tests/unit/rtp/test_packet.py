import pytest

from streamer.errors import RemoteProtocolError
from streamer.rtp.packet import padding, parse

_PADDED = bytes.fromhex("a0 66 ffff ffffffff cafebabe")


@pytest.mark.parametrize("length", [1, 2, 255])
def test_packet_leaves_padding_out_of_the_payload(length):
    packet = parse(_PADDED + b"xy" + padding(length))

    assert packet.payload == b"xy"
    assert packet.padding_bytes == length


def test_packet_may_consist_of_padding_alone():
    assert parse(_PADDED + padding(7)).payload == b""


def test_packet_names_its_contributing_sources():
    data = bytes.fromhex("82 60 0001 00000002 00000003 0000000a 0000000b") + b"p"

    packet = parse(data)

    assert packet.csrcs == (10, 11)
    assert packet.payload == b"p"


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (bytes(11), "at least 12 bytes"),
        (bytes(12), "version 0"),
        (bytes.fromhex("82 60 0001 00000002 00000003 0000000a 0000"), "cannot name 2"),
        (bytes.fromhex("90 60 0001 00000002 00000003 bede"), "cut off"),
        (bytes.fromhex("90 60 0001 00000002 00000003 bede0002 00000000"), "claims 2 words"),
        (bytes.fromhex("a0 60 0001 00000002 00000003"), "padding"),
        (bytes.fromhex("a0 60 0001 00000002 00000003 00"), "0 bytes of RTP padding"),
        (bytes.fromhex("a0 60 0001 00000002 00000003 0003"), "3 bytes of RTP padding in 2"),
    ],
)
def test_packet_parser_says_what_is_wrong(data, complaint):
    with pytest.raises(RemoteProtocolError, match=complaint):
        parse(data)
