import pytest

from streamer.errors import LocalProtocolError, RemoteProtocolError
from streamer.rtp import extensions as ext

_IDS = {ext.MID: 1, ext.ABS_SEND_TIME: 2, ext.TRANSPORT_WIDE_CC: 3, ext.PLAYOUT_DELAY: 4, ext.ABS_CAPTURE_TIME: 5}
_TWO_BYTE_IDS = {uri: number + 14 for uri, number in _IDS.items()}
_NTP = 0xE0000000_80000000


@pytest.mark.parametrize(
    ("minimum", "maximum", "expected"),
    [
        (0, 0, "000000"),
        (1, 2, "001002"),
        (0xABC, 0xDEF, "abcdef"),
        (0xFFF, 0xFFF, "ffffff"),
    ],
)
def test_playout_delay_packs_two_numbers_of_twelve_bits(minimum, maximum, expected):
    assert ext.playout_delay(minimum, maximum).hex() == expected


@pytest.mark.parametrize(("minimum", "maximum"), [(-1, 0), (2, 1), (0, 0x1000)])
def test_playout_delay_refuses_what_does_not_fit(minimum, maximum):
    with pytest.raises(LocalProtocolError, match="playout delay"):
        ext.playout_delay(minimum, maximum)


@pytest.mark.parametrize(
    ("send_us", "expected"),
    [
        (0, 0),
        (1_000_000, 1 << 18),
        (500_000, 1 << 17),
        (63_999_999, 0xFFFFFF),
        (64_000_000, 0),
        (10**15 * 64, 0),
    ],
)
def test_abs_send_time_counts_seconds_with_six_bits_and_an_18_bit_fraction(send_us, expected):
    assert ext.abs_send_time(send_us) == expected


@pytest.mark.parametrize(("ids", "profile"), [(_IDS, 0xBEDE), (_TWO_BYTE_IDS, 0x1000)])
def test_writer_writes_every_extension_in_either_form(ids, profile):
    writer = ext.ExtensionWriter(ids, "video", playout_delay_10ms=(1, 2))

    block = writer.block(send_us=1_500_000, transport_number=0x1234, capture_ntp=_NTP)

    assert int.from_bytes(block[:2], "big") == profile
    assert len(block) % 4 == 0
    assert ext.parse_extensions(block) == {
        ids[ext.MID]: b"video",
        ids[ext.ABS_SEND_TIME]: (3 << 17).to_bytes(3, "big"),
        ids[ext.TRANSPORT_WIDE_CC]: b"\x12\x34",
        ids[ext.PLAYOUT_DELAY]: bytes.fromhex("001002"),
        ids[ext.ABS_CAPTURE_TIME]: _NTP.to_bytes(8, "big") + bytes(8),
    }


def test_writer_leaves_capture_time_to_the_first_packet_of_a_frame():
    writer = ext.ExtensionWriter(_IDS, "0")

    first = writer.block(send_us=0, transport_number=0, capture_ntp=_NTP)
    other = writer.block(send_us=0, transport_number=1)

    assert _IDS[ext.ABS_CAPTURE_TIME] in ext.parse_extensions(first)
    assert _IDS[ext.ABS_CAPTURE_TIME] not in ext.parse_extensions(other)
    assert writer.largest_bytes == len(first) > len(other)


def test_writer_gives_blocks_that_later_ones_do_not_change():
    writer = ext.ExtensionWriter(_IDS, "0")

    first = writer.block(send_us=0, transport_number=1)
    writer.block(send_us=1_000_000, transport_number=2)

    assert ext.parse_extensions(first)[_IDS[ext.TRANSPORT_WIDE_CC]] == b"\x00\x01"


@pytest.mark.parametrize("left_out", list(_IDS))
def test_writer_leaves_out_what_was_not_negotiated(left_out):
    ids = {uri: number for uri, number in _IDS.items() if uri != left_out}
    writer = ext.ExtensionWriter({**ids, "urn:unknown": 9}, "0")

    block = writer.block(send_us=1, transport_number=1, capture_ntp=_NTP)

    assert set(ext.parse_extensions(block)) == set(ids.values())


def test_writer_without_any_extension_writes_no_block():
    writer = ext.ExtensionWriter({ext.MID: 1}, "")

    assert writer.block(send_us=1, transport_number=1, capture_ntp=_NTP) == b""
    assert writer.largest_bytes == 0


def test_writer_takes_the_two_byte_form_for_a_long_mid():
    writer = ext.ExtensionWriter({ext.MID: 1, ext.TRANSPORT_WIDE_CC: 2}, "m" * 17)

    values = ext.parse_extensions(writer.block(send_us=0, transport_number=7))

    assert values == {1: b"m" * 17, 2: b"\x00\x07"}


@pytest.mark.parametrize("values", [[(0, b"a")], [(256, b"a")], [(1, bytes(256))]])
def test_serializer_refuses_what_fits_neither_form(values):
    with pytest.raises(LocalProtocolError, match="header extensions"):
        ext.serialize_extensions(values)


def test_serializer_takes_the_two_byte_form_for_an_empty_value():
    block = ext.serialize_extensions([(1, b"")])

    assert block.hex() == "1000000101000000"
    assert ext.parse_extensions(block) == {1: b""}


@pytest.mark.parametrize(
    ("block", "values"),
    [
        ("", {}),
        ("bede0000", {}),
        ("12340001 10aa0000", {}),  # An unknown profile.
        ("bede0001 0010aa00", {1: b"\xaa"}),  # Padding in front.
        ("bede0001 10aaf0bb", {1: b"\xaa"}),  # Id 15 ends the block.
        ("bede0001 10aa03bb", {1: b"\xaa"}),  # Id 0 with a length cannot be skipped.
        ("100f0001 0001 01aa", {1: b"\xaa"}),  # Application bits in the profile, padding in front.
    ],
)
def test_parser_follows_rfc_8285(block, values):
    assert ext.parse_extensions(bytes.fromhex(block)) == values


@pytest.mark.parametrize(
    "block",
    [
        "bede",
        "bede0002 10aa0000",
        "bede0001 10aa0000 00",
        "bede0001 13aabbcc",
        "10000001 00000001",
        "10000001 0103aabb",
    ],
)
def test_parser_refuses_a_block_that_is_cut_off(block):
    with pytest.raises(RemoteProtocolError, match="header extension"):
        ext.parse_extensions(bytes.fromhex(block))
