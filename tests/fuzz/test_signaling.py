"""Whatever text arrives, parsing gives a message that can be said again unchanged, or RemoteProtocolError."""

import json

from hypothesis import example, given
from hypothesis import strategies as st

from streamer.protocol import signaling as wire
from tests.fakes.mutations import changed_text
from tests.fakes.text_wire import check_text

# Like JSON, with everything that Python's parser also takes or trips over.
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.text(st.characters(categories=["Cs"]), max_size=3),
    st.sampled_from([1, 0, "left", "replaced", 10**400, "v=0\r\n"]),
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=5,
)
_TYPES = st.sampled_from(["hello", "welcome", "offer", "answer", "candidate", "end_of_candidates", "bye", "fly"])
_NAMES = st.sampled_from(
    [
        "version",
        "token",
        "resume",
        "viewer",
        "ice_servers",
        "limits",
        "generation",
        "sdp",
        "candidate",
        "sdp_mid",
        "sdp_mline_index",
        "reason",
        "code",
        "retry",
        "urls",
        "username",
        "credential",
        "message_bytes",
        "messages_per_s",
    ]
)
_LIMITS = st.fixed_dictionaries({"message_bytes": _SCALARS, "messages_per_s": st.integers(0, 99)})
_SERVERS = st.lists(st.dictionaries(_NAMES, _SCALARS | st.lists(st.text(max_size=3), max_size=3)), max_size=3)
_MESSAGES = st.builds(
    lambda kind, members, defaults: {**defaults, "type": kind, **members},
    _TYPES,
    st.dictionaries(_NAMES, _VALUES | _LIMITS | _SERVERS, max_size=4),
    st.just(
        {
            "version": 1,
            "generation": 0,
            "sdp": "",
            "candidate": "",
            "reason": "",
            "code": "left",
            "retry": True,
            "viewer": "v",
            "resume": "r",
            "ice_servers": [],
            "limits": {"message_bytes": 1, "messages_per_s": 1},
        }
    ),
)


_TEXTS = _MESSAGES.map(json.dumps)


@given(st.one_of(st.text(), _VALUES.map(json.dumps), _TEXTS, changed_text(_TEXTS)))
@example("[" * 65_000)
@example('{"type":' * 8_000)
@example('{"type":"hello","version":' + "1" * 5_000 + "}")
@example('{"type":"hello","version":1,"token":"\\ud800"}')
@example('{"type":"hello","version":1e999}')
def test_signaling_survives_any_text(text):
    check_text(wire, text)
