"""H.264: access units in Annex B form, RTP payloads after RFC 6184 (packetization mode 1), constrained baseline.

Rules of this file: no state; a payload is planned once and shared. What it has in common with H.265 is in `_nal_units`.
"""

from collections.abc import Sequence

from streamer.codecs._h264_sps import with_colour, with_immediate_output
from streamer.codecs._nal_units import FORBIDDEN_BIT, NalFormat, unit_starts
from streamer.codecs.base import SdpFormat
from streamer.errors import LocalProtocolError
from streamer.media.frame import ColourDescription, Resolution

NAME = "h264"
MIME_TYPE = "video/H264"

_CLOCK_RATE_HZ = 90_000
# Table 7-1: the NAL unit types that matter here. Those from the first slice to the IDR slice carry the picture.
_SLICE, _IDR, _SPS, _AUD, _FILLER = 1, 5, 7, 9, 12
_TYPE_BITS, _NRI_BITS = 0x1F, 0x60
# RFC 6184, table 1.
_STAP_A, _FU_A = 24, 28
# Constrained baseline (RFC 6184, table 5): what libx264's fastest presets make, and every browser decodes.
_PROFILE = "42e0"
# Table A-1: level_idc, macroblocks per second, macroblocks per frame.
_LEVELS = (
    (10, 1_485, 99), (11, 3_000, 396), (12, 6_000, 396), (13, 11_880, 396), (20, 11_880, 396), (21, 19_800, 792),
    (22, 20_250, 1_620), (30, 40_500, 1_620), (31, 108_000, 3_600), (32, 216_000, 5_120), (40, 245_760, 8_192),
    (42, 522_240, 8_704), (50, 589_824, 22_080), (51, 983_040, 36_864), (52, 2_073_600, 36_864),
    (60, 4_177_920, 139_264), (61, 8_355_840, 139_264), (62, 16_711_680, 139_264),
)  # fmt: skip
_MACROBLOCK_PX = 16


def sdp_formats(largest: Resolution, fps: float) -> tuple[SdpFormat, ...]:
    """Return the one format: its level admits the largest picture at the full frame rate."""
    parameters = (
        ("level-asymmetry-allowed", "1"),
        ("packetization-mode", "1"),
        ("profile-level-id", f"{_PROFILE}{_level_idc(largest, fps):02x}"),
    )
    return (SdpFormat(MIME_TYPE, _CLOCK_RATE_HZ, parameters),)


def is_keyframe(data: bytes) -> bool:
    """Return whether the access unit is an IDR picture.

    Raises:
        LocalProtocolError: there is no slice in it.
    """
    for start in unit_starts(data):
        kind = data[start] & _TYPE_BITS
        if _SLICE <= kind <= _IDR:
            # Clause 7.4.1.2.4: either all slices of a picture are IDR slices or none is. The rest is not searched.
            return kind == _IDR
    raise LocalProtocolError(f"there is no slice in an access unit of {len(data)} bytes")


def conform(data: bytes) -> bytes:
    """Return the access unit, its parameter set rewritten for immediate output.

    Raises:
        LocalProtocolError: there is no NAL unit in it, or a parameter set that cannot be read.
    """
    return _FORMAT.with_parameter_sets(data, with_immediate_output)


def describe(data: bytes, colour: ColourDescription) -> bytes:
    """Return the access unit with the colour description in its parameter set, for encoders that cannot write it.

    Raises:
        LocalProtocolError: there is no NAL unit in it, or a parameter set that cannot be read.
    """
    return _FORMAT.with_parameter_sets(data, lambda nal_unit: with_colour(nal_unit, colour))


def packetize(data: bytes, max_payload_bytes: int) -> tuple[bytes, ...]:
    """Return the payloads of an access unit, without delimiters and filler.

    Raises:
        LocalProtocolError: there is no NAL unit in it.
    """
    return _FORMAT.packetize(data, max_payload_bytes)


def depacketize(payloads: Sequence[bytes]) -> bytes:
    """Return the access unit that the payloads of one frame carry, in order.

    Raises:
        RemoteProtocolError: they are not whole payloads of this format.
    """
    return _FORMAT.depacketize(payloads)


def _level_idc(largest: Resolution, fps: float) -> int:
    width, height = (-(-side // _MACROBLOCK_PX) for side in (largest.width_px, largest.height_px))
    for level, per_second, per_frame in _LEVELS:
        # Clause A.3.1: neither side may be longer than the square root of eight times the frame's macroblocks.
        if (
            width * height <= per_frame
            and width * height * fps <= per_second
            and max(width, height) ** 2 <= 8 * per_frame
        ):
            return level
    return _LEVELS[-1][0]


def _joint_header(units: Sequence[bytes]) -> bytes:
    # RFC 6184, section 5.7.1: the NRI is the maximum, and F the disjunction, of those aggregated.
    nri = max(unit[0] & _NRI_BITS for unit in units)
    forbidden = max(unit[0] & FORBIDDEN_BIT for unit in units)
    return bytes((forbidden | nri | _STAP_A,))


_FORMAT = NalFormat(
    header_bytes=1,
    type_mask=_TYPE_BITS,
    type_shift=0,
    unit_types=range(1, _STAP_A),
    aggregation_type=_STAP_A,
    fragment_type=_FU_A,
    parameter_set_type=_SPS,
    slice_types=range(_SLICE, _IDR + 1),
    not_sent=frozenset({_AUD, _FILLER}),
    joint_header=_joint_header,
)
