import pytest

from streamer.rtp import extensions as ext
from streamer.rtp.header import HeadWriter
from streamer.rtp.packet import RtpPacket, parse

_IDS = {ext.MID: 1, ext.ABS_SEND_TIME: 2, ext.TRANSPORT_WIDE_CC: 3, ext.PLAYOUT_DELAY: 4, ext.ABS_CAPTURE_TIME: 5}
_TWO_BYTE_IDS = {uri: number + 14 for uri, number in _IDS.items()}
_NTP = 0xE0000000_80000000
_SSRC = 0xCAFEBABE


def _write(writer: HeadWriter, *, send_us: int = 0, transport_number: int = 0, **shape) -> bytes:
    buffer = bytearray(200)
    end = writer.write(buffer, 5, 65535, 0xFFFFFFFF, send_us, transport_number, **shape)
    assert not any(buffer[:5])
    assert not any(buffer[end:])
    return bytes(buffer[5:end])


def _values(writer: HeadWriter, **shape) -> dict[int, bytes]:
    return ext.parse_extensions(parse(_write(writer, **shape)).extension)


@pytest.mark.parametrize("marker", [False, True])
@pytest.mark.parametrize("ids", [{}, {ext.TRANSPORT_WIDE_CC: 3}])
def test_head_reads_back_what_was_written(marker, ids):
    writer = HeadWriter(102, _SSRC, ids, "0")

    head = _write(writer, transport_number=0x0102, marker=marker)

    extension = ext.serialize_extensions([(3, b"\x01\x02")] if ids else [])
    expected = RtpPacket(
        payload_type=102,
        marker=marker,
        sequence=65535,
        timestamp=0xFFFFFFFF,
        ssrc=_SSRC,
        payload=b"",
        extension=extension,
    )
    assert parse(head) == expected
    assert writer.largest_bytes == len(head) == 12 + len(extension)


def test_head_has_the_bits_of_rfc_3550():
    buffer = bytearray(12)

    HeadWriter(96, 3, {}, "").write(memoryview(buffer), 0, 1, 2, 0, 0, marker=True)

    assert buffer == bytes.fromhex("80 e0 0001 00000002 00000003")


@pytest.mark.parametrize(("ids", "profile"), [(_IDS, 0xBEDE), (_TWO_BYTE_IDS, 0x1000)])
def test_head_carries_every_extension_in_either_form(ids, profile):
    writer = HeadWriter(96, _SSRC, ids, "video", playout_delay_10ms=(1, 2))

    block = parse(_write(writer, send_us=1_500_000, transport_number=0x1234, capture_ntp=_NTP)).extension

    assert int.from_bytes(block[:2], "big") == profile
    assert len(block) % 4 == 0
    assert ext.parse_extensions(block) == {
        ids[ext.MID]: b"video",
        ids[ext.ABS_SEND_TIME]: (3 << 17).to_bytes(3, "big"),
        ids[ext.TRANSPORT_WIDE_CC]: b"\x12\x34",
        ids[ext.PLAYOUT_DELAY]: bytes.fromhex("001002"),
        ids[ext.ABS_CAPTURE_TIME]: _NTP.to_bytes(8, "big") + bytes(8),
    }


def test_head_leaves_capture_time_to_the_first_packet_of_a_frame():
    writer = HeadWriter(96, _SSRC, _IDS, "0")

    first, other = _write(writer, capture_ntp=_NTP), _write(writer)

    assert _IDS[ext.ABS_CAPTURE_TIME] in ext.parse_extensions(parse(first).extension)
    assert _IDS[ext.ABS_CAPTURE_TIME] not in ext.parse_extensions(parse(other).extension)
    assert writer.largest_bytes == len(first) > len(other)


def test_head_forgets_the_shape_of_the_one_before_it():
    writer = HeadWriter(96, _SSRC, _IDS, "0")
    plain = _write(writer, transport_number=1)

    _write(writer, send_us=1_000_000, transport_number=2, marker=True)

    assert _write(writer, transport_number=1) == plain


@pytest.mark.parametrize("left_out", list(_IDS))
def test_head_leaves_out_what_was_not_negotiated(left_out):
    ids = {uri: number for uri, number in _IDS.items() if uri != left_out}
    writer = HeadWriter(96, _SSRC, {**ids, "urn:unknown": 9}, "0")

    assert set(_values(writer, send_us=1, transport_number=1, capture_ntp=_NTP)) == set(ids.values())


def test_head_without_any_extension_is_the_fixed_header():
    writer = HeadWriter(96, _SSRC, {ext.MID: 1}, "")

    assert len(_write(writer, capture_ntp=_NTP)) == writer.largest_bytes == 12


def test_head_takes_the_two_byte_form_for_a_long_mid():
    writer = HeadWriter(96, _SSRC, {ext.MID: 1, ext.TRANSPORT_WIDE_CC: 2}, "m" * 17)

    assert _values(writer, transport_number=7) == {1: b"m" * 17, 2: b"\x00\x07"}
