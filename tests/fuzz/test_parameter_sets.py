"""Any parameter set is rewritten for good, or is LocalProtocolError; one after the standard keeps all but what was to
change."""

from hypothesis import given
from hypothesis import strategies as st

from streamer.codecs import _h264_sps, _h265_sps
from streamer.errors import LocalProtocolError
from streamer.media.frame import BT709_LIMITED, SRGB_FULL
from tests.fakes.mutations import round_trips
from tests.fakes.nal_units import nal_unit, se, u, ue

_BASELINE_START = bytes.fromhex("6742c020")
_HIGH_START = bytes.fromhex("67640020")
# Up to and with the level, of one and of three sub-layers.
_H265_STARTS = [bytes.fromhex(f"4201{byte}0160000090000000000078") for byte in ("01", "05")]
_STARTS = st.sampled_from(
    [(_h264_sps, _BASELINE_START), (_h264_sps, _HIGH_START), *((_h265_sps, start) for start in _H265_STARTS)]
)
# An unspecified video format in limited range, and the three code points of BT.709.
_BT709 = "1" + u(5, 3) + "0" + "1" + u(1, 8) * 3

_FLAG = st.sampled_from("01")
_NUMBER = st.integers(0, 300).map(ue)
# What is copied: zeros look like start codes.
_REST = st.text("01", max_size=80) | st.integers(0, 80).map("0".__mul__)
_ORDER = st.tuples(st.integers(0, 15), st.integers(0, 3), st.integers(0, 40))


@round_trips
@given(_STARTS, st.binary(max_size=60))
def test_parameter_set_is_rewritten_for_good(start, rest):
    module, head = start
    try:
        at_once = module.with_immediate_output(head + rest)
        described = module.with_colour(head + rest, BT709_LIMITED)
    except LocalProtocolError:
        return
    assert module.with_immediate_output(at_once) == at_once
    assert module.with_colour(described, BT709_LIMITED) == described
    assert module.with_colour(module.with_colour(described, SRGB_FULL), BT709_LIMITED) == described


def bits(count):
    return st.integers(0, 2**count - 1).map(lambda value: u(value, count))


def joined(*parts):
    return st.tuples(*parts).map("".join)


def perhaps(*parts):
    """Fields behind a flag that says whether they are there."""
    return st.just("0") | joined(st.just("1"), *parts)


@st.composite
def h265_profiles(draw, sub_layers):
    """Clause 7.3.3."""
    profile_and_level = draw(joined(bits(44), bits(44), bits(8)))
    present = draw(st.lists(st.tuples(_FLAG, _FLAG), min_size=sub_layers - 1, max_size=sub_layers - 1))
    alignment = "00" * (8 - len(present)) if present else ""
    own = [draw(bits(88 * int(profile) + 8 * int(level))) for profile, level in present if "1" in (profile, level)]
    return "".join((profile_and_level, *map("".join, present), alignment, *own))


@st.composite
def h265_starts(draw):
    """Clause 7.3.2.2.1 up to the ordering; how many sub-layers there are, and of how many bits a picture's number."""
    sub_layers, number_bits = draw(st.integers(1, 7)), draw(st.integers(4, 16))
    fields = (
        (u(0x4201, 16), u(0, 4), u(sub_layers - 1, 3), draw(_FLAG), draw(h265_profiles(sub_layers)), draw(_NUMBER)),
        (draw(st.sampled_from([ue(0), ue(1), ue(2), ue(3) + "0", ue(3) + "1"])), draw(_NUMBER), draw(_NUMBER)),
        (draw(perhaps(*[_NUMBER] * 4)), draw(_NUMBER), draw(_NUMBER), ue(number_bits - 4)),
    )
    return "".join(field for part in fields for field in part), sub_layers, number_bits


@st.composite
def h265_orderings(draw, sub_layers):
    """The ordering with its flag, as it is and without any reordering."""
    flag = draw(_FLAG)
    count = sub_layers if flag == "1" else 1
    orders = draw(st.lists(_ORDER, min_size=count, max_size=count))
    return tuple(
        flag + "".join(ue(held) + ue(reordered * is_kept) + ue(latency) for held, reordered, latency in orders)
        for is_kept in (1, 0)
    )


