import av
import pytest

from streamer.codecs import h264
from streamer.codecs._bits import BitReader, BitWriter
from streamer.codecs._h264_sps import _skip_to_vui
from streamer.errors import LocalProtocolError, RemoteProtocolError
from streamer.media.frame import ColourDescription, Resolution
from tests.fakes.nal_units import units_of
from tests.fakes.noise import NOISE_SIZE, encoded_noise

_SHORT, _LONG = b"\x00\x00\x01", b"\x00\x00\x00\x01"
# NAL units with the headers that libx264 gives them; the bodies mean nothing.
_AUD = b"\x09\x10"
_SPS = b"\x67\x42\xc0\x20"
_PPS = b"\x68\xce\x38\x80"
_SEI = b"\x06\x05\x04abcd\x80"
_FILLER = b"\x0c\xff\xff\x80"


def _unit(header: int, size_bytes: int) -> bytes:
    # No zeros: nothing in it looks like a start code.
    return bytes((header,)) + bytes(place % 255 + 1 for place in range(size_bytes - 1))


def _encoded(count: int, options: dict[str, str], pixel_format: str = "yuv420p") -> list[bytes]:
    """Return access units of libx264 with the options that give one in, one out."""
    one_by_one = {"preset": "ultrafast", "tune": "zerolatency", "qp": "20"}
    return encoded_noise("libx264", count, one_by_one | options, pixel_format)


def _without_usability_information(unit: bytes) -> bytes:
    payload = unit.replace(b"\x00\x00\x03", b"\x00\x00")
    reader = BitReader(payload)
    _skip_to_vui(reader)
    writer = BitWriter()
    writer.copy(payload, 0, reader.position)
    writer.flag(False)
    return writer.trailing()


@pytest.mark.parametrize(
    ("width_px", "height_px", "fps", "level"),
    [
        # Macroblocks per frame and second against table A-1: 80 x 45 x 60 = 216000 is exactly level 3.2.
        (1280, 720, 60, "20"),
        (1280, 720, 60.1, "28"),
        (1280, 720, 30, "1f"),
        (1920, 1080, 30, "28"),
        (1920, 1080, 60, "2a"),
        (1921, 1080, 60, "2a"),
        (2560, 1440, 60, "33"),
        (3840, 2160, 60, "34"),
        (3840, 2160, 120, "3c"),
        (176, 144, 15, "0a"),
        # 100 macroblocks in a row: more than the root of 8 x 792, less than that of 8 x 1620.
        (1600, 16, 1, "16"),
        (16384, 16384, 240, "3e"),
    ],
)
def test_h264_offers_the_level_of_the_largest_picture(width_px, height_px, fps, level):
    (offered,) = h264.sdp_formats(Resolution(width_px, height_px), fps)

    assert (offered.mime_type, offered.clock_rate_hz) == ("video/H264", 90_000)
    assert dict(offered.parameters) == {
        "profile-level-id": f"42e0{level}",
        "packetization-mode": "1",
        "level-asymmetry-allowed": "1",
    }


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (_SHORT + _SPS + _SHORT + _PPS, [_SPS, _PPS]),
        (_LONG + _SPS + _LONG + _PPS, [_SPS, _PPS]),
        (b"\x00\x00" + _LONG + _SPS + b"\x00\x00\x00" + _SHORT + _PPS + b"\x00\x00\x00", [_SPS, _PPS]),
        (_LONG + b"\x65\x00\x00\x03\x01" + _SHORT + _PPS, [b"\x65\x00\x00\x03\x01", _PPS]),
        (b"junk" + _SHORT + _PPS, [_PPS]),
        (_SHORT + _SHORT + _PPS + _LONG, [_PPS]),
        (b"", []),
        (b"\x00\x00", []),
    ],
)
def test_h264_splits_at_start_codes_of_either_length(data, expected):
    assert units_of(data) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (_LONG + _SPS + _LONG + _PPS + _SHORT + _unit(0x65, 9), True),
        (_LONG + _SEI + _SHORT + _unit(0x41, 9) + _SHORT + _unit(0x41, 9), False),
        (_SHORT + _unit(0x01, 9), False),
    ],
)
def test_h264_keyframe_is_told_by_the_first_slice(data, expected):
    assert h264.is_keyframe(data) is expected


