"""Whatever bytes arrive, parsing gives a packet whose parts make up its length, or RemoteProtocolError."""

from hypothesis import given
from hypothesis import strategies as st

from streamer.errors import RemoteProtocolError
from streamer.rtp.extensions import TRANSPORT_WIDE_CC, parse_extensions, serialize_extensions
from streamer.rtp.header import HeadWriter
from streamer.rtp.packet import padding, parse
from streamer.rtp.rtx import make_payload, split_payload
from tests.fakes.mutations import round_trips

_U16 = st.integers(0, 65535)
_U32 = st.integers(0, (1 << 32) - 1)
_VALUES = st.dictionaries(st.integers(1, 255), st.binary(max_size=40), max_size=6)


def _check(data):
    try:
        packet = parse(data)
    except RemoteProtocolError:
        return
    parts = 12 + 4 * len(packet.csrcs) + len(packet.extension) + len(packet.payload) + packet.padding_bytes
    assert parts == len(data)
    _check_extensions(packet.extension)


def _check_extensions(block):
    try:
        values = parse_extensions(block)
    except RemoteProtocolError:
        return
    assert sum(1 + len(value) for value in values.values()) <= len(block)


@given(st.binary(max_size=100), st.booleans())
def test_rtp_survives_any_bytes(data, is_version_2):
    _check(bytes((0x80 | data[0] & 0x3F,)) + data[1:] if is_version_2 and data else data)


@given(st.sampled_from([0xBEDE, 0x1000, 0x100F, 0x1234]), st.binary(max_size=64))
def test_extensions_survive_any_body(profile, body):
    body += bytes(-len(body) % 4)
    _check_extensions(profile.to_bytes(2, "big") + (len(body) // 4).to_bytes(2, "big") + body)


@round_trips
@given(_VALUES)
def test_extensions_round_trip(values):
    assert parse_extensions(serialize_extensions(list(values.items()))) == values


@round_trips
@given(st.integers(0, 127), st.booleans(), _U16, _U32, _U32, st.binary(max_size=50), st.integers(0, 255))
def test_rtp_round_trips(payload_type, marker, sequence, timestamp, ssrc, payload, padding_bytes):
    writer = HeadWriter(payload_type, ssrc, {TRANSPORT_WIDE_CC: 3}, "")
    buffer = bytearray(writer.largest_bytes)
    writer.write(buffer, 0, sequence, timestamp, 0, sequence, marker=marker)
    buffer[0] |= 0x20 if padding_bytes else 0

    packet = parse(bytes(buffer) + payload + (padding(padding_bytes) if padding_bytes else b""))

    assert (packet.payload_type, packet.marker, packet.sequence) == (payload_type, marker, sequence)
    assert (packet.timestamp, packet.ssrc, packet.payload) == (timestamp, ssrc, payload)
    assert packet.padding_bytes == padding_bytes
    assert parse_extensions(packet.extension) == {3: sequence.to_bytes(2, "big")}


@round_trips
@given(_U16, st.binary(max_size=50))
def test_rtx_round_trips(sequence, payload):
    assert split_payload(make_payload(sequence, payload)) == (sequence, payload)
