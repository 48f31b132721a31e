"""Whatever bytes arrive, parsing gives a message that serializes to the same bytes, or RemoteProtocolError."""

from hypothesis import example, given
from hypothesis import strategies as st

from streamer.errors import RemoteProtocolError
from streamer.protocol import input as wire
from tests.fakes.mutations import changed_bytes, round_trips

_TYPES = st.sampled_from([0x01, 0x02, 0x03, 0x04, 0x10, 0x11, 0x12, 0x13, 0x14])
_U16 = st.integers(0, 65535)
_I32 = st.integers(-(1 << 31), (1 << 31) - 1)
_CODES = st.text("ABCXYZabcxyz0189", min_size=1, max_size=32)
_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=1024 // 4)


@st.composite
def _recaps(draw: st.DrawFn) -> wire.Recap:
    """Draw a recap whose events have ascending numbers, all of them within its reach."""
    sequence = draw(_U16)
    distances = sorted(draw(st.sets(st.integers(1, (1 << 15) - 1), max_size=20)), reverse=True)
    events = [
        draw(
            st.one_of(
                st.builds(wire.Key, st.just((sequence - distance) & 0xFFFF), _CODES, st.booleans()),
                st.builds(
                    wire.Text,
                    st.just((sequence - distance) & 0xFFFF),
                    st.text("aé€", min_size=1, max_size=5),
                    st.booleans(),
                ),
                st.builds(wire.ReleaseAll, st.just((sequence - distance) & 0xFFFF)),
            )
        )
        for distance in distances
    ]
    reach = draw(st.integers(max(distances, default=-1) + 1, (1 << 32) - 1))
    return wire.Recap(sequence, reach, tuple(events))


_MESSAGES = st.one_of(
    _recaps(),
    st.builds(wire.Pointer, _U16, _U16, _U16),
    st.builds(wire.PointerTotals, _U16, _I32, _I32),
    st.builds(wire.WheelTotals, _U16, _I32, _I32),
    st.builds(wire.Key, _U16, _CODES, st.booleans()),
    st.builds(wire.Button, _U16, st.integers(0, 4), st.booleans(), st.just(value=True), _I32, _I32),
    st.builds(wire.Button, _U16, st.integers(0, 4), st.booleans(), st.just(value=False), _U16, _U16),
    st.builds(wire.Text, _U16, _TEXTS, st.booleans()),
    st.builds(wire.Held, _U16, st.integers(0, 31), st.lists(_CODES, max_size=32).map(tuple)),
    st.builds(wire.ReleaseAll, _U16),
)


def _check(data: bytes) -> None:
    try:
        message = wire.parse(data)
    except RemoteProtocolError:
        return
    assert wire.serialize(message) == data


_INPUTS = st.one_of(
    st.binary(max_size=1300),
    st.builds(lambda kind, rest: bytes((kind,)) + rest, _TYPES, st.binary(max_size=64)),
    changed_bytes(_MESSAGES.map(wire.serialize)),
)


@given(_INPUTS)
@example(bytes.fromhex("130000000102"))
def test_input_survives_any_bytes(data):
    _check(data)


@round_trips
@given(_MESSAGES)
def test_input_round_trips_every_message(message):
    assert wire.parse(wire.serialize(message)) == message
