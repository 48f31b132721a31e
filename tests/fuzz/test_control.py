"""Whatever text arrives, parsing gives a message that can be said again unchanged, or RemoteProtocolError."""

import json

from hypothesis import example, given
from hypothesis import strategies as st

from streamer.protocol import control as wire
from tests.fakes.mutations import changed_text
from tests.fakes.text_wire import check_text

_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(0, 100),
    st.floats(),
    st.text(),
    st.text(st.characters(categories=["Cs"]), max_size=3),
)
_VALUES = _SCALARS | st.lists(_SCALARS, max_size=3) | st.dictionaries(st.text(max_size=4), _SCALARS, max_size=3)
_COUNTERS = dict.fromkeys(
    [
        "id",
        "server_us",
        "frames_decoded",
        "frames_dropped",
        "freeze_count",
        "viewers",
        "target_bps",
        "sent_bps",
        "packets_sent",
        "packets_retransmitted",
        "keyframes",
        "frames",
        "rtt_us",
    ],
    0,
)
_DEFAULTS = {
    **_COUNTERS,
    "reason": "",
    "is_paused": False,
    "is_holder": True,
    **dict.fromkeys(["codec", "encoder", "encoder_reason", "source"], "x"),
    "width_px": 2,
    "height_px": 2,
    "fps": 60,
    "stages_us": {"encode": 1},
}
_MESSAGES = st.builds(
    lambda kind, members: {**_DEFAULTS, "type": kind, **members},
    st.sampled_from(
        ["ping", "pong", "keyframe", "report", "pause", "seat", "text_refused", "stream", "statistics", "walk"]
    ),
    st.dictionaries(st.sampled_from([*_DEFAULTS, "jitter_buffer_ms", "capture_to_present_ms"]), _VALUES, max_size=4),
)


_TEXTS = _MESSAGES.map(json.dumps)


@given(st.one_of(st.text(), _VALUES.map(json.dumps), _TEXTS, changed_text(_TEXTS)))
@example("[" * 16_000)
@example('{"type":"ping","id":' + "1" * 5_000 + "}")
@example('{"type":"report","frames_decoded":0,"frames_dropped":0,"freeze_count":0,"decode_ms":1e999}')
def test_control_survives_any_text(text):
    check_text(wire, text)
