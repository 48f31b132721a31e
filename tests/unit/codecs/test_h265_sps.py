import re

import pytest

from streamer.codecs._h265_sps import with_immediate_output
from streamer.errors import LocalProtocolError


def _u(value: int, count: int) -> str:
    return f"{value:0{count}b}"


def _ue(value: int) -> str:
    digits = f"{value + 1:b}"
    return "0" * (len(digits) - 1) + digits


def _nal_unit(*fields: str) -> bytes:
    bits = "".join(fields) + "1"
    bits += "0" * (-len(bits) % 8)
    payload = int(bits, 2).to_bytes(len(bits) // 8, "big")
    return re.sub(rb"\x00\x00(?=[\x00-\x03])", b"\x00\x00\x03", payload)


_HEADER = _u(0x4201, 16)
_PROFILE = _u(1, 8) + _u(0x60000000, 32) + _u(9, 4) + _u(0, 43) + "0"
_LEVEL = _u(120, 8)
_NO_SUB_LAYERS = ""
# Two more sub-layers: the first with profile and level of its own, the second with neither; then alignment.
_TWO_SUB_LAYERS = "11" + "00" + "00" * 6 + _PROFILE + _LEVEL
_CHROMA_420 = _ue(1)
_CHROMA_444 = _ue(3) + "0"
_SIZE_720P = _ue(1280) + _ue(720)
_NOT_CROPPED = "0"
_CROPPED = "1" + _ue(0) + _ue(0) + _ue(0) + _ue(4)
_DEPTHS_AND_COUNT = _ue(0) + _ue(0) + _ue(4)
# What follows is copied, whatever it means.
_REST = _ue(0) + _ue(3) + _ue(0) + _ue(1) + "0110100" + "0" * 40 + "1011"


def _start(sub_layers: int = 1, *, layers: str = _NO_SUB_LAYERS, chroma: str = _CHROMA_420, crop: str = _NOT_CROPPED):
    return "".join(
        (
            *(_HEADER, _u(0, 4), _u(sub_layers - 1, 3), "1", _PROFILE, _LEVEL, layers),
            *(_ue(0), chroma, _SIZE_720P, crop, _DEPTHS_AND_COUNT),
        )
    )


def _ordering(*sub_layers: tuple[int, int, int]) -> str:
    return "".join(_ue(value) for sub_layer in sub_layers for value in sub_layer)


@pytest.mark.parametrize(
    "start",
    [
        _start(),
        _start(crop=_CROPPED),
        _start(chroma=_CHROMA_444),
        _start(3, layers=_TWO_SUB_LAYERS),
    ],
    ids=["plain", "cropped", "4:4:4", "sub-layers that share one order"],
)
def test_sps_says_that_nothing_is_reordered_and_keeps_the_rest(start):
    rewritten = with_immediate_output(_nal_unit(start, "0", _ordering((4, 2, 5)), _REST))

    assert rewritten == _nal_unit(start, "0", _ordering((4, 0, 5)), _REST)


def test_sps_says_so_for_each_sub_layer():
    start = _start(3, layers=_TWO_SUB_LAYERS)

    rewritten = with_immediate_output(_nal_unit(start, "1", _ordering((1, 0, 0), (2, 1, 0), (4, 2, 5)), _REST))

    assert rewritten == _nal_unit(start, "1", _ordering((1, 0, 0), (2, 0, 0), (4, 0, 5)), _REST)


def test_sps_without_reordering_comes_back_as_it_is():
    nal_unit = _nal_unit(_start(), "1", _ordering((1, 0, 0)), _REST)

    assert with_immediate_output(nal_unit) is nal_unit


def test_sps_vectors_have_emulation_prevention():
    assert b"\x00\x00\x03" in _nal_unit(_start(), "1", _ordering((4, 2, 0)), _REST)


def test_sps_that_ends_early_is_an_error():
    whole = _nal_unit(_start(), "1", _ordering((4, 2, 0)))

    with pytest.raises(LocalProtocolError, match="ends in the middle"):
        with_immediate_output(whole[:-2])


def test_sps_whose_stop_bit_was_read_as_content_gets_nothing_more_to_copy():
    # The last field's one is the last one of the payload.
    start, ordering = _start(), _ordering((4, 2, 0))
    nal_unit = _nal_unit(start, "1", ordering)
    bits = "".join(f"{byte:08b}" for byte in nal_unit.replace(b"\x00\x00\x03", b"\x00\x00"))
    cut = bits[: len(start) + 1 + len(ordering)]
    cut += "0" * (-len(cut) % 8)
    payload = int(cut, 2).to_bytes(len(cut) // 8, "big")

    rewritten = with_immediate_output(re.sub(rb"\x00\x00(?=[\x00-\x03])", b"\x00\x00\x03", payload))

    assert rewritten == _nal_unit(start, "1", _ordering((4, 0, 0)))
