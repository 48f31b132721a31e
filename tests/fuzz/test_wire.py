"""Whatever line arrives at either end of a session's socket, it is a value or RemoteProtocolError."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.errors import RemoteProtocolError
from streamer.protocol.signaling import Answer, Bye, ByeCode, Candidate, EndOfCandidates, Offer
from streamer.session.door import Ended, Join, Leave, Opened, Said, Say, Stop
from streamer.session.wire import parse_command, parse_event, serialize_command, serialize_event
from tests.fakes.mutations import changed_bytes, round_trips

_NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
_U16, _U32 = st.integers(0, 65535), st.integers(0, 1 << 32)
_CODES = st.sampled_from(ByeCode)
_COMMANDS = st.one_of(
    st.builds(Join, _NAMES),
    st.builds(Said, _NAMES, st.builds(Answer, _U32, _NAMES)),
    st.builds(Said, _NAMES, st.builds(Candidate, _U32, _NAMES, st.none() | _NAMES, st.none() | _U16)),
    st.builds(Said, _NAMES, st.builds(EndOfCandidates, _U32)),
    st.builds(Leave, _NAMES, _CODES, _NAMES, may_return=st.booleans()),
    st.builds(Stop, _NAMES),
)
_EVENTS = st.one_of(
    st.builds(Opened, _NAMES, st.integers(1, 65535), st.integers(1, 65535), st.floats(1, 240), _NAMES),
    st.builds(Say, _NAMES, st.builds(Offer, _U32, _NAMES)),
    st.builds(Say, _NAMES, st.builds(Bye, _NAMES, _CODES, retry=st.booleans())),
    st.builds(Ended, _NAMES, is_failure=st.booleans()),
)
_TYPES = st.sampled_from(["join", "said", "leave", "stop", "opened", "say", "ended"])
_MEMBERS = st.sampled_from(
    ["viewer", "message", "code", "reason", "may_return", "source", "width_px", "height_px", "fps", "encoder"]
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(ByeCode),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
_LINES = st.one_of(
    st.binary(max_size=200),
    st.builds(
        lambda kind, members: json.dumps({"type": kind, **members}).encode(),
        _TYPES,
        st.dictionaries(_MEMBERS, _JSON, max_size=6),
    ),
    changed_bytes(_COMMANDS.map(serialize_command) | _EVENTS.map(serialize_event)),
)
_PARSERS = pytest.mark.parametrize("parse", [parse_command, parse_event])


def _check(parse, line: bytes) -> None:
    try:
        value = parse(line)
    except RemoteProtocolError:
        return
    serialize = serialize_command if parse is parse_command else serialize_event
    assert parse(serialize(value)) == value


@round_trips
@given(_COMMANDS)
def test_command_round_trips_as_one_line(command):
    line = serialize_command(command)

    assert parse_command(line) == command
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")


@round_trips
@given(_EVENTS)
def test_event_round_trips_as_one_line(event):
    line = serialize_event(event)

    assert parse_event(line) == event
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")


@_PARSERS
@given(_LINES)
def test_wire_survives_any_bytes(parse, line):
    _check(parse, line)
