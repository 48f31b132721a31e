"""Signaling: how a viewer comes in, and how a peer is agreed upon. JSON text to values and back.

Owns the messages of README.md, section Signaling. Knows nothing of the carrier, nor of who may say what when.

Rules of this file: one frozen value per message, its fields named as on the wire; secrets do not appear in `repr`.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

from streamer.errors import LocalProtocolError, RemoteProtocolError
from streamer.protocol.members import Members, parse_message, serialize_message

VERSION = 1

MAX_MESSAGE_BYTES = 64 * 1024
# Below the message limit by enough for JSON's escapes of the line ends of a session description.
MAX_SDP_BYTES = 60 * 1024
MAX_CANDIDATE_BYTES = 2 * 1024
MAX_TOKEN_BYTES = 4 * 1024
MAX_REASON_BYTES = 1024
_MAX_NAME_BYTES = 256
_MAX_URL_BYTES = 2 * 1024
_MAX_ICE_SERVERS = 16
_MAX_URLS = 16
# RTCIceCandidateInit.sdpMLineIndex is an unsigned short.
_MAX_MLINE_INDEX = 65535


class ByeCode(StrEnum):
    """Why a conversation ends, for programs."""

    LEFT = "left"
    REPLACED = "replaced"
    UNAUTHORIZED = "unauthorized"
    PROTOCOL_ERROR = "protocol_error"
    RATE_LIMITED = "rate_limited"
    NO_COMMON_CODEC = "no_common_codec"
    SESSION_FULL = "session_full"
    SESSION_ENDED = "session_ended"
    SERVER_STOPPING = "server_stopping"
    PEER_FAILED = "peer_failed"


@dataclass(frozen=True, slots=True)
class Hello:
    """The viewer's first message. `resume` is the secret of an earlier `Welcome`."""

    version: int = VERSION
    token: str | None = field(default=None, repr=False)
    resume: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class IceServerEntry:
    """A STUN or TURN server as RTCConfiguration wants it."""

    urls: tuple[str, ...]
    username: str | None = None
    credential: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Limits:
    """What the viewer may send on the signaling connection."""

    message_bytes: int
    messages_per_s: int


@dataclass(frozen=True, slots=True)
class Welcome:
    """The viewer is in."""

    viewer: str
    resume: str = field(repr=False)
    ice_servers: tuple[IceServerEntry, ...]
    limits: Limits
    version: int = VERSION


@dataclass(frozen=True, slots=True)
class Offer:
    """The server offers the peer number `generation`."""

    generation: int
    sdp: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The viewer accepts the offer of that generation."""

    generation: int
    sdp: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """One of the viewer's addresses."""

    generation: int
    candidate: str
    sdp_mid: str | None = None
    sdp_mline_index: int | None = None


@dataclass(frozen=True, slots=True)
class EndOfCandidates:
    """The viewer has no more addresses for that generation."""

    generation: int


@dataclass(frozen=True, slots=True)
class Bye:
    """The last message. `retry` says whether coming back can help."""

    reason: str
    code: ByeCode
    retry: bool


ViewerMessage: TypeAlias = Hello | Answer | Candidate | EndOfCandidates | Bye
ServerMessage: TypeAlias = Welcome | Offer | Bye


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
    """Return the JSON text of a message. The reason of a `Bye` is cut to its limit, so that it can always be said.

    Raises:
        LocalProtocolError: a field has a type or value that the protocol does not allow.
    """
    kind = _KINDS[type(message)]
    text = serialize_message(kind, _values(message), MAX_MESSAGE_BYTES)
    try:
        parse_message(text, MAX_MESSAGE_BYTES, {**_FROM_VIEWER, **_FROM_SERVER})
    except RemoteProtocolError as exc:
        raise LocalProtocolError(f"{message!r} cannot be sent: {exc}") from exc
    return text


def _values(message: ViewerMessage | ServerMessage) -> dict[str, Any]:
    if isinstance(message, Bye):
        reason = message.reason.encode(errors="replace")[:MAX_REASON_BYTES].decode(errors="ignore")
        return {"reason": reason, "code": message.code, "retry": message.retry}
    values = asdict(message)
    if isinstance(message, Hello):
        return _without_none(values)
    if isinstance(message, Welcome):
        values["ice_servers"] = [_without_none(entry) for entry in values["ice_servers"]]
    return values


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _parse_version(members: Members) -> int:
    version = members.integer("version")
    if version != VERSION:
        raise RemoteProtocolError(f"version {version} is not {VERSION}")
    return version


def _parse_hello(members: Members) -> Hello:
    return Hello(
        _parse_version(members),
        members.optional_text("token", MAX_TOKEN_BYTES),
        members.optional_text("resume", MAX_TOKEN_BYTES),
    )


def _parse_welcome(members: Members) -> Welcome:
    limits = members.object("limits")
    return Welcome(
        version=_parse_version(members),
        viewer=members.text("viewer", _MAX_NAME_BYTES),
        resume=members.text("resume", MAX_TOKEN_BYTES),
        ice_servers=tuple(map(_parse_ice_server, members.objects("ice_servers", _MAX_ICE_SERVERS))),
        limits=Limits(limits.integer("message_bytes"), limits.integer("messages_per_s")),
    )


def _parse_ice_server(members: Members) -> IceServerEntry:
    return IceServerEntry(
        members.texts("urls", _MAX_URLS, _MAX_URL_BYTES),
        members.optional_text("username", MAX_TOKEN_BYTES),
        members.optional_text("credential", MAX_TOKEN_BYTES),
    )


def _parse_offer(members: Members) -> Offer:
    return Offer(members.integer("generation"), members.text("sdp", MAX_SDP_BYTES))


def _parse_answer(members: Members) -> Answer:
    return Answer(members.integer("generation"), members.text("sdp", MAX_SDP_BYTES))


def _parse_candidate(members: Members) -> Candidate:
    return Candidate(
        members.integer("generation"),
        members.text("candidate", MAX_CANDIDATE_BYTES),
        members.optional_text("sdp_mid", _MAX_NAME_BYTES),
        members.optional_integer("sdp_mline_index", highest=_MAX_MLINE_INDEX),
    )


def _parse_end_of_candidates(members: Members) -> EndOfCandidates:
    return EndOfCandidates(members.integer("generation"))


def _parse_bye(members: Members) -> Bye:
    reason = members.text("reason", MAX_REASON_BYTES)
    try:
        code = ByeCode(members.text("code", _MAX_NAME_BYTES))
    except ValueError as exc:
        raise RemoteProtocolError(f"bye: {exc}") from exc
    return Bye(reason, code, members.boolean("retry"))


_FROM_VIEWER: dict[str, Callable[[Members], ViewerMessage]] = {
    "hello": _parse_hello,
    "answer": _parse_answer,
    "candidate": _parse_candidate,
    "end_of_candidates": _parse_end_of_candidates,
    "bye": _parse_bye,
}
_FROM_SERVER: dict[str, Callable[[Members], ServerMessage]] = {
    "welcome": _parse_welcome,
    "offer": _parse_offer,
    "bye": _parse_bye,
}
_KINDS: dict[type[ViewerMessage | ServerMessage], str] = {
    Hello: "hello",
    Welcome: "welcome",
    Offer: "offer",
    Answer: "answer",
    Candidate: "candidate",
    EndOfCandidates: "end_of_candidates",
    Bye: "bye",
}
