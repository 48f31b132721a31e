"""H.264: access units in Annex B form, RTP payloads after RFC 6184 (packetization mode 1), constrained baseline.

Rules of this file: no state; a payload is planned once and shared. NAL units are found with `bytes.find`, since a frame
of 100 kB passes here sixty times a second.
"""

from collections.abc import Callable, Iterator, Sequence

from streamer.codecs._h264_sps import with_colour, with_immediate_output
from streamer.codecs.base import SdpFormat
from streamer.errors import LocalProtocolError, RemoteProtocolError
from streamer.media.frame import ColourDescription, Resolution

NAME = "h264"
MIME_TYPE = "video/H264"

_CLOCK_RATE_HZ = 90_000
_START_CODE = b"\x00\x00\x01"
_LONG_START_CODE = b"\x00\x00\x00\x01"
# Table 7-1: the NAL unit types that matter here. Those from the first slice to the IDR slice carry the picture.
_SLICE, _IDR, _SPS, _AUD, _FILLER = 1, 5, 7, 9, 12
_NOT_SENT = (_AUD, _FILLER)
_TYPE_BITS, _NRI_BITS, _FORBIDDEN_BIT = 0x1F, 0x60, 0x80
# RFC 6184, table 1.
_STAP_A, _FU_A = 24, 28
_FU_START, _FU_END = 0x80, 0x40
_FU_HEADER_BYTES = 2
_STAP_LENGTH_BYTES = 2
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
    start = data.find(_START_CODE) + len(_START_CODE)
    while len(_START_CODE) <= start < len(data):
        kind = data[start] & _TYPE_BITS
        if _SLICE <= kind <= _IDR:
            # Clause 7.4.1.2.4: either all slices of a picture are IDR slices or none is. The rest is not searched.
            return kind == _IDR
        start = data.find(_START_CODE, start) + len(_START_CODE)
    raise LocalProtocolError(f"there is no slice in an access unit of {len(data)} bytes")


def conform(data: bytes) -> bytes:
    """Return the access unit, its parameter set rewritten for immediate output.

    Raises:
        LocalProtocolError: there is no NAL unit in it, or a parameter set that cannot be read.
    """
    return _with_parameter_sets(data, with_immediate_output)


def describe(data: bytes, colour: ColourDescription) -> bytes:
    """Return the access unit with the colour description in its parameter set, for encoders that cannot write it.

    Raises:
        LocalProtocolError: there is no NAL unit in it, or a parameter set that cannot be read.
    """
    return _with_parameter_sets(data, lambda nal_unit: with_colour(nal_unit, colour))


def _with_parameter_sets(data: bytes, rewrite: Callable[[bytes], bytes]) -> bytes:
    rewritten: list[bytes] = []
    kept_from, kind = 0, None
    for start, end in _units(data):
        kind = data[start] & _TYPE_BITS
        if kind == _SPS:
            rewritten += data[kept_from:start], rewrite(data[start:end])
            kept_from = end
        elif _SLICE <= kind <= _IDR:
            # Clause 7.4.1.2.3: parameter sets come before the first slice. What follows is not searched.
            break
    if kind is None:
        raise _no_unit(data)
    return b"".join((*rewritten, data[kept_from:])) if rewritten else data


def packetize(data: bytes, max_payload_bytes: int) -> tuple[bytes, ...]:
    """Return the payloads of an access unit: small NAL units together, large ones in fragments of about equal size.

    Delimiters and filler are left out: packets have boundaries of their own.

    Raises:
        LocalProtocolError: there is no NAL unit in it.
    """
    payloads: list[bytes] = []
    together: list[bytes] = []
    together_bytes = 1
    for start, end in _units(data):
        if data[start] & _TYPE_BITS in _NOT_SENT:
            continue
        size_bytes = end - start
        if together and together_bytes + _STAP_LENGTH_BYTES + size_bytes > max_payload_bytes:
            payloads.append(_join(together))
            together, together_bytes = [], 1
        if size_bytes > max_payload_bytes:
            payloads += _fragments(data, start, end, max_payload_bytes)
        else:
            together.append(data[start:end])
            together_bytes += _STAP_LENGTH_BYTES + size_bytes
    if together:
        payloads.append(_join(together))
    if not payloads:
        raise _no_unit(data)
    return tuple(payloads)


