import re

import pytest

from streamer.codecs._h264_sps import with_colour, with_immediate_output
from streamer.errors import LocalProtocolError
from streamer.media.frame import BT709_LIMITED, SRGB_FULL


def _u(value: int, count: int) -> str:
    return f"{value:0{count}b}"


def _ue(value: int) -> str:
    digits = f"{value + 1:b}"
    return "0" * (len(digits) - 1) + digits


def _se(value: int) -> str:
    return _ue(2 * value - 1 if value > 0 else -2 * value)


def _nal_unit(*fields: str) -> bytes:
    bits = "".join(fields) + "1"
    bits += "0" * (-len(bits) % 8)
    payload = int(bits, 2).to_bytes(len(bits) // 8, "big")
    return re.sub(rb"\x00\x00(?=[\x00-\x03])", b"\x00\x00\x03", payload)


_HEADER = _u(0x67, 8)
_BASELINE = _u(66, 8) + _u(0xC0, 8) + _u(32, 8)
_SIZE_720P = _ue(79) + _ue(44)
_FRAMES_ONLY = "1" + "1"
_NOT_CROPPED = "0"


def _start(
    profile: str = _BASELINE,
    *,
    chroma: str = "",
    order_count: str = "",
    num_ref_frames: int = 1,
    mbs: str = _FRAMES_ONLY,
    cropping: str = _NOT_CROPPED,
) -> str:
    """Everything up to the flag that says whether video usability information follows."""
    order_count = order_count or _ue(2)
    return "".join(
        (_HEADER, profile, _ue(0), chroma, _ue(4), order_count, _ue(num_ref_frames), "0", _SIZE_720P, mbs, cropping)
    )


def _restriction(num_reorder_frames: int, buffering: int, *, bytes_per_picture: int = 0) -> str:
    return "1" + "1" + _ue(bytes_per_picture) + _ue(0) + _ue(16) + _ue(16) + _ue(num_reorder_frames) + _ue(buffering)


_NO_HRD = "0" + "0"
# Aspect ratio, overscan, video signal, chroma place and timing absent; no HRD; picture structure absent.
_EMPTY_VUI = "00000" + _NO_HRD + "0"
_EXTENDED_ASPECT = "1" + _u(255, 8) + _u(4, 16) + _u(3, 16)
_SIMPLE_ASPECT = "1" + _u(1, 8)
_OVERSCAN = "1" + "0"
_COLOURS = "1" + _u(5, 3) + "0" + "1" + _u(1, 8) + _u(1, 8) + _u(6, 8)
_NO_COLOURS = "1" + _u(5, 3) + "0" + "0"
_CHROMA_PLACE = "1" + _ue(0) + _ue(2)
_TIMING = "1" + _u(1, 32) + _u(120, 32) + "1"
_HRD = "1" + _ue(1) + _u(3, 4) + _u(2, 4) + (_ue(9999) + _ue(19999) + "1") * 2 + _u(23, 5) * 3 + _u(0, 5)
_FULL_VUI = _EXTENDED_ASPECT + _OVERSCAN + _COLOURS + _CHROMA_PLACE + _TIMING + _HRD + _HRD + "0" + "1"

_CHROMA_420 = _ue(1) + _ue(0) + _ue(0) + "0" + "0"
_LIST_4X4 = "1" + _se(8) + _se(-8) + _se(0) * 14
# The second delta makes the next scale zero: the rest of the list repeats and is not there.
_LIST_CUT_SHORT = "1" + _se(2) + _se(-10)
_LIST_8X8 = "1" + _se(1) * 64
_CHROMA_WITH_LISTS = _ue(1) + _ue(0) + _ue(0) + "0" + "1" + _LIST_4X4 + _LIST_CUT_SHORT + "0" * 4 + _LIST_8X8 + "0"
_CHROMA_444_WITH_LISTS = _ue(3) + "0" + _ue(2) + _ue(2) + "0" + "1" + "0" * 11 + _LIST_8X8
_HIGH = _u(100, 8) + _u(0, 8) + _u(32, 8)
_HIGH_444 = _u(244, 8) + _u(0, 8) + _u(32, 8)

_STARTS = {
    "baseline": _start(),
    "order count by least significant bits": _start(order_count=_ue(0) + _ue(4)),
    "order count by a cycle": _start(order_count=_ue(1) + "0" + _se(-3) + _se(2) + _ue(2) + _se(1) + _se(-70000)),
    "fields": _start(mbs="0" + "1" + "1"),
    "cropped": _start(cropping="1" + _ue(0) + _ue(3) + _ue(0) + _ue(4)),
    "high": _start(_HIGH, chroma=_CHROMA_420),
    "high with scaling lists": _start(_HIGH, chroma=_CHROMA_WITH_LISTS),
    "high 4:4:4 with scaling lists": _start(_HIGH_444, chroma=_CHROMA_444_WITH_LISTS),
}


@pytest.mark.parametrize("start", _STARTS.values(), ids=_STARTS)
def test_sps_without_usability_information_gets_it(start):
    assert with_immediate_output(_nal_unit(start, "0")) == _nal_unit(start, "1", _EMPTY_VUI, _restriction(0, 1))


@pytest.mark.parametrize(
    "vui",
    [
        _EMPTY_VUI,
        _FULL_VUI,
        _SIMPLE_ASPECT + "0000" + _NO_HRD + "0",
        "00" + _NO_COLOURS + "00" + _NO_HRD + "1",
        "0000" + _TIMING + "0" + _HRD + "1" + "0",
        "0000" + _TIMING + _HRD + "0" + "0" + "0",
    ],
    ids=["empty", "full", "aspect alone", "video signal alone", "second HRD alone", "first HRD alone"],
)
@pytest.mark.parametrize("start", _STARTS.values(), ids=_STARTS)
def test_sps_without_a_restriction_gets_one_and_keeps_the_rest(start, vui):
    rewritten = with_immediate_output(_nal_unit(start, "1", vui, "0"))

    assert rewritten == _nal_unit(start, "1", vui, _restriction(0, 1))


def test_sps_that_allows_reordering_is_rewritten():
    nal_unit = _nal_unit(_start(num_ref_frames=2), "1", _FULL_VUI, _restriction(2, 4, bytes_per_picture=5))

    expected = _nal_unit(_start(num_ref_frames=2), "1", _FULL_VUI, _restriction(0, 4, bytes_per_picture=5))
    assert with_immediate_output(nal_unit) == expected


def test_sps_buffering_is_at_least_the_number_of_reference_frames():
    nal_unit = _nal_unit(_start(num_ref_frames=3), "1", _EMPTY_VUI, _restriction(0, 1))

    expected = _nal_unit(_start(num_ref_frames=3), "1", _EMPTY_VUI, _restriction(0, 3))
    assert with_immediate_output(nal_unit) == expected


@pytest.mark.parametrize("vui", [_EMPTY_VUI, _FULL_VUI])
def test_sps_that_is_right_already_stays_as_it_is(vui):
    nal_unit = _nal_unit(_start(), "1", vui, _restriction(0, 1))

    assert with_immediate_output(nal_unit) is nal_unit


def test_sps_vectors_have_emulation_prevention_in_both_directions():
    before = _nal_unit(_start(), "1", _FULL_VUI, "0")

    after = with_immediate_output(before)

    assert b"\x00\x00\x03" in before
    assert b"\x00\x00\x03" in after
    assert re.search(rb"\x00\x00[\x00-\x02]", after) is None


def test_sps_is_rewritten_once():
    nal_unit = _nal_unit(_start(num_ref_frames=7), "0")

    assert with_immediate_output(nal_unit) is with_immediate_output(bytes(bytearray(nal_unit)))


@pytest.mark.parametrize("length", range(1, len(_nal_unit(_STARTS["high with scaling lists"], "0"))))
def test_sps_that_is_cut_off_is_an_error(length):
    with pytest.raises(LocalProtocolError):
        with_immediate_output(_nal_unit(_STARTS["high with scaling lists"], "0")[:length])


def test_sps_with_an_endless_cycle_is_an_error():
    with pytest.raises(LocalProtocolError):
        with_immediate_output(_nal_unit(_HEADER, _BASELINE, _ue(0), _ue(4), _ue(1), "0", _se(0), _se(0), _ue(1 << 31)))


_BT709 = "1" + _u(5, 3) + "0" + "1" + _u(1, 8) * 3


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("0", "1" + "00" + _BT709 + "000000", id="no-information"),
        pytest.param("1" + _EMPTY_VUI + "0", "1" + "00" + _BT709 + "00" + _NO_HRD + "0" + "0", id="nothing-said"),
        pytest.param(
            "1" + _SIMPLE_ASPECT + _OVERSCAN + _NO_COLOURS + _CHROMA_PLACE + _NO_HRD + "0" + _restriction(0, 1),
            "1" + _SIMPLE_ASPECT + _OVERSCAN + _BT709 + _CHROMA_PLACE + _NO_HRD + "0" + _restriction(0, 1),
            id="range-alone",
        ),
        pytest.param(
            "1" + _FULL_VUI.removesuffix("1") + "0",
            "1" + _FULL_VUI.removesuffix("1").replace(_COLOURS, _BT709) + "0",
            id="other-colours",
        ),
    ],
)
@pytest.mark.parametrize("start", _STARTS.values(), ids=_STARTS)
def test_sps_is_given_a_colour_description(start, before, after):
    assert with_colour(_nal_unit(start, before), BT709_LIMITED) == _nal_unit(start, after)


def test_sps_keeps_a_colour_description_that_is_right():
    told = with_colour(_nal_unit(_start(), "0"), SRGB_FULL)

    assert with_colour(told, SRGB_FULL) == told
    assert with_colour(told, BT709_LIMITED) != told
