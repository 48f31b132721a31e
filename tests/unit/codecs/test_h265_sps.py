import pytest

from streamer.codecs._h265_sps import with_colour, with_immediate_output
from streamer.errors import LocalProtocolError
from streamer.media.frame import ColourDescription
from tests.fakes.nal_units import escaped, nal_unit, u, ue

_HEADER = u(0x4201, 16)
_PROFILE = u(1, 8) + u(0x60000000, 32) + u(9, 4) + u(0, 43) + "0"
_LEVEL = u(120, 8)
_NO_SUB_LAYERS = ""
# Two more sub-layers: the first with profile and level of its own, the second with neither; then alignment.
_TWO_SUB_LAYERS = "11" + "00" + "00" * 6 + _PROFILE + _LEVEL
_CHROMA_420 = ue(1)
_CHROMA_444 = ue(3) + "0"
_SIZE_720P = ue(1280) + ue(720)
_NOT_CROPPED = "0"
_CROPPED = "1" + ue(0) + ue(0) + ue(0) + ue(4)
_DEPTHS_AND_COUNT = ue(0) + ue(0) + ue(4)
# What follows is copied, whatever it means.
_REST = ue(0) + ue(3) + ue(0) + ue(1) + "0110100" + "0" * 40 + "1011"

# Six sizes of blocks and depths of their division.
_BLOCKS = ue(0) + ue(3) + ue(0) + ue(3) + ue(0) + ue(1)
_NO_LISTS, _LISTS_OF_THE_STANDARD = "0", "10"
# Of each size one list is written out, with a mean of its own from 16x16 on, and the others are those before it.
_LISTS = "11" + "".join(
    "1" + ue(1) * (mean + coefficients) + ("0" + ue(1)) * others
    for mean, coefficients, others in ((0, 16, 5), (0, 64, 5), (1, 64, 5), (1, 64, 1))
)
_TOOLS = "10"
_NO_PCM, _PCM = "0", "1" + u(0x77, 8) + ue(0) + ue(2) + "1"
_NO_SETS = ue(0)
# Two and one pictures; four of which one is dropped, built on that; four built on those three; one picture.
_SETS = (
    ue(4) + ue(2) + ue(1) + (ue(0) + "1") * 3 + "1" + "0" + ue(0) + "1" + "1" + "01" + "00"
    + "1" + "1" + ue(1) + "1" * 4 + "0" + ue(1) + ue(0) + ue(5) + "1"
)  # fmt: skip
_NO_LONG_TERM, _LONG_TERM = "0", "1" + ue(2) + u(5, 8) + "1" + u(9, 8) + "0"
_MORE_TOOLS = "11"
_NO_EXTENSION = "0"


def _start(sub_layers: int = 1, *, layers: str = _NO_SUB_LAYERS, chroma: str = _CHROMA_420, crop: str = _NOT_CROPPED):
    return "".join(
        (
            *(_HEADER, u(0, 4), u(sub_layers - 1, 3), "1", _PROFILE, _LEVEL, layers),
            *(ue(0), chroma, _SIZE_720P, crop, _DEPTHS_AND_COUNT),
        )
    )


def _ordering(*sub_layers: tuple[int, int, int]) -> str:
    return "".join(ue(value) for sub_layer in sub_layers for value in sub_layer)


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
    rewritten = with_immediate_output(nal_unit(start, "0", _ordering((4, 2, 5)), _REST))

    assert rewritten == nal_unit(start, "0", _ordering((4, 0, 5)), _REST)


def test_sps_says_so_for_each_sub_layer():
    start = _start(3, layers=_TWO_SUB_LAYERS)

    rewritten = with_immediate_output(nal_unit(start, "1", _ordering((1, 0, 0), (2, 1, 0), (4, 2, 5)), _REST))

    assert rewritten == nal_unit(start, "1", _ordering((1, 0, 0), (2, 0, 0), (4, 0, 5)), _REST)


def test_sps_without_reordering_comes_back_as_it_is():
    before = nal_unit(_start(), "1", _ordering((1, 0, 0)), _REST)

    assert with_immediate_output(before) is before


def test_sps_vectors_have_emulation_prevention():
    assert b"\x00\x00\x03" in nal_unit(_start(), "1", _ordering((4, 2, 0)), _REST)


def test_sps_that_ends_early_is_an_error():
    whole = nal_unit(_start(), "1", _ordering((4, 2, 0)))

    with pytest.raises(LocalProtocolError, match="ends in the middle"):
        with_immediate_output(whole[:-2])


def test_sps_whose_stop_bit_was_read_as_content_gets_nothing_more_to_copy():
    # The last field's one is the last one of the payload.
    start = _start()

    rewritten = with_immediate_output(escaped(start + "1" + _ordering((4, 2, 0))))

    assert rewritten == nal_unit(start, "1", _ordering((4, 0, 0)))


@pytest.mark.parametrize(
    ("lists", "pcm", "sets", "long_term"),
    [
        (_NO_LISTS, _NO_PCM, _NO_SETS, _NO_LONG_TERM),
        (_LISTS_OF_THE_STANDARD, _NO_PCM, _NO_SETS, _NO_LONG_TERM),
        (_LISTS, _NO_PCM, _NO_SETS, _NO_LONG_TERM),
        (_NO_LISTS, _PCM, _NO_SETS, _NO_LONG_TERM),
        (_NO_LISTS, _NO_PCM, _SETS, _NO_LONG_TERM),
        (_NO_LISTS, _NO_PCM, _SETS, _LONG_TERM),
    ],
    ids=["plain", "lists-of-the-standard", "lists", "pcm", "reference-sets", "long-term"],
)
def test_sps_says_what_colours_there_are_behind_whatever_else_it_says(lists, pcm, sets, long_term):
    before = (_start(), "0", _ordering((4, 0, 0)), _BLOCKS, lists, _TOOLS, pcm, sets, long_term, _MORE_TOOLS)
    colour = ColourDescription(primaries=1, transfer=13, matrix=6, is_full_range=True)

    described = with_colour(nal_unit(*before, "0", _NO_EXTENSION), colour)

    # An unspecified video format in full range, and the three code points.
    signal = "1" + u(5, 3) + "1" + "1" + u(1, 8) + u(13, 8) + u(6, 8)
    assert described == nal_unit(*before, "1", "00", signal, "0" * 7, _NO_EXTENSION)
    assert with_colour(described, colour) == described
