"""Shape the offer that a viewer gets, and read the answer before aiortc sees it.

aiortc knows its own two codecs from lists of the whole process. Here its offer gets the codecs, feedback and header
extensions of one peer instead, and of the answer it is shown only what its ICE, DTLS and SCTP need, written by us. So
peers with different settings do not touch each other, and no foreign line reaches aiortc's parser. RFC 8829, RFC 8866.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from streamer import registry
from streamer.codecs.base import SdpFormat
from streamer.errors import RemoteProtocolError
from streamer.rtp.extensions import TRANSPORT_WIDE_CC, VIDEO_EXTENSIONS
from streamer.transport.base import PeerSettings

MAX_SDP_BYTES = 60 * 1024
# What one data channel message may have; protocol/README.md gives 16 KiB to the longest.
MAX_MESSAGE_BYTES = 16 * 1024

_FEEDBACK = ("nack", "nack pli", "ccm fir", "goog-remb", "transport-cc")
_FIRST_PAYLOAD_TYPE = 96
_LAST_PAYLOAD_TYPE = 127
# Lines of aiortc's own offer that are replaced by ours.
_REPLACED = ("a=extmap:", "a=rtpmap:", "a=rtcp-fb:", "a=fmtp:", "a=max-message-size:")
# What aiortc is told was agreed; it neither encodes nor decodes for us.
_LIBRARY_CODEC = "a=rtpmap:97 VP8/90000"

_ICE_CHARACTERS = re.compile(r"[A-Za-z0-9+/]+\Z")
_UFRAG_LENGTHS = range(4, 257)
_PASSWORD_LENGTHS = range(22, 257)
_FINGERPRINT = re.compile(r"[A-Za-z0-9-]{1,16} [0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){15,63}\Z")
_MAX_FINGERPRINTS = 8
_MEDIA_LINE = re.compile(r"m=([a-z]+) ([0-9]{1,5}) ([A-Za-z/]+) ([!-~]+( [!-~]+)*)\Z")
_DEFAULT_SCTP_PORT = 5000
_DEFAULT_REMOTE_MESSAGE_BYTES = 65536
_MAX_REMOTE_MESSAGE_BYTES = (1 << 31) - 1
_MAX_PORT = 65535


class NoCommonCodec(RemoteProtocolError):  # noqa: N818 - it is a state of two machines, not a mistake
    """The viewer accepts none of the codecs that were offered."""


@dataclass(frozen=True, slots=True)
class OfferedFormat:
    """One payload format of the offer with its payload types."""

    codec: str
    format: SdpFormat
    payload_type: int

    @property
    def rtx_payload_type(self) -> int:
        return self.payload_type + 1

    @property
    def encoding(self) -> str:
        """The name and clock of `a=rtpmap`."""
        return f"{self.format.mime_type.partition('/')[2]}/{self.format.clock_rate_hz}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the viewer agreed to. `library_sdp` is the part of it that aiortc is shown, without candidates."""

    codec: str
    payload_type: int
    rtx_payload_type: int | None
    extension_ids: dict[str, int]
    # Whether arrival reports will come (transport-wide feedback).
    has_feedback: bool
    candidates: tuple[str, ...]
    ends_candidates: bool
    library_sdp: str = field(repr=False)


def offered_formats(settings: PeerSettings) -> tuple[OfferedFormat, ...]:
    """Return the formats of the settings' codecs in their order, each with a payload type and the next one for RTX."""
    formats = [
        (name, sdp_format)
        for name in settings.codecs
        for sdp_format in registry.load("codecs", name).sdp_formats(settings.largest, settings.fps)
    ]
    types = range(_FIRST_PAYLOAD_TYPE, _LAST_PAYLOAD_TYPE, 2)
    return tuple(OfferedFormat(*named, number) for named, number in zip(formats, types, strict=False))


def shape_offer(library_sdp: str, formats: Sequence[OfferedFormat]) -> str:
    """Return aiortc's offer with our codecs, feedback, header extensions and message size in it."""
    lines: list[str] = []
    for line in library_sdp.splitlines():
        if line.startswith("m=video "):
            port, profile = line.split()[1:3]
            numbers = " ".join(f"{f.payload_type} {f.rtx_payload_type}" for f in formats)
            lines.append(f"m=video {port} {profile} {numbers}")
        elif line.startswith("a=sctp-port:"):
            lines += [line, f"a=max-message-size:{MAX_MESSAGE_BYTES}"]
        elif line.startswith("a=rtcp-mux"):
            lines += [line, *_extension_lines(), *_format_lines(formats)]
        elif not line.startswith(_REPLACED):
            lines.append(line)
    return "\r\n".join(lines) + "\r\n"


