"""H.265: access units in Annex B form, RTP payloads after RFC 7798 (no decoding order numbers), Main profile.

Rules of this file: no state; a payload is planned once and shared. What it has in common with H.264 is in `_nal_units`.
"""

from collections.abc import Sequence

from streamer.codecs._h265_sps import with_colour, with_immediate_output
from streamer.codecs._nal_units import FORBIDDEN_BIT, NalFormat, unit_starts
from streamer.codecs.base import SdpFormat
from streamer.errors import LocalProtocolError
from streamer.media.frame import ColourDescription, Resolution

NAME = "h265"
MIME_TYPE = "video/H265"

_CLOCK_RATE_HZ = 90_000
# Table 7-1: the types up to 31 are slices; those from 16 to 21 are slices of pictures that decoding can start at.
_LAST_SLICE = 31
_RANDOM_ACCESS = range(16, 22)
_VPS, _SPS, _PPS, _AUD, _FILLER = 32, 33, 34, 35, 38
_PARAMETER_SETS = frozenset({_VPS, _SPS, _PPS})
# Clause 7.3.1.2: one bit, the type in 6 bits, the layer in 6 bits, and the temporal layer in 3 bits.
_HEADER_BYTES = 2
_TYPE_BITS, _TYPE_SHIFT = 0x7E, 1
_LAYER_BITS, _TEMPORAL_BITS = 0x01F8, 0x07
# RFC 7798, section 4.4: aggregation packets and fragmentation units. Type 50, PACI, is not made here.
_AP, _FU = 48, 49
# RFC 7798, section 7.1: what libx265 makes of 8-bit 4:2:0 pictures, and what browsers list.
_MAIN_PROFILE, _MAIN_TIER = "1", "0"
# Tables A.8 and A.9: general_level_idc, luma samples per second, luma samples per picture.
_LEVELS = (
    (30, 552_960, 36_864), (60, 3_686_400, 122_880), (63, 7_372_800, 245_760), (90, 16_588_800, 552_960),
    (93, 33_177_600, 983_040), (120, 66_846_720, 2_228_224), (123, 133_693_440, 2_228_224),
    (150, 267_386_880, 8_912_896), (153, 534_773_760, 8_912_896), (156, 1_069_547_520, 8_912_896),
    (180, 1_069_547_520, 35_651_584), (183, 2_139_095_040, 35_651_584), (186, 4_278_190_080, 35_651_584),
)  # fmt: skip


def sdp_formats(largest: Resolution, fps: float) -> tuple[SdpFormat, ...]:
    """Return the one format: its level admits the largest picture at the full frame rate."""
    parameters = (
        ("level-id", str(_level_idc(largest, fps))),
        ("profile-id", _MAIN_PROFILE),
        ("tier-flag", _MAIN_TIER),
        ("tx-mode", "SRST"),
    )
    return (SdpFormat(MIME_TYPE, _CLOCK_RATE_HZ, parameters),)


def is_keyframe(data: bytes) -> bool:
    """Return whether decoding can start here: a random access picture, behind all of its parameter sets.

    Raises:
        LocalProtocolError: there is no slice in it.
    """
    seen: set[int] = set()
    for start in unit_starts(data):
        kind = _FORMAT.type_of(data[start])
        if kind <= _LAST_SLICE:
            # Clause 7.4.2.2: all slices of a random access picture have one type. The rest is not searched.
            return kind in _RANDOM_ACCESS and seen >= _PARAMETER_SETS
        seen.add(kind)
    raise LocalProtocolError(f"there is no slice in an access unit of {len(data)} bytes")


def conform(data: bytes) -> bytes:
    """Return the access unit, its sequence parameter set rewritten for immediate output.

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
        LocalProtocolError: there is no NAL unit in it, or one without a whole header.
    """
    return _FORMAT.packetize(data, max_payload_bytes)


def depacketize(payloads: Sequence[bytes]) -> bytes:
    """Return the access unit that the payloads of one frame carry, in order.

    Raises:
        RemoteProtocolError: they are not whole payloads of this format.
    """
    return _FORMAT.depacketize(payloads)


def _level_idc(largest: Resolution, fps: float) -> int:
    for level, per_second, per_picture in _LEVELS:
        # Clause A.4.1: neither side may be longer than the square root of eight times the picture's samples.
        if (
            largest.pixels <= per_picture
            and largest.pixels * fps <= per_second
            and max(largest.width_px, largest.height_px) ** 2 <= 8 * per_picture
        ):
            return level
    return _LEVELS[-1][0]


def _joint_header(units: Sequence[bytes]) -> bytes:
    # RFC 7798, section 4.4.2: F is the disjunction, and both layers are the lowest, of those aggregated.
    headers = [int.from_bytes(unit[:_HEADER_BYTES], "big") for unit in units]
    forbidden = max(header & FORBIDDEN_BIT << 8 for header in headers)
    layer = min(header & _LAYER_BITS for header in headers)
    temporal = min(header & _TEMPORAL_BITS for header in headers)
    return (forbidden | _AP << _TYPE_SHIFT << 8 | layer | temporal).to_bytes(_HEADER_BYTES, "big")


_FORMAT = NalFormat(
    header_bytes=_HEADER_BYTES,
    type_mask=_TYPE_BITS,
    type_shift=_TYPE_SHIFT,
    unit_types=range(_AP),
    aggregation_type=_AP,
    fragment_type=_FU,
    parameter_set_type=_SPS,
    slice_types=range(_LAST_SLICE + 1),
    not_sent=frozenset({_AUD, _FILLER}),
    joint_header=_joint_header,
)
