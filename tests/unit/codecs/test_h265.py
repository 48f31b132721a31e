import av
import pytest

from streamer.codecs import h265
from streamer.errors import LocalProtocolError, RemoteProtocolError
from streamer.media.frame import ColourDescription, Resolution
from tests.fakes.nal_units import units_of
from tests.fakes.noise import NOISE_SIZE, encoded_noise

_SHORT, _LONG = b"\x00\x00\x01", b"\x00\x00\x00\x01"
# NAL units with the headers that libx265 gives them, the type in bits 1 to 6 of the first byte. Bodies mean nothing.
_VPS = b"\x40\x01\x0c"
_SPS = b"\x42\x01\x01"
_PPS = b"\x44\x01\xc1"
_AUD = b"\x46\x01\x50"
_SEI = b"\x4e\x01\x05abcd\x80"
_FILLER = b"\x4c\x01\xff\x80"
_IDR, _CRA, _TRAIL = 0x28, 0x2A, 0x02
FULL_601 = ColourDescription(primaries=1, transfer=13, matrix=6, is_full_range=True)


def _unit(header: int, size_bytes: int) -> bytes:
    # No zeros: nothing in it looks like a start code.
    return bytes((header, 1)) + bytes(place % 255 + 1 for place in range(size_bytes - 2))


def _stream(*units: bytes) -> bytes:
    return b"".join(_LONG + unit for unit in units)


def _encoded(count: int, parameters: str = "", tune: str | None = "zerolatency") -> list[bytes]:
    common = "repeat-headers=1:keyint=-1:log-level=error:pools=none:frame-threads=1:qp=20"
    options = {"preset": "ultrafast", "x265-params": common + parameters}
    return encoded_noise("libx265", count, options if tune is None else options | {"tune": tune})


@pytest.mark.parametrize(
    ("width_px", "height_px", "fps", "level"),
    [
        # Samples per second against table A.9: 1280 x 720 x 36 = 33177600 is exactly level 3.1.
        (1280, 720, 36, 93),
        (1280, 720, 60, 120),
        (1920, 1080, 30, 120),
        (1920, 1080, 60, 123),
        (2560, 1440, 60, 150),
        (3840, 2160, 60, 153),
        (3840, 2160, 120, 156),
        (176, 144, 15, 30),
        # A row of 1600: more than the root of 8 x 245760, less than that of 8 x 552960.
        (1600, 16, 1, 90),
        (16384, 16384, 240, 186),
    ],
)
def test_h265_offers_the_level_of_the_largest_picture(width_px, height_px, fps, level):
    (offered,) = h265.sdp_formats(Resolution(width_px, height_px), fps)

    assert (offered.mime_type, offered.clock_rate_hz) == ("video/H265", 90_000)
    assert dict(offered.parameters) == {
        "level-id": str(level),
        "profile-id": "1",
        "tier-flag": "0",
        "tx-mode": "SRST",
    }


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        ((_VPS, _SPS, _PPS, _SEI, _unit(_IDR, 9)), True),
        ((_VPS, _SPS, _PPS, _unit(_CRA, 9)), True),
        ((_VPS, _SPS, _PPS, _unit(_TRAIL, 9)), False),
        # Types 22 and 23 are reserved.
        ((_VPS, _SPS, _PPS, _unit(22 << 1, 9)), False),
        ((_SPS, _PPS, _unit(_IDR, 9)), False),
        ((_unit(_IDR, 9), _VPS, _SPS, _PPS), False),
        ((_unit(_TRAIL, 9), _unit(_TRAIL, 9)), False),
    ],
)
def test_h265_keyframe_is_a_random_access_picture_behind_its_parameter_sets(units, expected):
    assert h265.is_keyframe(_stream(*units)) is expected


@pytest.mark.parametrize("data", [b"", b"\x00\x00\x01", b"\x28\x01\x02\x03", _stream(_VPS, _SPS)])
def test_h265_access_unit_without_a_slice_is_an_error(data):
    with pytest.raises(LocalProtocolError, match=f"no slice in an access unit of {len(data)} bytes"):
        h265.is_keyframe(data)


