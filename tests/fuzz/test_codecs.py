"""Any payloads give a frame or RemoteProtocolError; any bytes handed to a codec as a frame survive the way to payloads
and back, or are LocalProtocolError."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.codecs import av1, h264, h265, vp8
from streamer.codecs._nal_units import nal_units
from streamer.errors import LocalProtocolError, RemoteProtocolError
from tests.fakes.mutations import round_trips

# What comes from the network gets all inputs; what our own encoders made, a tenth of them.
# Headers of NAL units and payloads, start codes and zeros: what parsers branch on.
_PIECES = st.sampled_from(
    [b"\x00", b"\x00\x00\x01", b"\x00\x00\x00\x01", b"\x00\x00\x03", b"\x67", b"\x65", b"\x41", b"\x78", b"\x7c\x85"]
)
_STREAMS = st.lists(_PIECES | st.binary(max_size=40), max_size=12).map(b"".join)
_H265_HEADS = [b"\x60\x01", b"\x60\x01\x00\x03", b"\x62\x01\x93", b"\x62\x01\x13", b"\x62\x01\x53", b"\x02\x01"]
_AV1_HEADS = [b"\x50\x30", b"\xd0", b"\x90", b"\x20\x02\x30", b"\x08\x80"]
_HEADS = st.sampled_from(
    [b"", b"\x78", b"\x78\x00\x02", b"\x7c\x85", b"\x7c\x05", b"\x7c\x45", b"\x10", b"\x00", *_H265_HEADS, *_AV1_HEADS]
)
_PAYLOADS = st.lists(st.builds(bytes.__add__, _HEADS, st.binary(max_size=12)), max_size=6)
# OBUs with and without sizes and extensions, frames that begin in each way, and lengths that do not fit.
_OBUS = st.sampled_from(
    [
        b"\x12\x00",
        b"\x0a\x03abc",
        b"\x32\x02\x10k",
        b"\x32\x02\x30i",
        b"\x36\x20\x01\x10",
        b"\x22\x03til",
        b"\x7a\x01\x80",
    ]
)
_TEMPORAL_UNITS = st.lists(_OBUS, max_size=12).map(b"".join)


@pytest.mark.parametrize("codec", [h264, vp8, h265, av1])
@given(payloads=_PAYLOADS)
def test_codec_survives_any_payloads(codec, payloads):
    try:
        data = codec.depacketize(payloads)
    except RemoteProtocolError:
        return
    assert data


@round_trips
@given(_STREAMS, st.integers(5, 60))
def test_h264_units_survive_the_way(data, max_payload_bytes):
    try:
        payloads = h264.packetize(data, max_payload_bytes)
    except LocalProtocolError:
        return
    assert max(map(len, payloads)) <= max_payload_bytes
    # Delimiters and filler stay behind.
    units = [data[start:end] for start, end in nal_units(data) if data[start] & 0x1F not in (9, 12)]
    # Types above 23 are those of payloads: no encoder makes such a unit, and none comes back.
    if all(1 <= unit[0] & 0x1F <= 23 for unit in units):
        assert h264.depacketize(payloads) == b"".join(b"\x00\x00\x00\x01" + unit for unit in units)


@round_trips
@given(_STREAMS)
def test_h264_frame_survives_inspection(data):
    for work in (h264.is_keyframe, h264.conform):
        try:
            work(data)
        except LocalProtocolError:
            continue


@round_trips
@given(st.binary(min_size=3, max_size=200), st.integers(5, 60))
def test_vp8_frame_survives_the_way(data, max_payload_bytes):
    payloads = vp8.packetize(data, max_payload_bytes)

    assert max(map(len, payloads)) <= max_payload_bytes
    assert vp8.depacketize(payloads) == data


@round_trips
@given(_STREAMS, st.integers(6, 60))
def test_h265_units_survive_the_way(data, max_payload_bytes):
    try:
        payloads = h265.packetize(data, max_payload_bytes)
    except LocalProtocolError:
        return
    assert max(map(len, payloads)) <= max_payload_bytes
    # Delimiters and filler stay behind.
    units = [data[start:end] for start, end in nal_units(data) if data[start] >> 1 & 0x3F not in (35, 38)]
    # Types above 47 are those of payloads: no encoder makes such a unit, and none comes back.
    if all(unit[0] >> 1 & 0x3F < 48 for unit in units):
        assert h265.depacketize(payloads) == b"".join(b"\x00\x00\x00\x01" + unit for unit in units)


@round_trips
@given(_STREAMS)
def test_h265_frame_survives_inspection(data):
    for work in (h265.is_keyframe, h265.conform):
        try:
            work(data)
        except LocalProtocolError:
            continue


@round_trips
@given(_TEMPORAL_UNITS | st.binary(max_size=200), st.integers(4, 60))
def test_av1_temporal_unit_survives_the_way(data, max_payload_bytes):
    try:
        payloads = av1.packetize(data, max_payload_bytes)
    except LocalProtocolError:
        return
    assert max(map(len, payloads)) <= max_payload_bytes
    once = av1.depacketize(payloads)
    # The sizes of OBUs may be written in more than one way; what came once comes again byte for byte.
    assert av1.depacketize(av1.packetize(once, max_payload_bytes)) == once
    assert av1.is_keyframe(once) == av1.is_keyframe(data)


@round_trips
@given(st.binary(min_size=1, max_size=3000), st.integers(4, 1200))
def test_av1_frame_comes_back(body, max_payload_bytes):
    length = len(body) & 0x7F | 0x80, len(body) >> 7
    data = b"\x12\x00\x32" + (bytes(length) if length[1] else bytes((len(body),))) + body

    payloads = av1.packetize(data, max_payload_bytes)

    assert max(map(len, payloads)) <= max_payload_bytes
    assert av1.depacketize(payloads) == data
