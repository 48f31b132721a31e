"""Control: what viewer and server tell each other while the picture flows. JSON text to values and back.

Owns the messages of README.md, section Control. Knows nothing of the data channel that carries them.

Rules of this file: one frozen value per message, its fields named as on the wire.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TypeAlias

from streamer.errors import LocalProtocolError, RemoteProtocolError
from streamer.protocol.members import Members, parse_message, serialize_message

MAX_MESSAGE_BYTES = 16 * 1024
MAX_REASON_BYTES = 1024
_MAX_NAME_BYTES = 256
_MAX_STAGES = 32
# The largest side that a picture can have in any codec of ours: 16 bits in AV1, fewer in the others.
_MAX_SIDE_PX = 65536


@dataclass(frozen=True, slots=True)
class Ping:
    """The viewer asks for the server's clock."""

    id: int


@dataclass(frozen=True, slots=True)
class Pong:
    """The server's monotonic clock when the ping with that id was answered."""

    id: int
    server_us: int


@dataclass(frozen=True, slots=True)
class Keyframe:
    """The viewer's picture has stalled although payload keeps arriving."""

    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """What the viewer's browser counted, once a second. Counters run since the peer began."""

    frames_decoded: int
    frames_dropped: int
    freeze_count: int
    jitter_buffer_ms: float | None = None
    decode_ms: float | None = None
    capture_to_present_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """The page is hidden, or visible again."""

    is_paused: bool


@dataclass(frozen=True, slots=True)
class Seat:
    """Whether this viewer's input counts, and how many are watching."""

    is_holder: bool
    viewers: int


@dataclass(frozen=True, slots=True)
class TextRefused:
    """A text of this viewer was not entered, because too much of earlier texts still waits to be."""


@dataclass(frozen=True, slots=True)
class Stream:
    """What is being sent."""

    codec: str
    encoder: str
    encoder_reason: str
    source: str
    width_px: int
    height_px: int
    fps: float


@dataclass(frozen=True, slots=True)
class Statistics:
    """What the server counted. `stages_us` is the median duration of each stage over the last second.

    `estimate_bps` is what the path can carry, headers included, `acked_bps` what arrived of what was sent, `queue_us`
    how long packets wait in the network's queue, and `limit` what governs the rate now, in a word or two.
    """

    target_bps: int
    estimate_bps: int
    sent_bps: int
    acked_bps: int
    queue_us: int
    loss_ratio: float
    limit: str
    packets_sent: int
    packets_retransmitted: int
    keyframes: int
    frames: int
    rtt_us: int | None = None
    stages_us: Mapping[str, int] = field(default_factory=dict)


ViewerMessage: TypeAlias = Ping | Keyframe | Report | Pause
ServerMessage: TypeAlias = Pong | Seat | TextRefused | Stream | Statistics


def parse_from_viewer(text: str) -> ViewerMessage:
    """Return the message that a viewer sent.

    Raises:
        RemoteProtocolError: it is malformed, too long, or nothing that a viewer says.
    """
    return parse_message(text, MAX_MESSAGE_BYTES, _FROM_VIEWER)


def parse_from_server(text: str) -> ServerMessage:
    """Return the message that a server sent.

    Raises:
        RemoteProtocolError: it is malformed, too long, or nothing that a server says.
    """
    return parse_message(text, MAX_MESSAGE_BYTES, _FROM_SERVER)


def serialize(message: ViewerMessage | ServerMessage) -> str:
    """Return the JSON text of a message.

    Raises:
        LocalProtocolError: a field has a type or value that the protocol does not allow.
    """
    text = serialize_message(_KINDS[type(message)], asdict(message), MAX_MESSAGE_BYTES)
    try:
        parse_message(text, MAX_MESSAGE_BYTES, {**_FROM_VIEWER, **_FROM_SERVER})
    except RemoteProtocolError as exc:
        raise LocalProtocolError(f"{message!r} cannot be sent: {exc}") from exc
    return text


def _parse_ping(members: Members) -> Ping:
    return Ping(members.integer("id"))


def _parse_pong(members: Members) -> Pong:
    return Pong(members.integer("id"), members.integer("server_us"))


def _parse_keyframe(members: Members) -> Keyframe:
    return Keyframe(members.text("reason", MAX_REASON_BYTES))


def _parse_report(members: Members) -> Report:
    return Report(
        members.integer("frames_decoded"),
        members.integer("frames_dropped"),
        members.integer("freeze_count"),
        members.optional_number("jitter_buffer_ms"),
        members.optional_number("decode_ms"),
        members.optional_number("capture_to_present_ms"),
    )


def _parse_pause(members: Members) -> Pause:
    return Pause(members.boolean("is_paused"))


def _parse_seat(members: Members) -> Seat:
    return Seat(members.boolean("is_holder"), members.integer("viewers"))


def _parse_text_refused(_members: Members) -> TextRefused:
    return TextRefused()


def _parse_stream(members: Members) -> Stream:
    return Stream(
        members.text("codec", _MAX_NAME_BYTES),
        members.text("encoder", _MAX_NAME_BYTES),
        members.text("encoder_reason", MAX_REASON_BYTES),
        members.text("source", _MAX_NAME_BYTES),
        members.integer("width_px", 1, _MAX_SIDE_PX),
        members.integer("height_px", 1, _MAX_SIDE_PX),
        members.number("fps"),
    )


def _parse_statistics(members: Members) -> Statistics:
    return Statistics(
        members.integer("target_bps"),
        members.integer("estimate_bps"),
        members.integer("sent_bps"),
        members.integer("acked_bps"),
        members.integer("queue_us"),
        members.number("loss_ratio"),
        members.text("limit", _MAX_NAME_BYTES),
        members.integer("packets_sent"),
        members.integer("packets_retransmitted"),
        members.integer("keyframes"),
        members.integer("frames"),
        members.optional_integer("rtt_us"),
        members.integers("stages_us", _MAX_STAGES, _MAX_NAME_BYTES),
    )


_FROM_VIEWER: dict[str, Callable[[Members], ViewerMessage]] = {
    "ping": _parse_ping,
    "keyframe": _parse_keyframe,
    "report": _parse_report,
    "pause": _parse_pause,
}
_FROM_SERVER: dict[str, Callable[[Members], ServerMessage]] = {
    "pong": _parse_pong,
    "seat": _parse_seat,
    "text_refused": _parse_text_refused,
    "stream": _parse_stream,
    "statistics": _parse_statistics,
}
_KINDS: dict[type[ViewerMessage | ServerMessage], str] = {
    Ping: "ping",
    Pong: "pong",
    Keyframe: "keyframe",
    Report: "report",
    Pause: "pause",
    Seat: "seat",
    TextRefused: "text_refused",
    Stream: "stream",
    Statistics: "statistics",
}