@pytest.mark.parametrize("work", [h265.conform, lambda data: h265.packetize(data, 1200)])
@pytest.mark.parametrize("data", [b"", b"\x00\x00\x00\x01", b"no start code"])
def test_h265_access_unit_without_a_unit_is_an_error(work, data):
    with pytest.raises(LocalProtocolError, match="no NAL unit"):
        work(data)


def test_h265_unit_without_a_whole_header_is_an_error():
    with pytest.raises(LocalProtocolError, match="shorter than its header"):
        h265.packetize(_stream(_unit(_TRAIL, 9), b"\x02"), 1200)


def test_h265_conform_leaves_a_delta_frame_as_it_is():
    data = _stream(_unit(_TRAIL, 50), _unit(_TRAIL, 50))

    assert h265.conform(data) is data


def test_h265_conform_of_parameter_sets_alone_looks_at_all_of_them():
    assert h265.conform(_stream(_VPS, _PPS)) == _stream(_VPS, _PPS)


def test_h265_conform_refuses_a_parameter_set_that_it_cannot_read():
    with pytest.raises(LocalProtocolError):
        h265.conform(_stream(_SPS))


def test_h265_payloads_leave_out_delimiters_and_filler():
    payloads = h265.packetize(_stream(_AUD, _SEI, _unit(_TRAIL, 50), _FILLER), 1200)

    assert units_of(h265.depacketize(payloads)) == [_SEI, _unit(_TRAIL, 50)]


def test_h265_small_units_travel_together():
    parts = (_VPS, _SPS, _PPS, _SEI, _unit(_IDR, 20))

    (payload,) = h265.packetize(_stream(*parts), 1200)

    # Type 48 is 0x60 in the first byte; layer 0 and temporal id 1; then each part after its length in two bytes.
    assert payload == b"\x60\x01" + b"".join(len(part).to_bytes(2, "big") + part for part in parts)


def test_h265_aggregate_has_the_lowest_layers_and_the_forbidden_bit_of_its_parts():
    # Layer 33 with temporal id 2, and a forbidden bit on layer 1 with temporal id 3.
    (payload,) = h265.packetize(_stream(b"\x03\x0aab", b"\x82\x0bab"), 1200)

    # Layer 1 is the lowest: its six bits begin with the last bit of the first byte.
    assert payload[:2] == b"\xe0\x0a"


def test_h265_large_unit_is_cut_into_fragments_of_about_equal_size():
    unit = _unit(_IDR, 102)

    payloads = h265.packetize(_LONG + unit, 43)

    # 100 bytes after the header in at most 40 each: three fragments of 34, 34 and 32. Type 49 is 0x62 in a header, and
    # 20 is that of the unit.
    assert [payload[:3] for payload in payloads] == [b"\x62\x01\x94", b"\x62\x01\x14", b"\x62\x01\x54"]
    assert [payload[3:] for payload in payloads] == [unit[2:36], unit[36:70], unit[70:]]


@pytest.mark.parametrize("max_payload_bytes", [6, 60, 99, 100, 101, 102, 1200])
def test_h265_payloads_come_back_as_the_units(max_payload_bytes):
    data = _stream(_VPS, _SPS, _PPS, _unit(_IDR, 100), _unit(_IDR, 3), _unit(_IDR, 399), _SEI)

    payloads = h265.packetize(data, max_payload_bytes)

    assert max(map(len, payloads)) <= max_payload_bytes
    assert h265.depacketize(payloads) == data


@pytest.mark.parametrize(
    "parameters", ["", ":aud=1", ":temporal-layers=3", ":hrd=1:bitrate=4000:vbv-maxrate=4000:vbv-bufsize=70"]
)
def test_h265_survives_the_way_from_an_encoder_to_a_decoder(parameters):
    decoder = av.CodecContext.create("hevc", "r")
    decoder.thread_count = 1

    pictures = []
    access_units = _encoded(4, parameters)
    for number, access_unit in enumerate(access_units):
        payloads = h265.packetize(h265.conform(access_unit), 1200)
        assert h265.is_keyframe(access_unit) == (number == 0)
        pictures += decoder.decode(av.Packet(h265.depacketize(payloads)))
    pictures += decoder.decode(None)

    assert [(shown.width, shown.height) for shown in pictures] == [(NOISE_SIZE.width_px, NOISE_SIZE.height_px)] * 4
    assert max(map(len, access_units)) > 6 * 1200


