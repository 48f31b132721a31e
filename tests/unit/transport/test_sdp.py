import pytest

from streamer.codecs.base import SdpFormat
from streamer.errors import RemoteProtocolError
from streamer.media.frame import Resolution
from streamer.rtp.extensions import TRANSPORT_WIDE_CC, VIDEO_EXTENSIONS
from streamer.transport.base import PeerSettings
from streamer.transport.sdp import (
    MAX_MESSAGE_BYTES,
    NoCommonCodec,
    OfferedFormat,
    offered_formats,
    read_answer,
    shape_offer,
)

FORMATS = (
    OfferedFormat("h264", SdpFormat("video/H264", 90_000, (("packetization-mode", "1"),)), 96),
    OfferedFormat("vp8", SdpFormat("video/VP8", 90_000), 98),
)
TRANSPORT = [
    "a=ice-ufrag:abcd",
    "a=ice-pwd:0123456789012345678901",
    "a=fingerprint:sha-256 " + ":".join(["AB"] * 32),
    "a=setup:active",
]
VIDEO = [
    "m=video 9 UDP/TLS/RTP/SAVPF 96 97 98 99",
    "c=IN IP4 0.0.0.0",
    *TRANSPORT,
    "a=mid:0",
    "a=recvonly",
    "a=rtcp-mux",
    "a=rtpmap:96 H264/90000",
    "a=rtpmap:97 rtx/90000",
    "a=fmtp:97 apt=96",
    "a=rtpmap:98 VP8/90000",
    "a=rtpmap:99 rtx/90000",
    f"a=extmap:3 {TRANSPORT_WIDE_CC}",
]
DATA = ["m=application 9 UDP/DTLS/SCTP webrtc-datachannel", *TRANSPORT, "a=mid:1", "a=sctp-port:5000"]
SESSION = ["v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0 1"]
LIBRARY_OFFER = """v=0
m=video 40000 UDP/TLS/RTP/SAVPF 97 98
a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid
a=mid:0
a=rtcp-mux
a=rtpmap:97 VP8/90000
a=rtcp-fb:97 nack
a=fmtp:98 apt=97
m=application 40000 UDP/DTLS/SCTP webrtc-datachannel
a=sctp-port:5000
a=max-message-size:262144
""".replace("\n", "\r\n")


def sdp(*sections: list[str]) -> str:
    return "\r\n".join(line for section in sections for line in section) + "\r\n"


def read(*sections: list[str]):
    return read_answer(sdp(*sections), FORMATS, ["0", "1"])


def without(section: list[str], start: str) -> list[str]:
    return [line for line in section if not line.startswith(start)]


def test_offer_lists_the_codecs_in_their_order_each_with_rtx_and_feedback():
    lines = shape_offer(LIBRARY_OFFER, FORMATS).split("\r\n")

    assert "m=video 40000 UDP/TLS/RTP/SAVPF 96 97 98 99" in lines
    assert [line for line in lines if line.startswith("a=rtpmap:")] == [
        "a=rtpmap:96 H264/90000",
        "a=rtpmap:97 rtx/90000",
        "a=rtpmap:98 VP8/90000",
        "a=rtpmap:99 rtx/90000",
    ]
    assert [line for line in lines if line.startswith("a=fmtp:")] == [
        "a=fmtp:96 packetization-mode=1",
        "a=fmtp:97 apt=96",
        "a=fmtp:99 apt=98",
    ]
    feedback = ["nack", "nack pli", "ccm fir", "goog-remb", "transport-cc"]
    assert [line for line in lines if line.startswith("a=rtcp-fb:")] == [
        f"a=rtcp-fb:{number} {kind}" for number in (96, 98) for kind in feedback
    ]
    assert [line for line in lines if line.startswith("a=extmap:")] == [
        f"a=extmap:{number} {uri}" for number, uri in enumerate(VIDEO_EXTENSIONS, start=1)
    ]
    assert [line for line in lines if "max-message-size" in line] == [f"a=max-message-size:{MAX_MESSAGE_BYTES}"]


def test_formats_come_from_the_codecs_of_the_settings():
    settings = PeerSettings(("vp8", "h264"), Resolution(1920, 1080), 60.0, 9_000_000, 20_000_000)

    formats = offered_formats(settings)

    assert formats[0].codec == "vp8"
    assert {offered.codec for offered in formats[1:]} == {"h264"}
    assert [offered.payload_type for offered in formats] == list(range(96, 96 + 2 * len(formats), 2))


