import pytest

from streamer.codecs._bits import BitReader, BitWriter
from streamer.errors import LocalProtocolError
from tests.fakes.nal_units import packed

# ITU-T H.264, tables 9-2 and 9-3: codes, their number, and the number as a signed one.
_CODES = [
    ("1", 0, 0),
    ("010", 1, 1),
    ("011", 2, -1),
    ("00100", 3, 2),
    ("00101", 4, -2),
    ("00110", 5, 3),
    ("00111", 6, -3),
    ("0001000", 7, 4),
    ("00000000000000000000000000000001" + "0" * 31, (1 << 31) - 1, 1 << 30),
]


@pytest.mark.parametrize(("code", "number", "signed"), _CODES)
def test_bits_read_exp_golomb_codes(code, number, signed):
    data = packed(code + "1")

    assert BitReader(data).ue() == number
    assert BitReader(data).se() == signed


@pytest.mark.parametrize(("code", "number", "_signed"), _CODES)
def test_bits_write_exp_golomb_codes(code, number, _signed):
    writer = BitWriter()

    writer.ue(number)

    assert writer.trailing() == packed(code + "1")


def test_bits_are_read_in_order():
    reader = BitReader(bytes((0b1010_0111, 0xFF)))

    assert (reader.bits(1), reader.bits(3), reader.flag(), reader.bits(0), reader.bits(11)) == (1, 2, False, 0, 0x7FF)
    assert reader.position == 16


def test_bits_end_with_an_error():
    reader = BitReader(b"\x01")
    reader.bits(5)

    with pytest.raises(LocalProtocolError, match="in the middle of a field"):
        reader.bits(4)


def test_bits_refuse_a_code_that_is_too_long():
    with pytest.raises(LocalProtocolError, match="longer than 32 bits"):
        BitReader(b"\x00" * 8).ue()


def test_bits_are_copied_from_the_middle_of_other_bytes():
    writer = BitWriter()

    writer.flag(True)
    writer.copy(bytes((0b0001_1011, 0b1100_0000)), 3, 10)
    writer.bits(0, 2)

    # One, then 1101111, then 00, then the stop bit and five zeros.
    assert writer.trailing() == bytes((0b1_1101111, 0b00_1_00000))
