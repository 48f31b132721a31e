"""Whatever lumas are read, decoding gives None or a stamp that encodes to exactly those bits."""

from hypothesis import given
from hypothesis import strategies as st

from streamer.media.stamp import BITS, LUMA_ONE, LUMA_ZERO, Stamp, decode, encode
from tests.fakes.mutations import round_trips

_STAMPS = st.builds(Stamp, st.integers(0, (1 << 32) - 1), st.integers(0, 65535), st.integers(0, 255))
_LUMAS = st.integers(0, 255)


def _bits(lumas):
    return tuple(luma >= (LUMA_ZERO + LUMA_ONE) // 2 for luma in lumas)


@given(st.binary(max_size=2 * BITS) | st.binary(min_size=BITS, max_size=BITS))
def test_stamp_survives_any_lumas(lumas):
    stamp = decode(lumas)

    assert stamp is None or encode(stamp) == _bits(lumas)


@round_trips
@given(_STAMPS, st.binary(min_size=BITS, max_size=BITS))
def test_stamp_is_read_back_through_noise(stamp, noise):
    lumas = [
        (LUMA_ONE if bit else LUMA_ZERO) + error % 121 - 60 for bit, error in zip(encode(stamp), noise, strict=True)
    ]

    assert decode(lumas) == stamp


@given(_STAMPS, st.dictionaries(st.integers(0, BITS - 1), _LUMAS, max_size=8))
def test_stamp_survives_changed_blocks(stamp, changes):
    lumas = [LUMA_ONE if bit else LUMA_ZERO for bit in encode(stamp)]
    for place, luma in changes.items():
        lumas[place] = luma

    found = decode(lumas)

    assert found is None or encode(found) == _bits(lumas)