def test_answer_names_what_was_agreed():
    answer = read(SESSION, VIDEO, DATA)

    assert (answer.codec, answer.payload_type, answer.rtx_payload_type) == ("h264", 96, 97)
    assert answer.extension_ids == {TRANSPORT_WIDE_CC: 3}
    assert answer.candidates == ()
    assert not answer.ends_candidates


def test_the_first_accepted_format_of_the_answer_wins():
    video = ["m=video 9 UDP/TLS/RTP/SAVPF 127 98 96", *VIDEO[1:]]

    answer = read(SESSION, video, DATA)

    assert (answer.codec, answer.rtx_payload_type) == ("vp8", None)


def test_transport_may_stand_at_session_level():
    session = [*SESSION, *TRANSPORT]
    video = [line for line in VIDEO if line not in TRANSPORT]

    assert "a=ice-ufrag:abcd\r\n" in read(session, video, DATA).library_sdp


def test_candidates_are_taken_out_of_the_answer():
    candidate = "1 1 udp 1 192.0.2.1 4 typ host"

    answer = read(SESSION, [*VIDEO, f"a=candidate:{candidate}", "a=end-of-candidates"], DATA)

    assert answer.candidates == (candidate,)
    assert answer.ends_candidates
    assert "candidate" not in answer.library_sdp


@pytest.mark.parametrize(
    "line",
    [
        "a=extmap:12 urn:ietf:params:rtp-hdrext:encrypt http://example.org/corruption-detection",
        "a=extmap",
        "a=rtpmap:x",
        "a=fmtp:nobody",
        "a=ssrc:1",
        "b=AS:nothing",
        "a=rtcp-fb:",
        "a=\u2028",
    ],
)
def test_lines_that_mean_nothing_here_are_not_shown_to_the_library(line):
    assert line not in read(SESSION, [*VIDEO, line], DATA).library_sdp


@pytest.mark.parametrize(
    "video",
    [
        ["m=video 0 UDP/TLS/RTP/SAVPF 96", "a=mid:0", "a=inactive"],
        without(without(VIDEO, "a=rtpmap:96"), "a=rtpmap:98"),
        [line.replace("H264", "AV1").replace("VP8", "VP9") for line in VIDEO],
    ],
    ids=["refused", "unnamed", "others"],
)
def test_video_that_is_refused_is_one_sentence(video):
    with pytest.raises(
        NoCommonCodec, match=r"this browser can decode none of the video codecs on offer here \(h264, vp8\)"
    ):
        read(SESSION, video, DATA)


@pytest.mark.parametrize(
    "sections",
    [
        (SESSION, VIDEO),
        (SESSION, DATA, VIDEO),
        (SESSION, VIDEO, DATA, DATA),
        (SESSION, without(VIDEO, "a=recvonly"), DATA),
        (SESSION, without(VIDEO, "a=rtcp-mux"), DATA),
        (SESSION, without(VIDEO, "a=mid"), DATA),
        (SESSION, without(VIDEO, "a=setup"), DATA),
        (SESSION, without(VIDEO, "a=fingerprint"), DATA),
        (SESSION, [*VIDEO, *["a=fingerprint:sha-256 " + ":".join(["AB"] * 32)] * 8], DATA),
        (without(SESSION, "a=group"), VIDEO, DATA),
        ([*SESSION, "a=ice-lite"], VIDEO, DATA),
        (SESSION, VIDEO, ["m=application 0 UDP/DTLS/SCTP webrtc-datachannel", *DATA[1:]]),
        (SESSION, VIDEO, [*without(DATA, "a=sctp-port"), "a=sctp-port:0"]),
        (SESSION, VIDEO, [*without(DATA, "a=sctp-port"), "a=sctp-port:\u0663"]),
        (SESSION, VIDEO, [*DATA, "a=max-message-size:99999999999999999999"]),
        (SESSION, ["m=video nine UDP/TLS/RTP/SAVPF 96", *VIDEO[1:]], DATA),
    ],
)
def test_answer_that_does_not_fit_the_offer_is_refused(sections):
    with pytest.raises(RemoteProtocolError):
        read(*sections)


def test_answer_that_is_too_long_is_refused():
    with pytest.raises(RemoteProtocolError, match="bytes are allowed"):
        read(SESSION, VIDEO, [*DATA, "a=x:" + 30_000 * "\u00e9\u00e9"])
