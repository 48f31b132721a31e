import json
import re
from pathlib import Path
from typing import Any

import pytest

from streamer.errors import LocalProtocolError, RemoteProtocolError
from streamer.protocol import input as wire

_VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "input.json").read_text())
_CLASSES = {
    "pointer": wire.Pointer,
    "pointer_totals": wire.PointerTotals,
    "wheel_totals": wire.WheelTotals,
    "recap": wire.Recap,
    "key": wire.Key,
    "button": wire.Button,
    "text": wire.Text,
    "held": wire.Held,
    "release_all": wire.ReleaseAll,
}


def _message(members: dict[str, Any]) -> wire.InputMessage:
    values = {name: _value(name, value) for name, value in members.items()}
    return _CLASSES[values.pop("type")](**values)


def _value(name: str, value: Any) -> Any:
    if name == "events":
        return tuple(map(_message, value))
    return tuple(value) if isinstance(value, list) else value


@pytest.mark.parametrize("vector", _VECTORS["valid"], ids=lambda vector: vector["name"])
def test_input_parses_the_shared_vector(vector):
    message = wire.parse(bytes.fromhex(vector["hex"]))

    assert message == _message(vector["message"])
    assert isinstance(message, wire.MotionMessage) == (vector["channel"] == "motion")
    assert isinstance(message, wire.KeysMessage) == (vector["channel"] == "keys")


@pytest.mark.parametrize("vector", _VECTORS["valid"], ids=lambda vector: vector["name"])
def test_input_serializes_the_shared_vector(vector):
    assert wire.serialize(_message(vector["message"])).hex() == vector["hex"]


@pytest.mark.parametrize("vector", _VECTORS["invalid"], ids=lambda vector: vector["name"])
def test_input_rejects_the_shared_vector(vector):
    with pytest.raises(RemoteProtocolError):
        wire.parse(bytes.fromhex(vector["hex"]))


def test_input_vectors_cover_every_message_type():
    assert {vector["message"]["type"] for vector in _VECTORS["valid"]} == set(_CLASSES)


def test_input_error_names_type_and_length():
    with pytest.raises(RemoteProtocolError, match=re.escape("input message of type 0x01 has 4 bytes")):
        wire.parse(bytes.fromhex("01000000"))


@pytest.mark.parametrize(
    "message",
    [
        wire.Pointer(0, -1, 0),
        wire.Pointer(0, 0, 65536),
        wire.Pointer(65536, 0, 0),
        wire.PointerTotals(0, 1 << 31, 0),
        wire.WheelTotals(0, 0, -(1 << 31) - 1),
        wire.Key(0, "", is_down=True),
        wire.Key(0, "Key A", is_down=True),
        wire.Key(0, "K\u00e9", is_down=True),
        wire.Key(0, "A" * 33, is_down=True),
        wire.Key(0, "A" * 256, is_down=True),
        wire.Button(0, 5, is_down=True, is_locked=False, x=0, y=0),
        wire.Button(0, 0, is_down=True, is_locked=False, x=65536, y=0),
        wire.Text(0, ""),
        wire.Text(0, "\ud800"),
        wire.Text(0, "a" * 1025),
        wire.Held(0, 32, ()),
        wire.Held(0, 0, ("A",) * 33),
        wire.ReleaseAll(-1),
        wire.Recap(0, -1, ()),
        wire.Recap(0, 1 << 32, ()),
        wire.Recap(2, 1, (wire.ReleaseAll(1),)),
        wire.Recap(2, 2, (wire.Text(1, "a" * 251),)),
        wire.Recap(40, 40, tuple(map(wire.ReleaseAll, range(33)))),
    ],
    ids=repr,
)
def test_input_refuses_to_serialize_what_the_protocol_forbids(message):
    with pytest.raises(LocalProtocolError, match="cannot be sent"):
        wire.serialize(message)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (1, 0, True),
        (0, 1, False),
        (7, 7, False),
        (0, 65535, True),
        (65535, 0, False),
        (32767, 0, True),
        (32768, 0, False),
        (0, 32768, False),
        (32769, 0, False),
    ],
)
def test_input_sequence_numbers_compare_on_a_circle(a, b, expected):
    assert wire.is_newer(a, b) is expected


@pytest.mark.parametrize(
    ("new", "old", "expected"),
    [
        (5, 3, 2),
        (3, 5, -2),
        (-(1 << 31), (1 << 31) - 1, 1),
        ((1 << 31) - 1, -(1 << 31), -1),
        (0, 0, 0),
        (-1, 1, -2),
        ((1 << 31) - 1, 0, (1 << 31) - 1),
    ],
)
def test_input_totals_differ_across_the_wrap(new, old, expected):
    assert wire.total_difference(new, old) == expected
