import pytest

from streamer.errors import LocalProtocolError, RemoteProtocolError
from streamer.rtp import extensions as ext


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
