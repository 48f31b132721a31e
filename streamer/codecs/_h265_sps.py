"""The sequence parameter set of H.265, as far as it decides how long a decoder holds pictures back, and their colours.

`with_immediate_output` gives a set that says that no picture is reordered: a decoder then outputs each one as soon as
it has it. `with_colour` gives one that says how samples become colours. Everything else stays, bit by bit. Clauses are
those of ITU-T H.265.
"""

from functools import lru_cache

from streamer.codecs import _vui
from streamer.codecs._bits import BitReader, BitWriter, stop_bit_at
from streamer.codecs._nal_units import with_emulation_prevention, without_emulation_prevention
from streamer.media.frame import ColourDescription

_HEADER_BITS = 16
# Clause 7.3.3: a profile with its flags.
_PROFILE_BITS = 88
_LEVEL_BITS = 8
# Fields for so many sub-layers are aligned where there is more than one.
_MAX_SUB_LAYERS = 8
_CHROMA_444 = 3
# Clause 7.3.4: sizes of scaling lists, from 4x4 on, and which of them have a coefficient of their own for the mean.
_SCALING_SIZES, _LARGEST_SCALING_SIZE, _FIRST_WITH_MEAN = 4, 3, 2
# Chroma place, neutral chroma, fields, structure of frames, display window, timing, bitstream restriction.
_FLAGS_AFTER_SIGNAL = 7


# A stream has one parameter set, and a change of size or encoder makes another: a handful lives at a time.
@lru_cache(maxsize=64)
def with_immediate_output(nal_unit: bytes) -> bytes:
    """Return the parameter set with no reordering signalled; one that says so already comes back as it is.

    Raises:
        LocalProtocolError: it is not a sequence parameter set.
    """
    payload = without_emulation_prevention(nal_unit)
    reader = BitReader(payload)
    sub_layers, _ = _skip_to_ordering(reader)
    ordering_at = reader.position
    # Of each sub-layer: max_dec_pic_buffering_minus1, max_num_reorder_pics, max_latency_increase_plus1.
    ordering = [(reader.ue(), reader.ue(), reader.ue()) for _ in range(sub_layers if reader.flag() else 1)]
    if not any(reordered for _, reordered, _ in ordering):
        return nal_unit
    rest_at = reader.position
    writer = BitWriter()
    writer.copy(payload, 0, ordering_at + 1)
    for buffering, _, latency in ordering:
        # Buffering also counts the pictures that are referred to. Clause C.5.2.3: with no reordering, latency has no
        # part in when a picture is output.
        for value in (buffering, 0, latency):
            writer.ue(value)
    writer.copy(payload, rest_at, stop_bit_at(payload, rest_at))
    return with_emulation_prevention(writer.trailing())


@lru_cache(maxsize=64)
def with_colour(nal_unit: bytes, colour: ColourDescription) -> bytes:
    """Return the parameter set with the colour description signalled in the place of what it says.

    Raises:
        LocalProtocolError: it is not a sequence parameter set.
    """
    return _vui.with_colour(nal_unit, colour, _skip_to_vui, _FLAGS_AFTER_SIGNAL)


def _skip_to_ordering(reader: BitReader) -> tuple[int, int]:
    """Clause 7.3.2.2.1 up to `sps_sub_layer_ordering_info_present_flag`.

    Return the number of sub-layers, and of how many bits the numbers of pictures are.
    """
    reader.bits(_HEADER_BITS)
    reader.bits(4)
    sub_layers = reader.bits(3) + 1
    reader.flag()
    _skip_profile_and_level(reader, sub_layers)
    reader.ue()
    if reader.ue() == _CHROMA_444:
        reader.flag()
    reader.ue()
    reader.ue()
    if reader.flag():
        for _ in range(4):
            reader.ue()
    for _ in range(2):
        reader.ue()
    return sub_layers, reader.ue() + 4


def _skip_to_vui(reader: BitReader) -> None:
    """The same up to `vui_parameters_present_flag`."""
    sub_layers, number_bits = _skip_to_ordering(reader)
    # The ordering, then six sizes of blocks and depths of their division.
    for _ in range(3 * (sub_layers if reader.flag() else 1) + 6):
        reader.ue()
    if reader.flag() and reader.flag():
        _skip_scaling_lists(reader)
    reader.bits(2)
    if reader.flag():
        reader.bits(8)
        reader.ue()
        reader.ue()
        reader.flag()
    references = 0
    for index in range(reader.ue()):
        references = _skip_reference_set(reader, index, references)
    if reader.flag():
        for _ in range(reader.ue()):
            reader.bits(number_bits + 1)
    reader.bits(2)


def _skip_scaling_lists(reader: BitReader) -> None:
    """Clause 7.3.4."""
    for size in range(_SCALING_SIZES):
        for _ in range(2 if size == _LARGEST_SCALING_SIZE else 6):
            if reader.flag():
                for _ in range(min(64, 16 << 2 * size) + (size >= _FIRST_WITH_MEAN)):
                    reader.se()
            else:
                reader.ue()


def _skip_reference_set(reader: BitReader, index: int, before: int) -> int:
    """Clause 7.3.7; return how many pictures are in it. It may build on the set before it, with `before`."""
    if index and reader.flag():
        reader.flag()
        reader.ue()
        # A picture is used now, or else kept or not.
        return sum(reader.flag() or reader.flag() for _ in range(before + 1))
    count = reader.ue() + reader.ue()
    for _ in range(count):
        reader.ue()
        reader.flag()
    return count


def _skip_profile_and_level(reader: BitReader, sub_layers: int) -> None:
    """Clause 7.3.3."""
    reader.bits(_PROFILE_BITS + _LEVEL_BITS)
    present = [(reader.flag(), reader.flag()) for _ in range(sub_layers - 1)]
    if present:
        reader.bits(2 * (_MAX_SUB_LAYERS - len(present)))
    for has_profile, has_level in present:
        reader.bits(_PROFILE_BITS * has_profile + _LEVEL_BITS * has_level)
