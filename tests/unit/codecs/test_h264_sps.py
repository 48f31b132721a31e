import re

import pytest

from streamer.codecs._h264_sps import with_colour, with_immediate_output
from streamer.errors import LocalProtocolError
from streamer.media.frame import BT709_LIMITED, SRGB_FULL
from tests.fakes.nal_units import nal_unit, se, u, ue

_HEADER = u(0x67, 8)
_BASELINE = u(66, 8) + u(0xC0, 8) + u(32, 8)
_SIZE_720P = ue(79) + ue(44)
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
    order_count = order_count or ue(2)
    return "".join(
        (_HEADER, profile, ue(0), chroma, ue(4), order_count, ue(num_ref_frames), "0", _SIZE_720P, mbs, cropping)
    )


def _restriction(num_reorder_frames: int, buffering: int, *, bytes_per_picture: int = 0) -> str:
    return "1" + "1" + ue(bytes_per_picture) + ue(0) + ue(16) + ue(16) + ue(num_reorder_frames) + ue(buffering)


_NO_HRD = "0" + "0"
# Aspect ratio, overscan, video signal, chroma place and timing absent; no HRD; picture structure absent.
_EMPTY_VUI = "00000" + _NO_HRD + "0"
_EXTENDED_ASPECT = "1" + u(255, 8) + u(4, 16) + u(3, 16)
_SIMPLE_ASPECT = "1" + u(1, 8)
_OVERSCAN = "1" + "0"
_COLOURS = "1" + u(5, 3) + "0" + "1" + u(1, 8) + u(1, 8) + u(6, 8)
_NO_COLOURS = "1" + u(5, 3) + "0" + "0"
_CHROMA_PLACE = "1" + ue(0) + ue(2)
_TIMING = "1" + u(1, 32) + u(120, 32) + "1"
_HRD = "1" + ue(1) + u(3, 4) + u(2, 4) + (ue(9999) + ue(19999) + "1") * 2 + u(23, 5) * 3 + u(0, 5)
_FULL_VUI = _EXTENDED_ASPECT + _OVERSCAN + _COLOURS + _CHROMA_PLACE + _TIMING + _HRD + _HRD + "0" + "1"

_CHROMA_420 = ue(1) + ue(0) + ue(0) + "0" + "0"
_LIST_4X4 = "1" + se(8) + se(-8) + se(0) * 14
# The second delta makes the next scale zero: the rest of the list repeats and is not there.
_LIST_CUT_SHORT = "1" + se(2) + se(-10)
_LIST_8X8 = "1" + se(1) * 64
_CHROMA_WITH_LISTS = ue(1) + ue(0) + ue(0) + "0" + "1" + _LIST_4X4 + _LIST_CUT_SHORT + "0" * 4 + _LIST_8X8 + "0"
_CHROMA_444_WITH_LISTS = ue(3) + "0" + ue(2) + ue(2) + "0" + "1" + "0" * 11 + _LIST_8X8
_HIGH = u(100, 8) + u(0, 8) + u(32, 8)
_HIGH_444 = u(244, 8) + u(0, 8) + u(32, 8)

_STARTS = {
    "baseline": _start(),
    "order count by least significant bits": _start(order_count=ue(0) + ue(4)),
    "order count by a cycle": _start(order_count=ue(1) + "0" + se(-3) + se(2) + ue(2) + se(1) + se(-70000)),
    "fields": _start(mbs="0" + "1" + "1"),
    "cropped": _start(cropping="1" + ue(0) + ue(3) + ue(0) + ue(4)),
    "high": _start(_HIGH, chroma=_CHROMA_420),
    "high with scaling lists": _start(_HIGH, chroma=_CHROMA_WITH_LISTS),
    "high 4:4:4 with scaling lists": _start(_HIGH_444, chroma=_CHROMA_444_WITH_LISTS),
}


@pytest.mark.parametrize("start", _STARTS.values(), ids=_STARTS)
def test_sps_without_usability_information_gets_it(start):
    assert with_immediate_output(nal_unit(start, "0")) == nal_unit(start, "1", _EMPTY_VUI, _restriction(0, 1))


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
    rewritten = with_immediate_output(nal_unit(start, "1", vui, "0"))

    assert rewritten == nal_unit(start, "1", vui, _restriction(0, 1))


def test_sps_that_allows_reordering_is_rewritten():
    before = nal_unit(_start(num_ref_frames=2), "1", _FULL_VUI, _restriction(2, 4, bytes_per_picture=5))

    expected = nal_unit(_start(num_ref_frames=2), "1", _FULL_VUI, _restriction(0, 4, bytes_per_picture=5))
    assert with_immediate_output(before) == expected


def test_sps_buffering_is_at_least_the_number_of_reference_frames():
    before = nal_unit(_start(num_ref_frames=3), "1", _EMPTY_VUI, _restriction(0, 1))

    expected = nal_unit(_start(num_ref_frames=3), "1", _EMPTY_VUI, _restriction(0, 3))
    assert with_immediate_output(before) == expected


@pytest.mark.parametrize("vui", [_EMPTY_VUI, _FULL_VUI])
def test_sps_that_is_right_already_stays_as_it_is(vui):
    before = nal_unit(_start(), "1", vui, _restriction(0, 1))

    assert with_immediate_output(before) is before


def test_sps_vectors_have_emulation_prevention_in_both_directions():
    before = nal_unit(_start(), "1", _FULL_VUI, "0")

    after = with_immediate_output(before)

    assert b"\x00\x00\x03" in before
    assert b"\x00\x00\x03" in after
    assert re.search(rb"\x00\x00[\x00-\x02]", after) is None


def test_sps_is_rewritten_once():
    before = nal_unit(_start(num_ref_frames=7), "0")

    assert with_immediate_output(before) is with_immediate_output(bytes(bytearray(before)))


@pytest.mark.parametrize("length", range(1, len(nal_unit(_STARTS["high with scaling lists"], "0"))))
def test_sps_that_is_cut_off_is_an_error(length):
    with pytest.raises(LocalProtocolError):
        with_immediate_output(nal_unit(_STARTS["high with scaling lists"], "0")[:length])


def test_sps_with_an_endless_cycle_is_an_error():
    with pytest.raises(LocalProtocolError):
        with_immediate_output(nal_unit(_HEADER, _BASELINE, ue(0), ue(4), ue(1), "0", se(0), se(0), ue(1 << 31)))


_BT709 = "1" + u(5, 3) + "0" + "1" + u(1, 8) * 3


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
    assert with_colour(nal_unit(start, before), BT709_LIMITED) == nal_unit(start, after)


def test_sps_keeps_a_colour_description_that_is_right():
    told = with_colour(nal_unit(_start(), "0"), SRGB_FULL)

    assert with_colour(told, SRGB_FULL) == told
    assert with_colour(told, BT709_LIMITED) != told
