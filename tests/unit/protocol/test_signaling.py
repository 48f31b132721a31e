import json

import pytest

from streamer.errors import LocalProtocolError, RemoteProtocolError
from streamer.protocol import signaling as wire

_TURN = wire.IceServerEntry(("turn:turn.example:3478",), "someone", "pass phrase")
_STUN = wire.IceServerEntry(("stun:stun.example", "stun:stun.example:3479"))

_FROM_VIEWER = [
    (wire.Hello(), {"type": "hello", "version": 1}),
    (
        wire.Hello(token="open", resume="earlier"),
        {"type": "hello", "version": 1, "token": "open", "resume": "earlier"},
    ),
    (wire.Answer(3, "v=0\r\n"), {"type": "answer", "generation": 3, "sdp": "v=0\r\n"}),
    (
        wire.Candidate(3, "candidate:1 1 udp 1 192.0.2.1 9 typ host", "0", 0),
        {
            "type": "candidate",
            "generation": 3,
            "candidate": "candidate:1 1 udp 1 192.0.2.1 9 typ host",
            "sdp_mid": "0",
            "sdp_mline_index": 0,
        },
    ),
    (
        wire.Candidate(0, ""),
        {"type": "candidate", "generation": 0, "candidate": "", "sdp_mid": None, "sdp_mline_index": None},
    ),
    (wire.EndOfCandidates(3), {"type": "end_of_candidates", "generation": 3}),
]
_FROM_SERVER = [
    (
        wire.Welcome("v1", "secret", (_TURN, _STUN), wire.Limits(65536, 50)),
        {
            "type": "welcome",
            "version": 1,
            "viewer": "v1",
            "resume": "secret",
            "ice_servers": [
                {"urls": ["turn:turn.example:3478"], "username": "someone", "credential": "pass phrase"},
                {"urls": ["stun:stun.example", "stun:stun.example:3479"]},
            ],
            "limits": {"message_bytes": 65536, "messages_per_s": 50},
        },
    ),
    (wire.Offer(0, "v=0\r\n"), {"type": "offer", "generation": 0, "sdp": "v=0\r\n"}),
]
_BYE = (
    wire.Bye("you came back in another window", wire.ByeCode.REPLACED, retry=False),
    {"type": "bye", "reason": "you came back in another window", "code": "replaced", "retry": False},
)


@pytest.mark.parametrize(("message", "members"), [*_FROM_VIEWER, _BYE])
def test_signaling_parses_what_a_viewer_says(message, members):
    assert wire.parse_from_viewer(json.dumps(members)) == message


@pytest.mark.parametrize(("message", "members"), [*_FROM_SERVER, _BYE])
def test_signaling_parses_what_a_server_says(message, members):
    assert wire.parse_from_server(json.dumps(members)) == message


@pytest.mark.parametrize(("message", "members"), [*_FROM_VIEWER, *_FROM_SERVER, _BYE])
def test_signaling_serializes_exactly_the_documented_members(message, members):
    assert json.loads(wire.serialize(message)) == members


@pytest.mark.parametrize("code", wire.ByeCode)
def test_signaling_says_every_code_of_bye(code):
    message = wire.Bye("", code, retry=True)

    assert wire.parse_from_viewer(wire.serialize(message)) == message


def test_signaling_ignores_unknown_members():
    assert wire.parse_from_viewer('{"type":"hello","version":1,"colour":"blue"}') == wire.Hello()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('{"type":"hello"}', "version is missing"),
        ('{"type":"hello","version":2}', "version 2 is not 1"),
        ('{"type":"hello","version":true}', "version is a boolean"),
        ('{"type":"hello","version":1,"token":7}', "token is a number of another kind, not a string"),
        ('{"type":"hello","version":1,"token":"' + "x" * 4097 + '"}', "token is longer than 4096 bytes"),
        ('{"type":"hello","version":1,"resume":"' + "x" * 4097 + '"}', "resume is longer than 4096 bytes"),
        ('{"type":"answer","generation":0}', "sdp is missing"),
        ('{"type":"answer","generation":0.0,"sdp":""}', "generation is a number of another kind"),
        ('{"type":"answer","generation":-1,"sdp":""}', "generation is not between"),
        ('{"type":"answer","generation":0,"sdp":"' + "x" * 61441 + '"}', "sdp is longer than 61440 bytes"),
        ('{"type":"candidate","generation":0,"candidate":"' + "x" * 2049 + '"}', "candidate is longer than 2048"),
        ('{"type":"candidate","generation":0,"candidate":"","sdp_mline_index":65536}', "not between 0 and 65535"),
        ('{"type":"bye","reason":"","code":"tired","retry":false}', "'tired' is not a valid ByeCode"),
        ('{"type":"bye","reason":"","code":"left","retry":0}', "retry is a number of another kind"),
        ('{"type":"offer","generation":0,"sdp":""}', "unknown message type 'offer'"),
        ('{"type":"welcome"}', "unknown message type 'welcome'"),
    ],
)
def test_signaling_refuses_a_viewers_mistake(text, complaint):
    with pytest.raises(RemoteProtocolError, match=complaint):
        wire.parse_from_viewer(text)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"type": "hello"}, "unknown message type 'hello'"),
        ({"version": 0}, "version 0 is not 1"),
        ({"ice_servers": [{"urls": "stun:stun.example"}]}, "urls is a string, not a list"),
        ({"ice_servers": {}}, "ice_servers is an object, not a list"),
        ({"limits": None}, "limits is null, not an object"),
        ({"limits": {"message_bytes": 1}}, "messages_per_s is missing"),
    ],
)
def test_signaling_refuses_a_servers_mistake(change, complaint):
    with pytest.raises(RemoteProtocolError, match=complaint):
        wire.parse_from_server(json.dumps(_FROM_SERVER[0][1] | change))


@pytest.mark.parametrize(
    "message",
    [
        wire.Hello(version=2),
        wire.Offer(-1, ""),
        wire.Offer(0, "x" * 61441),
        wire.Offer(0, "\r\n" * 20_000),
        wire.Welcome("v", "s", (), wire.Limits(1.5, 1)),  # type: ignore[arg-type]
    ],
)
def test_signaling_does_not_say_what_the_other_side_would_refuse(message):
    with pytest.raises(LocalProtocolError):
        wire.serialize(message)


def test_signaling_can_always_say_why_it_ends():
    text = wire.serialize(wire.Bye("\ud800" + "\u00e9" * 1000, wire.ByeCode.PEER_FAILED, retry=True))

    message = wire.parse_from_server(text)
    assert isinstance(message, wire.Bye)
    # One byte for the replaced half character, two for each of the others; the last byte would split one.
    assert message.reason == "?" + "\u00e9" * 511


def test_signaling_hides_secrets_in_repr():
    messages = (wire.Hello(token="open sesame", resume="open sesame"), wire.IceServerEntry((), "u", "open sesame"))
    welcome = wire.Welcome("v1", "open sesame", (), wire.Limits(1, 1))

    assert "sesame" not in repr((messages, welcome))
