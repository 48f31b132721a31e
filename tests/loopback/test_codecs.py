"""Every codec from a software encoder through two real peers to a decoder: packetized, sent, put together, decoded."""

import av
import pytest

from streamer import registry
from streamer.bench.assembler import AccessUnit, FrameAssembler
from streamer.bench.receiving_peer import ReceivingPeer
from streamer.clock import SystemClock
from streamer.decoder import open_decoder
from streamer.encoders import software
from streamer.encoders.base import EncoderSettings
from streamer.media.frame import BT601_LIMITED, EncodedFrame, EncodeOrder, PixelFormat, Resolution
from tests.fakes import clips
from tests.loopback.viewer import Observer, make_peer, peer_settings, until

SIZE = Resolution(320, 240)
FRAMES = 12


def encoded(codec: str) -> list[EncodedFrame]:
    """Return frames with their payloads; the first is a keyframe, and one in the middle."""
    module = registry.load("codecs", codec)
    encoder = software.create(EncoderSettings(codec, SIZE, PixelFormat.I420, BT601_LIMITED, 60.0, 3_000_000, 8_000_000))
    frames = []
    for number, picture in enumerate(clips.textured_clip(SIZE, FRAMES, PixelFormat.I420)):
        frame = encoder.encode(picture, EncodeOrder(3_000_000, 60.0, keyframe=number == FRAMES // 2))
        data = module.conform(frame.data)
        frames.append(
            EncodedFrame(
                codec=codec,
                data=data,
                is_keyframe=frame.is_keyframe,
                capture_us=SystemClock().now_us() + number * 16_667,
                resolution=SIZE,
                number=number,
                payloads=module.packetize(data, 1200),
            )
        )
    encoder.close()
    return frames


@pytest.mark.parametrize("codec", registry.names("codecs"))
async def test_frames_of_every_codec_arrive_and_decode(codec):
    frames = encoded(codec)
    observer, clock = Observer(), SystemClock()
    peer = make_peer(observer, peer_settings((codec,)))
    assembler = FrameAssembler(registry.load("codecs", codec).depacketize)
    units: list[AccessUnit] = []

    viewer = ReceivingPeer(clock, lambda packet, _now_us: units.extend(assembler.push(packet)))
    try:
        await peer.answer(await viewer.answer(await peer.offer()))
        await until(lambda: bool(observer.codecs or observer.failures), "neither connected nor failed")
        for frame in frames:
            peer.video.offer(frame)
            await until(lambda: peer.statistics().backlog_us == 0, "the pacer did not run dry")
        await until(lambda: len(units) == FRAMES)
    finally:
        await peer.close()
        await viewer.close()

    assert (observer.codecs, viewer.codec) == ([codec], codec)
    assert [unit.data for unit in units] == [sent_as(codec, frame) for frame in frames]
    decoder = open_decoder(codec)
    pictures = [picture for unit in units for picture in decoder.decode(av.Packet(unit.data))]
    assert [(picture.width, picture.height) for picture in pictures] == [(SIZE.width_px, SIZE.height_px)] * FRAMES


def sent_as(codec: str, frame: EncodedFrame) -> bytes:
    """Return what the payloads of a frame hold: all of it, but for delimiters and start codes of another length."""
    return registry.load("codecs", codec).depacketize(frame.payloads)
