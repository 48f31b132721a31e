"""Whatever bytes arrive, parsing gives a message that serializes to the same bytes, or RemoteProtocolError."""

from hypothesis import example, given
from hypothesis import strategies as st

from streamer.errors import RemoteProtocolError
from streamer.protocol import input as wire

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
                st.builds(wire.Text, st.just((sequence - distance) & 0xFFFF), st.text("aé€", min_size=1, max_size=5)),
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
    st.builds(wire.Text, _U16, _TEXTS),
    st.builds(wire.Held, _U16, st.integers(0, 31), st.lists(_CODES, max_size=32).map(tuple)),
    st.builds(wire.ReleaseAll, _U16),
)


def _check(data: bytes) -> None:
    try:
        message = wire.parse(data)
    except RemoteProtocolError:
        return
    assert wire.serialize(message) == data


@given(st.binary(max_size=1300))
def test_input_survives_any_bytes(data):
    _check(data)


@given(_TYPES, st.binary(max_size=64))
@example(0x13, bytes.fromhex("0000000102"))
def test_input_survives_any_bytes_after_a_known_type(kind, rest):
    _check(bytes((kind,)) + rest)


@given(_MESSAGES)
def test_input_round_trips_every_message(message):
    assert wire.parse(wire.serialize(message)) == message


@given(_MESSAGES, st.data())
def test_input_survives_a_changed_message(message, data):
    changed = bytearray(wire.serialize(message))
    changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    _check(bytes(changed[: data.draw(st.integers(0, len(changed)))]))
