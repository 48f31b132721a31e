"""The video usability information of H.264 and H.265 (annexes E of ITU-T H.264 and H.265), where both are alike.

That is its beginning, up to how samples become colours.
"""

from collections.abc import Callable

from streamer.codecs._bits import BitReader, BitWriter, stop_bit_at
from streamer.codecs._nal_units import with_emulation_prevention, without_emulation_prevention
from streamer.media.frame import ColourDescription

_EXTENDED_SAR = 255
# Table E-2: a video format that nobody has specified.
_UNSPECIFIED_FORMAT = 5
# Aspect ratio and overscan: not present.
_FLAGS_BEFORE_SIGNAL = 2


def with_colour(
    nal_unit: bytes, colour: ColourDescription, skip_to_vui: Callable[[BitReader], object], flags_after_signal: int
) -> bytes:
    """Return a sequence parameter set with the colour description signalled in the place of what it says.

    `skip_to_vui` reads up to where it says whether it has usability information. Where it has none, it gets some that
    says nothing else: so many flags, all off, are what comes after the colours.

    Raises:
        LocalProtocolError: it is not a sequence parameter set.
    """
    payload = without_emulation_prevention(nal_unit)
    reader, writer = BitReader(payload), BitWriter()
    skip_to_vui(reader)
    flag_at = reader.position
    if reader.flag():
        skip_aspect_and_overscan(reader)
        writer.copy(payload, 0, reader.position)
        skip_signal(reader)
        _write_signal(writer, colour)
    else:
        writer.copy(payload, 0, flag_at)
        writer.flag(True)
        writer.bits(0, _FLAGS_BEFORE_SIGNAL)
        _write_signal(writer, colour)
        writer.bits(0, flags_after_signal)
    writer.copy(payload, reader.position, stop_bit_at(payload, reader.position))
    return with_emulation_prevention(writer.trailing())


def skip_aspect_and_overscan(reader: BitReader) -> None:
    """Clause E.1.1 of H.264, E.2.1 of H.265, up to `video_signal_type_present_flag`."""
    if reader.flag() and reader.bits(8) == _EXTENDED_SAR:
        reader.bits(32)
    if reader.flag():
        reader.flag()


def skip_signal(reader: BitReader) -> None:
    """From there up to `chroma_loc_info_present_flag`."""
    if reader.flag():
        reader.bits(4)
        if reader.flag():
            reader.bits(24)


def _write_signal(writer: BitWriter, colour: ColourDescription) -> None:
    writer.flag(True)
    writer.bits(_UNSPECIFIED_FORMAT, 3)
    writer.flag(colour.is_full_range)
    writer.flag(True)
    for code_point in (colour.primaries, colour.transfer, colour.matrix):
        writer.bits(code_point, 8)
