import json

import pytest

from streamer.errors import LocalProtocolError, RemoteProtocolError
from streamer.protocol import control as wire

_FROM_VIEWER = [
    (wire.Ping(7), {"type": "ping", "id": 7}),
    (wire.Keyframe("stalled"), {"type": "keyframe", "reason": "stalled"}),
    (
        wire.Report(600, 2, 0, 0.4, 3, -1.5),
        {
            "type": "report",
            "frames_decoded": 600,
            "frames_dropped": 2,
            "freeze_count": 0,
            "jitter_buffer_ms": 0.4,
            "decode_ms": 3,
            "capture_to_present_ms": -1.5,
        },
    ),
    (
        wire.Report(0, 0, 0),
        {
            "type": "report",
            "frames_decoded": 0,
            "frames_dropped": 0,
            "freeze_count": 0,
            "jitter_buffer_ms": None,
            "decode_ms": None,
            "capture_to_present_ms": None,
        },
    ),
    (wire.Pause(is_paused=True), {"type": "pause", "is_paused": True}),
]
_FROM_SERVER = [
    (wire.Pong(7, 123_456_789_012), {"type": "pong", "id": 7, "server_us": 123_456_789_012}),
    (wire.Seat(is_holder=False, viewers=2), {"type": "seat", "is_holder": False, "viewers": 2}),
    (wire.TextRefused(), {"type": "text_refused"}),
    (
        wire.Stream("h264", "software", "first that runs here", "pattern", 1280, 720, 59.7),
        {
            "type": "stream",
            "codec": "h264",
            "encoder": "software",
            "encoder_reason": "first that runs here",
            "source": "pattern",
            "width_px": 1280,
            "height_px": 720,
            "fps": 59.7,
        },
    ),
    (
        wire.Statistics(
            9_000_000, 10_000_000, 8_500_000, 8_400_000, 1_200, 0.01, "hold", 1000, 3, 1, 60, 21_000, {"encode": 4000}
        ),
        {
            "type": "statistics",
            "target_bps": 9_000_000,
            "estimate_bps": 10_000_000,
            "sent_bps": 8_500_000,
            "acked_bps": 8_400_000,
            "queue_us": 1_200,
            "loss_ratio": 0.01,
            "limit": "hold",
            "packets_sent": 1000,
            "packets_retransmitted": 3,
            "keyframes": 1,
            "frames": 60,
            "rtt_us": 21_000,
            "stages_us": {"encode": 4000},
        },
    ),
    (
        wire.Statistics(0, 0, 0, 0, 0, 0, "", 0, 0, 0, 0),
        {
            "type": "statistics",
            "target_bps": 0,
            "estimate_bps": 0,
            "sent_bps": 0,
            "acked_bps": 0,
            "queue_us": 0,
            "loss_ratio": 0,
            "limit": "",
            "packets_sent": 0,
            "packets_retransmitted": 0,
            "keyframes": 0,
            "frames": 0,
            "rtt_us": None,
            "stages_us": {},
        },
    ),
]


@pytest.mark.parametrize(("message", "members"), _FROM_VIEWER)
def test_control_parses_what_a_viewer_says(message, members):
    assert wire.parse_from_viewer(json.dumps(members)) == message


@pytest.mark.parametrize(("message", "members"), _FROM_SERVER)
def test_control_parses_what_a_server_says(message, members):
    assert wire.parse_from_server(json.dumps(members)) == message


@pytest.mark.parametrize(("message", "members"), [*_FROM_VIEWER, *_FROM_SERVER])
def test_control_serializes_exactly_the_documented_members(message, members):
    assert json.loads(wire.serialize(message)) == members


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('{"type":"ping"}', "id is missing"),
        ('{"type":"ping","id":false}', "id is a boolean"),
        ('{"type":"keyframe","reason":"' + "x" * 1025 + '"}', "reason is longer than 1024 bytes"),
        ('{"type":"report","frames_decoded":0,"frames_dropped":0,"freeze_count":"0"}', "freeze_count is a string"),
        ('{"type":"pause","is_paused":1}', "is_paused is a number of another kind"),
        ('{"type":"pong","id":0,"server_us":0}', "unknown message type 'pong'"),
        (" " * 16385, "longer than 16384 bytes"),
    ],
)
def test_control_refuses_a_viewers_mistake(text, complaint):
    with pytest.raises(RemoteProtocolError, match=complaint):
        wire.parse_from_viewer(text)


def test_control_refuses_from_a_server_what_only_a_viewer_says():
    with pytest.raises(RemoteProtocolError, match="unknown message type 'ping'"):
        wire.parse_from_server('{"type":"ping","id":1}')


@pytest.mark.parametrize(
    "message",
    [
        wire.Pong(1, -1),
        wire.Pong(1, 1.5),  # type: ignore[arg-type]
        wire.Stream("h264", "software", "", "pattern", 0, 720, 60),
        wire.Stream("h264", "software", "", "pattern", 1280, 720, float("nan")),
        wire.Statistics(0, 0, 0, 0, 0, 0, "", 0, 0, 0, 0, stages_us={"x" * 300: 1}),
    ],
)
def test_control_does_not_say_what_the_other_side_would_refuse(message):
    with pytest.raises(LocalProtocolError):
        wire.serialize(message)