def test_h265_conform_keeps_what_the_encoder_wrote_right():
    (access_unit,) = _encoded(1)

    assert h265.conform(access_unit) == access_unit


@pytest.mark.parametrize(
    "parameters",
    [
        "",
        ":colorprim=bt709:transfer=bt709:colormatrix=bt709:range=limited",
        ":sar=15:overscan=show",
        ":vui-timing-info=0:hrd=1:bitrate=4000:vbv-maxrate=4000:vbv-bufsize=70",
        ":temporal-layers=3",
        ":scaling-list=default",
        ":amp=1:rect=1:limit-modes=0",
    ],
)
def test_h265_describe_says_what_the_samples_mean(parameters):
    plain = _encoded(4, parameters)
    decoder, other = (av.CodecContext.create("hevc", "r") for _ in range(2))

    described = [h265.describe(plain[0], FULL_601), *plain[1:]]

    pictures = [shown for data in described for shown in decoder.decode(av.Packet(data))] + decoder.decode(None)
    wanted = [shown for data in plain for shown in other.decode(av.Packet(data))] + other.decode(None)
    shown = pictures[0]
    assert (shown.color_primaries, shown.color_trc, shown.colorspace, shown.color_range) == (1, 13, 6, 2)
    assert [bytes(picture.planes[0]) for picture in pictures] == [bytes(picture.planes[0]) for picture in wanted]
    assert h265.describe(described[0], FULL_601) == described[0]
    assert units_of(described[0])[2:] == units_of(plain[0])[2:]


def test_h265_conform_lets_a_decoder_output_at_once():
    # Written by an encoder that reorders: its parameter set has decoders wait. Its first picture needs no waiting.
    (first, *_) = _encoded(8, ":bframes=3:b-pyramid=1", tune=None)

    def pictures_at_once(access_unit: bytes) -> int:
        decoder = av.CodecContext.create("hevc", "r")
        decoder.thread_count = 1
        # One decoder call is one access unit: the picture comes with it, or is held back.
        return len(decoder.decode(av.Packet(access_unit)))

    assert h265.conform(first) != first
    assert (pictures_at_once(first), pictures_at_once(h265.conform(first))) == (0, 1)


@pytest.mark.parametrize(
    ("payloads", "complaint"),
    [
        ([], "the last payload"),
        ([b""], "shorter than its header"),
        ([b"\x02"], "shorter than its header"),
        ([b"\x64\x01ab"], "payload type 50"),
        ([b"\x62\x01\x93"], "no content"),
        ([b"\x62\x01\x13a"], "out of order"),
        ([b"\x62\x01\x53a"], "out of order"),
        ([b"\x62\x01\xd3a"], "out of order"),
        ([b"\x62\x01\x93a"], "the last payload"),
        ([b"\x62\x01\x93a", b"\x62\x01\x93a"], "out of order"),
        ([b"\x62\x01\x93a", _PPS, b"\x62\x01\x53a"], "a fragment of a NAL unit is missing"),
        ([b"\x60\x01"], "aggregation packet is empty"),
        ([b"\x60\x01\x00"], "do not fit"),
        ([b"\x60\x01\x00\x00"], "do not fit"),
        ([b"\x60\x01\x00\x01a"], "do not fit"),
        ([b"\x60\x01\x00\x03ab"], "do not fit"),
        ([b"\x60\x01\x00\x02ab\x00"], "do not fit"),
    ],
)
def test_h265_refuses_payloads_that_are_no_frame(payloads, complaint):
    with pytest.raises(RemoteProtocolError, match=complaint):
        h265.depacketize(payloads)
