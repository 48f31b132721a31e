"""The sequence parameter set of H.264, as far as it decides how long a decoder holds pictures back, and their colours.

`with_immediate_output` gives a set whose video usability information says that no picture is reordered: decoders that
are not told so may hold up to sixteen. `with_colour` gives one that says how samples become colours. Everything else
stays, bit by bit. Clauses are those of ITU-T H.264.
"""

from dataclasses import dataclass
from functools import lru_cache

from streamer.codecs import _vui
from streamer.codecs._bits import BitReader, BitWriter
from streamer.codecs._nal_units import with_emulation_prevention, without_emulation_prevention
from streamer.media.frame import ColourDescription

# Clause 7.3.2.1.1: the profiles whose parameter sets have chroma and scaling fields.
_PROFILES_WITH_CHROMA = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
_CHROMA_444 = 3
_POC_TYPE_LSB, _POC_TYPE_CYCLE = 0, 1
# Chroma place, timing, both HRDs, picture structure, bitstream restriction.
_FLAGS_AFTER_SIGNAL = 6
# Clause E.2.1: the values to write where the stream says nothing: motion vectors over picture boundaries are allowed,
# no bound on bytes or bits, and the longest motion vectors.
_DEFAULT_RESTRICTION = (True, 0, 0, 16, 16)


@dataclass(frozen=True, slots=True)
class _Restriction:
    """The bitstream restriction of clause E.1.1."""

    motion_vectors_over_boundaries: bool
    max_bytes_per_picture: int
    max_bits_per_macroblock: int
    log2_max_mv_horizontal: int
    log2_max_mv_vertical: int
    max_num_reorder_frames: int
    max_dec_frame_buffering: int

    def write(self, writer: BitWriter) -> None:
        writer.flag(self.motion_vectors_over_boundaries)
        for value in (
            self.max_bytes_per_picture,
            self.max_bits_per_macroblock,
            self.log2_max_mv_horizontal,
            self.log2_max_mv_vertical,
            self.max_num_reorder_frames,
            self.max_dec_frame_buffering,
        ):
            writer.ue(value)


# A stream has one parameter set, and a change of size or encoder makes another: a handful lives at a time.
@lru_cache(maxsize=64)
def with_immediate_output(nal_unit: bytes) -> bytes:
    """Return the parameter set with no reordering signalled; one that says so already comes back as it is.

    Raises:
        LocalProtocolError: it is not a sequence parameter set.
    """
    payload = without_emulation_prevention(nal_unit)
    reader = BitReader(payload)
    num_ref_frames = _skip_to_vui(reader)
    vui_flag_at = reader.position
    has_vui = reader.flag()
    if has_vui:
        _skip_vui(reader)
    restriction_flag_at = reader.position
    before = _read_restriction(reader) if has_vui and reader.flag() else None
    buffering = max(num_ref_frames, before.max_dec_frame_buffering if before else 0)
    fields = (
        (before.motion_vectors_over_boundaries, before.max_bytes_per_picture, before.max_bits_per_macroblock,
         before.log2_max_mv_horizontal, before.log2_max_mv_vertical)
        if before
        else _DEFAULT_RESTRICTION
    )  # fmt: skip
    wanted = _Restriction(*fields, max_num_reorder_frames=0, max_dec_frame_buffering=buffering)
    if before == wanted:
        return nal_unit
    writer = BitWriter()
    if has_vui:
        writer.copy(payload, 0, restriction_flag_at)
    else:
        writer.copy(payload, 0, vui_flag_at)
        writer.flag(True)
        # Aspect ratio, overscan, video signal, chroma place, timing, both HRDs and picture structure: not present.
        writer.bits(0, 8)
    writer.flag(True)
    wanted.write(writer)
    return with_emulation_prevention(writer.trailing())


@lru_cache(maxsize=64)
def with_colour(nal_unit: bytes, colour: ColourDescription) -> bytes:
    """Return the parameter set with the colour description signalled in the place of what it says.

    Raises:
        LocalProtocolError: it is not a sequence parameter set.
    """
    return _vui.with_colour(nal_unit, colour, _skip_to_vui, _FLAGS_AFTER_SIGNAL)


def _skip_to_vui(reader: BitReader) -> int:
    """Clause 7.3.2.1.1 up to `vui_parameters_present_flag`; return `max_num_ref_frames`."""
    reader.bits(8)
    profile = reader.bits(8)
    reader.bits(16)
    reader.ue()
    if profile in _PROFILES_WITH_CHROMA:
        _skip_chroma(reader)
    reader.ue()
    _skip_picture_order_count(reader)
    num_ref_frames = reader.ue()
    reader.flag()
    reader.ue()
    reader.ue()
    if not reader.flag():
        reader.flag()
    reader.flag()
    if reader.flag():
        for _ in range(4):
            reader.ue()
    return num_ref_frames


def _skip_chroma(reader: BitReader) -> None:
    chroma_format = reader.ue()
    if chroma_format == _CHROMA_444:
        reader.flag()
    reader.ue()
    reader.ue()
    reader.flag()
    if reader.flag():
        for index in range(12 if chroma_format == _CHROMA_444 else 8):
            if reader.flag():
                _skip_scaling_list(reader, 16 if index < 6 else 64)  # noqa: PLR2004 - six lists are 4x4, the rest 8x8


def _skip_scaling_list(reader: BitReader, size: int) -> None:
    """Clause 7.3.2.1.1.1."""
    last, following = 8, 8
    for _ in range(size):
        if following:
            following = (last + reader.se()) % 256
        last = following or last


def _skip_picture_order_count(reader: BitReader) -> None:
    kind = reader.ue()
    if kind == _POC_TYPE_LSB:
        reader.ue()
    elif kind == _POC_TYPE_CYCLE:
        reader.flag()
        reader.se()
        reader.se()
        for _ in range(reader.ue()):
            reader.se()


def _skip_vui(reader: BitReader) -> None:
    """Clause E.1.1 up to `bitstream_restriction_flag`."""
    _vui.skip_aspect_and_overscan(reader)
    _vui.skip_signal(reader)
    if reader.flag():
        reader.ue()
        reader.ue()
    if reader.flag():
        reader.bits(32)
        reader.bits(32)
        reader.flag()
    has_hrd = [_skip_hrd(reader) for _ in range(2)]
    if any(has_hrd):
        reader.flag()
    reader.flag()


def _skip_hrd(reader: BitReader) -> bool:
    """Clause E.1.2, with the flag before it; return that flag."""
    if not reader.flag():
        return False
    count = reader.ue() + 1
    reader.bits(8)
    for _ in range(count):
        reader.ue()
        reader.ue()
        reader.flag()
    reader.bits(20)
    return True


def _read_restriction(reader: BitReader) -> _Restriction:
    return _Restriction(reader.flag(), *(reader.ue() for _ in range(6)))