def _extension_lines() -> Iterator[str]:
    for number, uri in enumerate(VIDEO_EXTENSIONS, start=1):
        yield f"a=extmap:{number} {uri}"


def _format_lines(formats: Iterable[OfferedFormat]) -> Iterator[str]:
    for offered in formats:
        number = offered.payload_type
        yield f"a=rtpmap:{number} {offered.encoding}"
        yield from (f"a=rtcp-fb:{number} {kind}" for kind in _FEEDBACK)
        if offered.format.parameters:
            yield f"a=fmtp:{number} " + ";".join(f"{key}={value}" for key, value in offered.format.parameters)
        yield f"a=rtpmap:{offered.rtx_payload_type} rtx/{offered.format.clock_rate_hz}"
        yield f"a=fmtp:{offered.rtx_payload_type} apt={number}"


@dataclass(slots=True)
class _Section:
    """One media section: its `m=` line taken apart, and its attributes by name, in order."""

    kind: str
    port: int
    numbers: list[str]
    attributes: dict[str, list[str]]

    def first(self, name: str) -> str | None:
        values = self.attributes.get(name)
        return values[0] if values else None


def read_answer(sdp: str, formats: Sequence[OfferedFormat], mids: Sequence[str]) -> Answer:
    """Read the answer to an offer of one video section and one of data channels, with these `mids`.

    Raises:
        NoCommonCodec: the video is refused.
        RemoteProtocolError: the answer is too long, malformed, or does not match the offer.
    """
    session, sections = _split(sdp)
    kinds = " ".join(section.kind for section in sections)
    if kinds != "video application":
        raise RemoteProtocolError(f"answer with media sections {kinds[:80]!r}")
    video, application = sections
    chosen = _chosen_format(video, formats)
    if application.port == 0:
        raise RemoteProtocolError("answer refuses data channels")
    if [section.first("mid") for section in sections] != list(mids):
        raise RemoteProtocolError("answer names its media sections otherwise than the offer")
    if not any(set(mids) <= set(group.split()[1:]) for group in session.get("group", []) if group.startswith("BUNDLE")):
        raise RemoteProtocolError("answer does not bundle its media sections")
    if "rtcp-mux" not in video.attributes:
        raise RemoteProtocolError("answer does not multiplex RTCP")
    return Answer(
        codec=chosen.codec,
        payload_type=chosen.payload_type,
        rtx_payload_type=_rtx_payload_type(video, chosen),
        extension_ids=(ids := _extension_ids(video)),
        has_feedback=TRANSPORT_WIDE_CC in ids and _has_feedback(video, chosen.payload_type, "transport-cc"),
        candidates=tuple(value for section in sections for value in section.attributes.get("candidate", [])),
        ends_candidates=any("end-of-candidates" in section.attributes for section in sections),
        library_sdp=_library_sdp(session, video, application, mids),
    )


def _split(sdp: str) -> tuple[dict[str, list[str]], list[_Section]]:
    if len(sdp) > MAX_SDP_BYTES or len(sdp.encode(errors="replace")) > MAX_SDP_BYTES:
        raise RemoteProtocolError(f"answer of {len(sdp)} characters, {MAX_SDP_BYTES} bytes are allowed")
    session: dict[str, list[str]] = {}
    attributes = session
    sections: list[_Section] = []
    for line in sdp.replace("\r\n", "\n").split("\n"):
        if line.startswith("m="):
            sections.append(_section(line))
            attributes = sections[-1].attributes
        elif line.startswith("a="):
            name, _, value = line[2:].partition(":")
            attributes.setdefault(name, []).append(value.strip())
    return session, sections


def _section(line: str) -> _Section:
    match = _MEDIA_LINE.match(line.rstrip())
    if match is None:
        raise RemoteProtocolError(f"media line {line[:80]!r}")
    return _Section(match[1], int(match[2]), match[4].split(), {})