def depacketize(payloads: Sequence[bytes]) -> bytes:
    """Return the access unit that the payloads of one frame carry, in order.

    Raises:
        RemoteProtocolError: they are not whole payloads of this format.
    """
    units: list[bytes] = []
    fragments: list[bytes] = []
    for payload in payloads:
        if not payload:
            raise RemoteProtocolError("a payload is empty")
        kind = payload[0] & _TYPE_BITS
        if kind == _FU_A:
            _collect(payload, fragments, units)
        elif fragments:
            raise RemoteProtocolError("a fragment of a NAL unit is missing")
        elif kind == _STAP_A:
            units += _split(payload)
        elif 0 < kind < _STAP_A:
            units.append(payload)
        else:
            raise RemoteProtocolError(f"payload type {kind} is not part of packetization mode 1")
    if fragments or not units:
        raise RemoteProtocolError("the last payload of a frame is missing")
    return b"".join(_LONG_START_CODE + unit for unit in units)


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


def _units(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield start and end of each NAL unit (Annex B.1): zeros before a start code belong to no unit."""
    at = data.find(_START_CODE)
    while at >= 0:
        start = at + len(_START_CODE)
        at = data.find(_START_CODE, start)
        end = len(data) if at < 0 else at
        while end > start and data[end - 1] == 0:
            end -= 1
        if end > start:
            yield start, end


def _no_unit(data: bytes) -> LocalProtocolError:
    return LocalProtocolError(f"there is no NAL unit in an access unit of {len(data)} bytes")


def _join(units: list[bytes]) -> bytes:
    if len(units) == 1:
        return units[0]
    # RFC 6184, section 5.7.1: the NRI is the maximum, and F the disjunction, of those aggregated.
    nri = max(unit[0] & _NRI_BITS for unit in units)
    forbidden = max(unit[0] & _FORBIDDEN_BIT for unit in units)
    parts = [part for unit in units for part in (len(unit).to_bytes(2, "big"), unit)]
    return bytes((forbidden | nri | _STAP_A,)) + b"".join(parts)


def _fragments(data: bytes, start: int, end: int, max_payload_bytes: int) -> list[bytes]:
    """RFC 6184, section 5.8. Fragments of equal size leave no tiny last packet."""
    header = data[start]
    indicator = header & ~_TYPE_BITS & 0xFF | _FU_A
    kind = header & _TYPE_BITS
    body_start, room = start + 1, max_payload_bytes - _FU_HEADER_BYTES
    count = -(-(end - body_start) // room)
    step = -(-(end - body_start) // count)
    middle = bytes((indicator, kind))
    fragments = [middle + data[at : min(at + step, end)] for at in range(body_start, end, step)]
    fragments[0] = bytes((indicator, kind | _FU_START)) + fragments[0][_FU_HEADER_BYTES:]
    fragments[-1] = bytes((indicator, kind | _FU_END)) + fragments[-1][_FU_HEADER_BYTES:]
    return fragments


def _collect(payload: bytes, fragments: list[bytes], units: list[bytes]) -> None:
    if len(payload) <= _FU_HEADER_BYTES:
        raise RemoteProtocolError("a fragment has no content")
    indicator, header = payload[0], payload[1]
    is_start, is_end = bool(header & _FU_START), bool(header & _FU_END)
    if is_start == bool(fragments) or (is_start and is_end):
        raise RemoteProtocolError("fragments of a NAL unit are out of order")
    if is_start:
        fragments.append(bytes((indicator & ~_TYPE_BITS & 0xFF | header & _TYPE_BITS,)))
    fragments.append(payload[_FU_HEADER_BYTES:])
    if is_end:
        units.append(b"".join(fragments))
        fragments.clear()


def _split(payload: bytes) -> list[bytes]:
    units: list[bytes] = []
    at = 1
    while at < len(payload):
        start = at + _STAP_LENGTH_BYTES
        at = start + int.from_bytes(payload[at:start], "big")
        if start > len(payload) or at > len(payload) or at == start:
            raise RemoteProtocolError("the parts of an aggregation packet do not fit it")
        units.append(payload[start:at])
    if not units:
        raise RemoteProtocolError("an aggregation packet is empty")
    return units
