"""Any payloads give a frame or RemoteProtocolError; any bytes handed to a codec as a frame survive the way to payloads
and back, or are LocalProtocolError; any parameter set is rewritten for good, or is LocalProtocolError."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.codecs import h264, vp8
from streamer.codecs._h264_sps import with_immediate_output
from streamer.codecs._nal_units import nal_units
from streamer.errors import LocalProtocolError, RemoteProtocolError
from tests.fakes.mutations import round_trips

# Headers of NAL units and payloads, start codes and zeros: what parsers branch on.
_PIECES = st.sampled_from(
    [b"\x00", b"\x00\x00\x01", b"\x00\x00\x00\x01", b"\x00\x00\x03", b"\x67", b"\x65", b"\x41", b"\x78", b"\x7c\x85"]
)
_STREAMS = st.lists(_PIECES | st.binary(max_size=40), max_size=12).map(b"".join)
_HEADS = st.sampled_from([b"", b"\x78", b"\x78\x00\x02", b"\x7c\x85", b"\x7c\x05", b"\x7c\x45", b"\x10", b"\x00"])
_PAYLOADS = st.lists(st.builds(bytes.__add__, _HEADS, st.binary(max_size=12)), max_size=6)
_BASELINE_START = bytes.fromhex("6742c020")
_HIGH_START = bytes.fromhex("67640020")


@pytest.mark.parametrize("codec", [h264, vp8])
@given(payloads=_PAYLOADS)
def test_codec_survives_any_payloads(codec, payloads):
    try:
        data = codec.depacketize(payloads)
    except RemoteProtocolError:
        return
    assert data


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


@given(st.sampled_from([_BASELINE_START, _HIGH_START]), st.binary(max_size=60))
def test_h264_parameter_set_is_rewritten_for_good(start, rest):
    try:
        rewritten = with_immediate_output(start + rest)
    except LocalProtocolError:
        return
    assert with_immediate_output(rewritten) == rewritten
