"""The sequence parameter set of H.265, as far as it decides how long a decoder holds pictures back.

`with_immediate_output` gives a set that says that no picture is reordered: a decoder then outputs each one as soon as
it has it. Everything else stays, bit by bit. Clauses are those of ITU-T H.265.
"""

from functools import lru_cache

from streamer.codecs._bits import BitReader, BitWriter
from streamer.codecs._nal_units import with_emulation_prevention, without_emulation_prevention

_HEADER_BITS = 16
# Clause 7.3.3: a profile with its flags.
_PROFILE_BITS = 88
_LEVEL_BITS = 8
# Fields for so many sub-layers are aligned where there is more than one.
_MAX_SUB_LAYERS = 8
_CHROMA_444 = 3


# A stream has one parameter set, and a change of size or encoder makes another: a handful lives at a time.
@lru_cache(maxsize=64)
def with_immediate_output(nal_unit: bytes) -> bytes:
    """Return the parameter set with no reordering signalled; one that says so already comes back as it is.

    Raises:
        LocalProtocolError: it is not a sequence parameter set.
    """
    payload = without_emulation_prevention(nal_unit)
    reader = BitReader(payload)
    sub_layers = _skip_to_ordering(reader)
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
    writer.copy(payload, rest_at, _stop_bit_at(payload, rest_at))
    return with_emulation_prevention(writer.trailing())


def _skip_to_ordering(reader: BitReader) -> int:
    """Clause 7.3.2.2.1 up to `sps_sub_layer_ordering_info_present_flag`; return the number of sub-layers."""
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
    for _ in range(3):
        reader.ue()
    return sub_layers


def _skip_profile_and_level(reader: BitReader, sub_layers: int) -> None:
    """Clause 7.3.3."""
    reader.bits(_PROFILE_BITS + _LEVEL_BITS)
    present = [(reader.flag(), reader.flag()) for _ in range(sub_layers - 1)]
    if present:
        reader.bits(2 * (_MAX_SUB_LAYERS - len(present)))
    for has_profile, has_level in present:
        reader.bits(_PROFILE_BITS * has_profile + _LEVEL_BITS * has_level)


def _stop_bit_at(payload: bytes, rest_at: int) -> int:
    """Return where the payload's last one is, which ends it (clause 7.3.2.11)."""
    number = int.from_bytes(payload, "big")
    # What was read of a payload that ends before `rest_at` took its stop bit for content: nothing is left to copy.
    return max(rest_at, len(payload) * 8 - (number & -number).bit_length())