@st.composite
def h265_scaling_lists(draw):
    """Clause 7.3.4. The coefficients of a list are all alike."""
    lists = []
    for size, count in enumerate((6, 6, 6, 2)):
        coefficients = min(64, 4 ** (size + 2)) + (1 if size > 1 else 0)
        written = st.integers(-128, 127).map(lambda value, coefficients=coefficients: "1" + se(value) * coefficients)
        copied = st.integers(0, 5).map(lambda delta: "0" + ue(delta))
        lists += draw(st.lists(written | copied, min_size=count, max_size=count))
    return "".join(lists)


@st.composite
def h265_reference_sets(draw):
    """Clause 7.3.7, and 7.4.8 for what a set has that is built on the one before it."""
    count = draw(st.integers(0, 6))
    fields, before = [ue(count)], []
    for index in range(count):
        is_built = bool(index) and draw(st.booleans())
        written, before = draw(built_sets(before) if is_built else plain_sets())
        fields.append(("1" if is_built else "0") * bool(index) + written)
    return "".join(fields)


@st.composite
def plain_sets(draw):
    steps = [draw(st.lists(st.integers(0, 3), max_size=4)) for _ in range(2)]
    written = "".join(ue(len(side)) for side in steps)
    written += "".join(ue(step) + draw(_FLAG) for side in steps for step in side)
    earlier, later = ([sum(side[: end + 1]) + end + 1 for end in range(len(side))] for side in steps)
    return written, [-distance for distance in earlier] + later


@st.composite
def built_sets(draw, before):
    sign, distance = draw(_FLAG), draw(st.integers(1, 8))
    shift = -distance if sign == "1" else distance
    written, kept = [sign, ue(distance - 1)], []
    for picture in (*(picture + shift for picture in before), shift):
        # A picture does not refer to itself.
        use = draw(st.sampled_from(["1", "01", "00"])) if picture else "00"
        written.append(use)
        kept += [picture] * (use != "00")
    # The nearest first, on either side.
    return "".join(written), [
        *sorted((picture for picture in kept if picture < 0), reverse=True),
        *sorted(picture for picture in kept if picture > 0),
    ]


@st.composite
def h265_sets(draw):
    """The fields up to the usability information, the ordering as it is and as it shall be."""
    start, sub_layers, number_bits = draw(h265_starts())
    before, after = draw(h265_orderings(sub_layers))
    long_term = st.lists(joined(bits(number_bits), _FLAG), max_size=4).map(lambda them: ue(len(them)) + "".join(them))
    tools = draw(
        joined(
            *[_NUMBER] * 6,
            perhaps(perhaps(h265_scaling_lists())),
            *[_FLAG] * 2,
            perhaps(bits(8), _NUMBER, _NUMBER, _FLAG),
            h265_reference_sets(),
            perhaps(long_term),
            *[_FLAG] * 2,
        )
    )
    return start, before, after, tools


@round_trips
@given(h265_sets(), _REST)
def test_h265_parameter_set_has_no_reordering_and_all_the_rest(fields, rest):
    start, before, after, tools = fields

    assert _h265_sps.with_immediate_output(nal_unit(start, before, tools, rest)) == nal_unit(start, after, tools, rest)


@round_trips
@given(
    h265_sets(),
    # Aspect ratio and overscan; what the video signal is; what follows that in the usability information.
    st.none()
    | st.tuples(
        joined(
            perhaps(st.integers(0, 254).map(lambda ratio: u(ratio, 8)) | bits(32).map((u(255, 8)).__add__)),
            perhaps(_FLAG),
        ),
        perhaps(bits(4), perhaps(bits(24))),
        _REST,
    ),
    _REST,
)
def test_h265_parameter_set_says_its_colours_and_all_the_rest(fields, usability, rest):
    start, ordering, _, tools = fields
    if usability is None:
        before, after = "0", "1" + "00" + _BT709 + "0" * 7
    else:
        shape, signal, more = usability
        before, after = "1" + shape + signal + more, "1" + shape + _BT709 + more

    described = _h265_sps.with_colour(nal_unit(start, ordering, tools, before, rest), BT709_LIMITED)

    assert described == nal_unit(start, ordering, tools, after, rest)