@pytest.mark.parametrize("data", [b"", b"\x00\x00\x01", b"\x65\x01\x02\x03", _LONG + _SPS + _LONG + _PPS])
def test_h264_access_unit_without_a_slice_is_an_error(data):
    with pytest.raises(LocalProtocolError, match=f"no slice in an access unit of {len(data)} bytes"):
        h264.is_keyframe(data)


@pytest.mark.parametrize("work", [h264.conform, lambda data: h264.packetize(data, 1200)])
@pytest.mark.parametrize("data", [b"", b"\x00\x00\x00\x01", b"no start code"])
def test_h264_access_unit_without_a_unit_is_an_error(work, data):
    with pytest.raises(LocalProtocolError, match="no NAL unit"):
        work(data)


def test_h264_conform_leaves_a_delta_frame_as_it_is():
    data = _SHORT + _unit(0x41, 50) + _SHORT + _unit(0x41, 50)

    assert h264.conform(data) is data


def test_h264_payloads_leave_out_delimiters_and_filler():
    data = _LONG + _AUD + _LONG + _SEI + _SHORT + _unit(0x41, 50) + _SHORT + _FILLER

    payloads = h264.packetize(data, 1200)

    assert units_of(h264.depacketize(payloads)) == [_SEI, _unit(0x41, 50)]


def test_h264_access_unit_of_nothing_but_filler_is_an_error():
    with pytest.raises(LocalProtocolError, match="no NAL unit"):
        h264.packetize(_LONG + _FILLER, 1200)


def test_h264_conform_rewrites_every_parameter_set():
    (access_unit,) = _encoded(1, {"profile": "baseline"})
    sps, *others = units_of(access_unit)
    plain = _without_usability_information(sps)

    units = units_of(h264.conform(b"".join(_LONG + unit for unit in (plain, plain, *others))))

    assert units[0] == units[1] != plain
    assert units[2:] == others


def test_h264_conform_refuses_a_parameter_set_that_it_cannot_read():
    with pytest.raises(LocalProtocolError):
        h264.conform(_LONG + b"\x67\x42")


def test_h264_small_units_travel_together():
    data = b"".join(_LONG + unit for unit in (_SPS, _PPS, _SEI, _unit(0x65, 20)))

    (payload,) = h264.packetize(data, 1200)

    # Type 24 with the greatest NRI of the parts, 0x60; then each part after its length in two bytes.
    parts = (_SPS, _PPS, _SEI, _unit(0x65, 20))
    assert payload == b"\x78" + b"".join(len(part).to_bytes(2, "big") + part for part in parts)


def test_h264_aggregate_keeps_the_forbidden_bit_of_a_part():
    (payload,) = h264.packetize(_SHORT + b"\x21ab" + _SHORT + b"\xc1ab", 1200)

    assert payload[0] == 0x80 | 0x40 | 24


def test_h264_unit_of_exactly_the_limit_travels_alone():
    units = [_PPS, _unit(0x65, 100), _unit(0x65, 100), _PPS]

    payloads = h264.packetize(b"".join(_LONG + unit for unit in units), 100)

    assert list(payloads) == units


def test_h264_aggregate_is_filled_to_the_limit_and_no_further():
    first, second = _unit(0x41, 40), _unit(0x41, 55)
    data = _SHORT + first + _SHORT + second

    assert [len(payload) for payload in h264.packetize(data, 1 + 2 + 40 + 2 + 55)] == [100]
    assert list(h264.packetize(data, 99)) == [first, second]


def test_h264_large_unit_is_cut_into_fragments_of_about_equal_size():
    unit = _unit(0x65, 101)

    payloads = h264.packetize(_LONG + unit, 42)

    # 100 bytes after the header in at most 40 each: three fragments of 34, 34 and 32.
    assert [payload[:2] for payload in payloads] == [b"\x7c\x85", b"\x7c\x05", b"\x7c\x45"]
    assert [payload[2:] for payload in payloads] == [unit[1:35], unit[35:69], unit[69:]]


@pytest.mark.parametrize("max_payload_bytes", [5, 60, 99, 100, 101, 102, 1200])
def test_h264_payloads_come_back_as_the_units(max_payload_bytes):
    units = [_SPS, _PPS, _unit(0x65, 100), _unit(0x65, 3), _unit(0x65, 399), _SEI]
    data = b"".join(_LONG + unit for unit in units)

    payloads = h264.packetize(data, max_payload_bytes)

    assert max(map(len, payloads)) <= max_payload_bytes
    assert min(map(len, payloads)) >= 3
    assert h264.depacketize(payloads) == data


