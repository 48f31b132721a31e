import av
import pytest

from streamer.codecs import vp8
from streamer.codecs.base import SdpFormat
from streamer.errors import LocalProtocolError, RemoteProtocolError
from streamer.media.frame import Resolution
from tests.fakes.noise import NOISE_SIZE, encoded_noise

_FRAME = bytes((0x31, 2, 3, 4, 5, 6, 7))


def test_vp8_offers_one_format_without_parameters():
    assert vp8.sdp_formats(Resolution(1920, 1080), 60) == (SdpFormat("video/VP8", 90_000),)
    assert (vp8.NAME, vp8.MIME_TYPE) == ("vp8", "video/VP8")


def test_vp8_payloads_have_the_shortest_descriptor_and_about_equal_size():
    assert vp8.packetize(_FRAME, 5) == (b"\x10" + _FRAME[:4], b"\x00" + _FRAME[4:])


@pytest.mark.parametrize(("max_payload_bytes", "count"), [(8, 1), (7, 2), (4, 3), (2, 7)])
def test_vp8_payloads_fit_their_limit(max_payload_bytes, count):
    payloads = vp8.packetize(_FRAME, max_payload_bytes)

    assert len(payloads) == count
    assert max(map(len, payloads)) <= max_payload_bytes
    assert vp8.depacketize(payloads) == _FRAME


def test_vp8_survives_the_way_from_an_encoder_to_a_decoder():
    frames = encoded_noise("libvpx", 3, {"deadline": "realtime", "lag-in-frames": "0"})
    decoder = av.CodecContext.create("vp8", "r")

    decoded = []
    for frame in frames:
        payloads = vp8.packetize(vp8.conform(frame), 1200)
        decoded += decoder.decode(av.Packet(vp8.depacketize(payloads)))

    assert [vp8.is_keyframe(frame) for frame in frames] == [True, False, False]
    assert [(picture.width, picture.height) for picture in decoded] == [(NOISE_SIZE.width_px, NOISE_SIZE.height_px)] * 3
    assert max(map(len, frames)) > 1200


@pytest.mark.parametrize("work", [vp8.is_keyframe, lambda data: vp8.packetize(data, 1200)])
def test_vp8_refuses_a_frame_without_a_tag(work):
    with pytest.raises(LocalProtocolError, match="a VP8 frame of 2 bytes has no frame tag"):
        work(b"\x10\x02")


@pytest.mark.parametrize(
    "payloads",
    [
        (),
        (b"",),
        (b"\x10",),
        (b"\x90\x00",),
        (b"\x11\x00",),
        (b"\x00\x00",),
        (b"\x10\x00", b"\x10\x00"),
        (b"\x10\x00", b"\x00"),
    ],
    ids=["none", "empty", "no content", "extension", "partition 1", "no start", "two starts", "no content at the end"],
)
def test_vp8_refuses_payloads_that_are_not_one_frame(payloads):
    with pytest.raises(RemoteProtocolError):
        vp8.depacketize(payloads)
