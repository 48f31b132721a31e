import pytest

from streamer.errors import LocalProtocolError, RemoteProtocolError
from streamer.protocol.members import MAX_INTEGER, Members, parse_message, serialize_message

_LIMIT_BYTES = 64 * 1024


def _members(text: str) -> Members:
    return parse_message(text, _LIMIT_BYTES, {"m": lambda members: members})


def _member(value: str) -> Members:
    return _members(f'{{"type":"m","v":{value}}}')


def test_members_read_each_type():
    members = _members('{"type":"m","t":"\u00e9","i":-5,"n":0.5,"b":true,"o":{"i":1},"l":[{"i":2}],"s":["x","y"]}')

    assert members.text("t", 2) == "\u00e9"
    assert members.integer("i", -5, -5) == -5
    assert members.number("n") == 0.5
    assert members.boolean("b") is True
    assert members.object("o").integer("i") == 1
    assert [entry.integer("i") for entry in members.objects("l", 1)] == [2]
    assert members.texts("s", 2, 1) == ("x", "y")
    assert members.integers("o", 1, 1) == {"i": 1}


def test_members_number_accepts_an_integer_as_a_float():
    value = _member("60").number("v")

    assert value == 60.0
    assert type(value) is float


@pytest.mark.parametrize("text", ['{"type":"m"}', '{"type":"m","v":null}'])
def test_members_optional_ones_may_be_null_or_absent(text):
    members = _members(text)

    assert members.optional_text("v", 1) is None
    assert members.optional_integer("v") is None
    assert members.optional_number("v") is None


def test_members_optional_ones_are_read_when_present():
    assert _member('"x"').optional_text("v", 1) == "x"
    assert _member("3").optional_integer("v", highest=3) == 3
    assert _member("1.5").optional_number("v") == 1.5


@pytest.mark.parametrize(
    ("value", "read", "complaint"),
    [
        ("1", lambda m: m.text("v", 9), "v is a number of another kind, not a string"),
        ("null", lambda m: m.text("v", 9), "v is null, not a string"),
        ("1", lambda m: m.text("w", 9), "w is missing, not a string"),
        ('"\u00e9"', lambda m: m.text("v", 1), "v is longer than 1 bytes"),
        ('"\\ud800"', lambda m: m.text("v", 9), "half a surrogate pair"),
        ("[]", lambda m: m.optional_text("v", 9), "v is a list, not a string"),
        ("true", lambda m: m.integer("v"), "v is a boolean, not an integer"),
        ("1.0", lambda m: m.integer("v"), "v is a number of another kind, not an integer"),
        ('"1"', lambda m: m.integer("v"), "v is a string, not an integer"),
        ("-1", lambda m: m.integer("v"), "v is not between 0 and"),
        (str(MAX_INTEGER + 1), lambda m: m.integer("v"), "v is not between 0 and"),
        ("false", lambda m: m.number("v"), "v is a boolean, not a number"),
        ("1e999", lambda m: m.number("v"), "v is too large"),
        ("-1e999", lambda m: m.number("v"), "v is too large"),
        ("1" + "0" * 400, lambda m: m.number("v"), "v is too large"),
        ("1", lambda m: m.boolean("v"), "v is a number of another kind, not a boolean"),
        ("[]", lambda m: m.object("v"), "v is a list, not an object"),
        ("{}", lambda m: m.objects("v", 9), "v is an object, not a list"),
        ("[[]]", lambda m: m.objects("v", 9), "v is a list, not an object"),
        ("[{},{}]", lambda m: m.objects("v", 1), "v has more than 1 entries"),
        ('["x",1]', lambda m: m.texts("v", 9, 9), "v is a number of another kind, not a string"),
        ('["xx"]', lambda m: m.texts("v", 9, 1), "v is longer than 1 bytes"),
        ("3", lambda m: m.integers("v", 9, 9), "v is a number of another kind, not an object"),
        ('{"a":1,"b":2}', lambda m: m.integers("v", 1, 9), "v has more than 1 members"),
        ('{"aa":1}', lambda m: m.integers("v", 9, 1), "v is longer than 1 bytes"),
        ('{"a":true}', lambda m: m.integers("v", 9, 9), "m: v: a is a boolean, not an integer"),
    ],
)
def test_members_refuse_what_they_are_not_asked_for(value, read, complaint):
    members = _member(value)

    with pytest.raises(RemoteProtocolError, match=complaint):
        read(members)


def test_members_errors_do_not_quote_strings():
    with pytest.raises(RemoteProtocolError) as caught:
        _member('"open sesame"').integer("v")

    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ('{"type":"m"} x', "not JSON"),
        ('{"type":"m","v":NaN}', "not JSON"),
        ('{"type":"m","v":-Infinity}', "not JSON"),
        ('{"type":"m","v":' + "9" * 5000 + "}", "not JSON"),
        ("[" * 60_000, "not JSON"),
        ('{"a":' * 12_000, "not JSON"),
        ("[]", "not a JSON object"),
        ('"m"', "not a JSON object"),
        ("{}", "has no type"),
        ('{"type":7}', "has no type"),
        ('{"type":["m"]}', "has no type"),
        ('{"type":"n"}', "unknown message type 'n'"),
        ('{"type":"\\ud800"}', "unknown message type '.ud800'"),
        ('{"type":"' + "n" * 60 + '"}', f"unknown message type '{'n' * 40}'"),
        ("\ud800", "half a surrogate pair"),
        (" " * (_LIMIT_BYTES + 1), "longer than 65536 bytes"),
        ("\u00e9" * (_LIMIT_BYTES // 2 + 1), "longer than 65536 bytes"),
    ],
    ids=range(19),
)
def test_message_that_is_no_message_is_refused(text, complaint):
    with pytest.raises(RemoteProtocolError, match=complaint):
        _members(text)


def test_message_of_the_largest_size_is_read():
    text = '{"type":"m"}'

    assert _members(text + " " * (_LIMIT_BYTES - len(text))).optional_text("v", 1) is None


def test_message_is_serialized_as_compact_ascii():
    assert serialize_message("m", {"v": "\u00e9", "n": None}, 99) == '{"type":"m","v":"\\u00e9","n":null}'


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        (float("nan"), "no JSON form"),
        (float("inf"), "no JSON form"),
        (b"", "no JSON form"),
        ("x" * 100, "longer than 99 bytes"),
    ],
)
def test_message_that_cannot_be_said_is_refused(value, complaint):
    with pytest.raises(LocalProtocolError, match=complaint):
        serialize_message("m", {"v": value}, 99)