@pytest.mark.parametrize(
    ("options", "pixel_format"),
    [
        ({"profile": "baseline"}, "yuv420p"),
        ({"profile": "baseline", "aud": "1", "x264-params": "slices=4"}, "yuv420p"),
        (
            {"profile": "baseline", "b": "4M", "maxrate": "4M", "bufsize": "70k", "nal-hrd": "cbr", "qp": "-1"},
            "yuv420p",
        ),
        ({"profile": "high", "x264-params": "8x8dct=1:cqm=jvt"}, "yuv420p"),
        ({"profile": "high444"}, "yuv444p"),
        ({"x264-params": "interlaced=1"}, "yuv420p"),
    ],
    ids=["baseline", "slices and delimiters", "constant rate with HRD", "high with scaling lists", "4:4:4", "fields"],
)
@pytest.mark.parametrize("has_information", [True, False], ids=["as encoded", "without usability information"])
def test_h264_survives_the_way_from_an_encoder_to_a_decoder(options, pixel_format, has_information):
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1

    pictures = []
    access_units = _encoded(4, options, pixel_format)
    for number, access_unit in enumerate(access_units):
        units = units_of(access_unit)
        if not has_information:
            units = [_without_usability_information(unit) if unit[0] & 0x1F == 7 else unit for unit in units]
        payloads = h264.packetize(h264.conform(b"".join(_LONG + unit for unit in units)), 1200)
        assert h264.is_keyframe(access_unit) == (number == 0)
        # One in, one out, at once: nothing is held back for reordering.
        pictures.append(decoder.decode(av.Packet(h264.depacketize(payloads))))

    assert [len(shown) for shown in pictures] == [1] * 4
    assert {(shown.width, shown.height) for (shown,) in pictures} == {(NOISE_SIZE.width_px, NOISE_SIZE.height_px)}
    assert max(map(len, access_units)) > 6 * 1200


def test_h264_describe_says_what_the_samples_mean():
    (access_unit,) = _encoded(1, {"profile": "baseline"})
    decoder = av.CodecContext.create("h264", "r")

    described = h264.describe(access_unit, ColourDescription(primaries=1, transfer=13, matrix=6, is_full_range=True))

    (picture,) = decoder.decode(av.Packet(h264.conform(described))) + decoder.decode(None)
    assert (picture.color_primaries, picture.color_trc, picture.colorspace, picture.color_range) == (1, 13, 6, 2)
    # Nothing but the parameter set has changed.
    assert units_of(described)[1:] == units_of(access_unit)[1:]


def test_h264_conform_keeps_what_the_encoder_wrote_right():
    (access_unit,) = _encoded(1, {"profile": "baseline"})

    assert units_of(h264.conform(access_unit)) == units_of(access_unit)


@pytest.mark.parametrize(
    ("payloads", "complaint"),
    [
        ([], "the last payload"),
        ([b""], "shorter than its header"),
        ([b"\x60"], "payload type 0"),
        ([b"\x79ab"], "payload type 25"),
        ([b"\x7dab"], "payload type 29"),
        ([b"\x7c\x85"], "no content"),
        ([b"\x7c\x05a"], "out of order"),
        ([b"\x7c\x45a"], "out of order"),
        ([b"\x7c\xc5a"], "out of order"),
        ([b"\x7c\x85a"], "the last payload"),
        ([b"\x7c\x85a", b"\x7c\x85a"], "out of order"),
        ([b"\x7c\x85a", _PPS, b"\x7c\x45a"], "a fragment of a NAL unit is missing"),
        ([b"\x78"], "aggregation packet is empty"),
        ([b"\x78\x00"], "do not fit"),
        ([b"\x78\x00\x00"], "do not fit"),
        ([b"\x78\x00\x02a"], "do not fit"),
        ([b"\x78\x00\x01a\x00"], "do not fit"),
    ],
)
def test_h264_refuses_payloads_that_are_no_frame(payloads, complaint):
    with pytest.raises(RemoteProtocolError, match=complaint):
        h264.depacketize(payloads)
