"""Whatever a viewer sends as an answer or a candidate, it is one that the library takes, or RemoteProtocolError."""

import socket

from aioice import Candidate
from aiortc.rtcicetransport import candidate_to_aioice
from aiortc.sdp import SessionDescription
from hypothesis import example, given
from hypothesis import strategies as st

from streamer.codecs.base import SdpFormat
from streamer.errors import RemoteProtocolError
from streamer.rtp.extensions import VIDEO_EXTENSIONS
from streamer.transport.ice import is_mdns, parse_candidate
from streamer.transport.sdp import MAX_SDP_BYTES, OfferedFormat, read_answer
from tests.fakes.mutations import changed_text

# An error is a line of a log: no viewer decides how long that is. A quoted value has 80 characters.
_MAX_REASON_CHARACTERS = 500

_FORMATS = (
    OfferedFormat("h264", SdpFormat("video/H264", 90_000, (("packetization-mode", "1"),)), 96),
    OfferedFormat("vp8", SdpFormat("video/VP8", 90_000), 98),
)
_MIDS = ("0", "1")
_FINGERPRINT = "a=fingerprint:sha-256 " + ":".join(["AB"] * 32)
_TRANSPORT = ("a=ice-ufrag:abcd", "a=ice-pwd:0123456789012345678901", _FINGERPRINT, "a=setup:active")
_ANSWER = (
    *("v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0 1"),
    *("m=video 9 UDP/TLS/RTP/SAVPF 96 97 98 99", "c=IN IP4 0.0.0.0", *_TRANSPORT, "a=mid:0", "a=recvonly"),
    *("a=rtcp-mux", "a=rtpmap:96 H264/90000", "a=rtpmap:97 rtx/90000", "a=fmtp:97 apt=96", "a=rtpmap:98 VP8/90000"),
    *("a=rtpmap:99 rtx/90000", f"a=extmap:1 {VIDEO_EXTENSIONS[0]}", "a=candidate:1 1 udp 1 192.0.2.1 4 typ host"),
    *("m=application 9 UDP/DTLS/SCTP webrtc-datachannel", *_TRANSPORT, "a=mid:1", "a=sctp-port:5000"),
    *("a=max-message-size:65536", "a=end-of-candidates"),
)

_TEXTS = st.text(max_size=12) | st.text(st.characters(categories=["Cs"]), max_size=2)
_NUMBERS = st.integers(-1, 1 << 33).map(str) | st.sampled_from(["", "٣", "²", "1_0", "+9", "0x9", "1" * 5_000])
_NAMES = st.sampled_from(
    [
        *("group", "mid", "rtpmap", "fmtp", "extmap", "rtcp-mux", "recvonly", "sendrecv", "candidate", "ice-ufrag"),
        *("ice-pwd", "ice-lite", "fingerprint", "setup", "sctp-port", "max-message-size", "end-of-candidates", "x"),
    ]
)
_VALUES = st.lists(_TEXTS | _NUMBERS | st.sampled_from(["BUNDLE", "0", "96", "H264/90000", "rtx/"]), max_size=4)
_ATTRIBUTES = st.builds(lambda name, values: f"a={name}:{' '.join(values)}", _NAMES, _VALUES)
_MEDIA = st.builds(
    lambda kind, port, rest: f"m={kind} {port} UDP/TLS/RTP/SAVPF {' '.join(rest)}",
    st.sampled_from(["video", "audio", "application"]) | _TEXTS,
    _NUMBERS,
    _VALUES,
)
_LINES = _ATTRIBUTES | _MEDIA | _TEXTS | st.sampled_from(_ANSWER)

_HOSTS = st.one_of(
    st.ip_addresses().map(str),
    st.builds("{}%{}".format, st.ip_addresses(v=6), st.text(min_size=1, max_size=80)),
    st.builds("{}.local".format, st.text("abc-. \n", max_size=5) | st.text(max_size=5)),
    st.sampled_from(["example.org", "127.1", "0177.0.0.1", "::ffff:192.0.2.1", "fe80::1%lo", "localhost"]),
)
_CANDIDATES = st.builds(
    lambda *parts: " ".join(parts),
    st.just("candidate:1") | _TEXTS,
    st.just("1") | _NUMBERS,
    st.sampled_from(["udp", "UDP", "tcp"]) | _TEXTS,
    st.just("1") | _NUMBERS,
    _HOSTS | _TEXTS,
    st.just("9") | _NUMBERS,
    st.just("typ") | _TEXTS,
    st.sampled_from(["host", "srflx", "relay", "prflx"]) | _TEXTS,
    st.sampled_from(["", "raddr 192.0.2.2 rport 9", "rport x", "tcptype", "generation 0"]) | _TEXTS,
)


def _check_reason(exc: RemoteProtocolError) -> None:
    assert len(str(exc)) <= _MAX_REASON_CHARACTERS


def _check_answer(sdp: str) -> None:
    try:
        answer = read_answer(sdp, _FORMATS, _MIDS)
    except RemoteProtocolError as exc:
        _check_reason(exc)
        return
    assert (answer.codec, answer.payload_type) in [(each.codec, each.payload_type) for each in _FORMATS]
    library = SessionDescription.parse(answer.library_sdp)
    assert [media.kind for media in library.media] == ["video", "application"]
    assert [media.rtp.muxId for media in library.media] == list(_MIDS)
    assert all(media.dtls is not None and media.dtls.fingerprints for media in library.media)


def _check_candidate(line: str) -> None:
    try:
        candidate = parse_candidate(line)
    except RemoteProtocolError as exc:
        _check_reason(exc)
        return
    if candidate is None:
        return
    assert 0 < candidate.port <= 65535
    ours = candidate_to_aioice(candidate)
    if not is_mdns(candidate):
        # A socket takes it without a look at names or at this machine's interfaces.
        socket.inet_pton(socket.AF_INET6 if ":" in candidate.ip else socket.AF_INET, candidate.ip)
        assert isinstance(ours.can_pair_with(Candidate("1", 1, "udp", 1, "192.0.2.9", 9, "host")), bool)


@st.composite
def _altered_answers(draw):
    """Draw an answer in which lines were changed and left out."""
    lines = list(_ANSWER)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(lines) - 1))
        lines[at : at + draw(st.integers(0, 2))] = draw(st.lists(_LINES, max_size=2))
    return "\r\n".join(lines)


_ANSWERS = st.one_of(
    st.text(),
    st.lists(_LINES, max_size=30).map("\r\n".join),
    _altered_answers(),
    changed_text(st.just("\r\n".join(_ANSWER))),
)


@given(_ANSWERS)
@example("m=video 9 X 96\n" * (MAX_SDP_BYTES // 15))
@example("a=" * (MAX_SDP_BYTES // 2))
@example("\n" * MAX_SDP_BYTES)
def test_answer_survives_any_text(sdp):
    _check_answer(sdp)


@given(st.text() | _CANDIDATES)
@example("candidate:" + "1 " * 500)
@example("candidate:1 1 udp 1 fe80::1%lo 9 typ host")
@example(f"candidate:1 1 udp 1 fe80::1%{'é' * 80} 9 typ host")
@example("candidate:1 1 udp x 192.0.2.1 9 typ " + "host" * 200)
def test_candidate_survives_any_text(line):
    _check_candidate(line)
