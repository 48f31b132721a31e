import pytest

from streamer.errors import RemoteProtocolError
from streamer.rtp.extensions import serialize_extensions
from streamer.rtp.packet import RtpPacket, padding, parse, write_header

_FIELDS = {"payload_type": 102, "sequence": 65535, "timestamp": 0xFFFFFFFF, "ssrc": 0xCAFEBABE}


@pytest.mark.parametrize("marker", [False, True])
@pytest.mark.parametrize("extension", [b"", serialize_extensions([(3, b"\x01\x02")])])
def test_packet_reads_back_what_was_written(marker, extension):
    buffer = bytearray(64)

    end = write_header(buffer, 5, marker=marker, extension=extension, **_FIELDS)
    buffer[end : end + 3] = b"abc"

    assert end == 5 + 12 + len(extension)
    assert parse(buffer[5 : end + 3]) == RtpPacket(marker=marker, extension=extension, payload=b"abc", **_FIELDS)


def test_packet_is_written_into_a_view_of_a_larger_buffer():
    buffer = bytearray(40)

    end = write_header(memoryview(buffer)[8:], 0, marker=True, extension=b"", **_FIELDS)

    assert parse(bytes(buffer[8 : 8 + end])).sequence == 65535
    assert not any(buffer[:8])


def test_packet_header_has_the_bits_of_rfc_3550():
    buffer = bytearray(12)

    write_header(
        buffer, 0, payload_type=96, marker=True, sequence=1, timestamp=2, ssrc=3, extension=b"", has_padding=True
    )

    assert buffer == bytes.fromhex("a0 e0 0001 00000002 00000003")


@pytest.mark.parametrize("length", [1, 2, 255])
def test_packet_leaves_padding_out_of_the_payload(length):
    buffer = bytearray(12)
    write_header(buffer, 0, marker=False, extension=b"", has_padding=True, **_FIELDS)

    packet = parse(bytes(buffer) + b"xy" + padding(length))

    assert packet.payload == b"xy"
    assert packet.padding_bytes == length


def test_packet_may_consist_of_padding_alone():
    buffer = bytearray(12)
    write_header(buffer, 0, marker=False, extension=b"", has_padding=True, **_FIELDS)

    assert parse(bytes(buffer) + padding(7)).payload == b""


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