def _chosen_format(video: _Section, formats: Sequence[OfferedFormat]) -> OfferedFormat:
    by_number = {str(offered.payload_type): offered for offered in formats}
    encodings = dict(value.split(maxsplit=1) for value in video.attributes.get("rtpmap", []) if " " in value)
    for number in video.numbers if video.port else ():
        offered = by_number.get(number)
        if offered is not None and encodings.get(number, "").lower() == offered.encoding.lower():
            if "recvonly" in video.attributes or "sendrecv" in video.attributes:
                return offered
            raise RemoteProtocolError("answer does not want to receive the video")
    names = ", ".join(dict.fromkeys(offered.codec for offered in formats))
    raise NoCommonCodec(f"this browser can decode none of the video codecs on offer here ({names})")


def _rtx_payload_type(video: _Section, chosen: OfferedFormat) -> int | None:
    number = str(chosen.rtx_payload_type)
    is_accepted = number in video.numbers and any(
        value.lower().startswith(f"{number} rtx/") for value in video.attributes.get("rtpmap", [])
    )
    return chosen.rtx_payload_type if is_accepted else None


def _has_feedback(video: _Section, payload_type: int, kind: str) -> bool:
    lines = ([str(payload_type), kind], ["*", kind])
    return any(value.split() in lines for value in video.attributes.get("rtcp-fb", []))


def _extension_ids(video: _Section) -> dict[str, int]:
    """Return the ids of the offer for the extensions that the answer repeats; lines in other forms are not ours."""
    offered = {uri: number for number, uri in enumerate(VIDEO_EXTENSIONS, start=1)}
    ids: dict[str, int] = {}
    for value in video.attributes.get("extmap", []):
        number, _, uri = value.partition(" ")
        if uri in offered and number.partition("/")[0] == str(offered[uri]):
            ids[uri] = offered[uri]
    return ids


def _library_sdp(session: dict[str, list[str]], video: _Section, application: _Section, mids: Sequence[str]) -> str:
    transport = _transport_lines(session, video)
    sctp_port = _number(application.first("sctp-port"), _DEFAULT_SCTP_PORT, range(1, _MAX_PORT + 1))
    message_bytes = _number(
        application.first("max-message-size"), _DEFAULT_REMOTE_MESSAGE_BYTES, range(_MAX_REMOTE_MESSAGE_BYTES + 1)
    )
    lines = ["v=0", "o=- 0 0 IN IP4 0.0.0.0", "s=-", "t=0 0", f"a=group:BUNDLE {' '.join(mids)}"]
    lines += ["m=video 9 UDP/TLS/RTP/SAVPF 97", "c=IN IP4 0.0.0.0", "a=recvonly", f"a=mid:{mids[0]}"]
    lines += ["a=rtcp-mux", _LIBRARY_CODEC, *transport]
    lines += ["m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "c=IN IP4 0.0.0.0", f"a=mid:{mids[1]}"]
    lines += [f"a=sctp-port:{sctp_port}", f"a=max-message-size:{message_bytes}", *transport]
    return "\r\n".join(lines) + "\r\n"


def _transport_lines(session: dict[str, list[str]], section: _Section) -> list[str]:
    """Return the ICE and DTLS lines of the one bundled transport. RFC 8839, section 5.4; RFC 8842, section 5."""

    def values(name: str) -> list[str]:
        return section.attributes.get(name) or session.get(name) or [""]

    ufrag, password, role = values("ice-ufrag")[0], values("ice-pwd")[0], values("setup")[0]
    fingerprints = values("fingerprint")
    if len(ufrag) not in _UFRAG_LENGTHS or not _ICE_CHARACTERS.match(ufrag):
        raise RemoteProtocolError(f"answer with ice-ufrag {ufrag[:80]!r}")
    if len(password) not in _PASSWORD_LENGTHS or not _ICE_CHARACTERS.match(password):
        raise RemoteProtocolError("answer with a malformed ice-pwd")
    if role not in ("active", "passive"):
        raise RemoteProtocolError(f"answer with setup {role[:80]!r}")
    if len(fingerprints) > _MAX_FINGERPRINTS or not all(_FINGERPRINT.match(value) for value in fingerprints):
        raise RemoteProtocolError("answer with a malformed fingerprint")
    lines = [f"a=ice-ufrag:{ufrag}", f"a=ice-pwd:{password}", f"a=setup:{role}"]
    if "ice-lite" in session:
        raise RemoteProtocolError("answer of an ice-lite implementation")
    return lines + [f"a=fingerprint:{value}" for value in fingerprints]


def _number(text: str | None, default: int, allowed: range) -> int:
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > len(str(allowed.stop)) or int(text) not in allowed:
        raise RemoteProtocolError(
            f"answer with {text[:80]!r} where a number in {allowed.start}..{allowed.stop} belongs"
        )
    return int(text)
