"""The other end of a peer: a stock aiortc connection with its own decoder, and what a test needs to see of it."""

import asyncio
import random
from collections.abc import Callable, Iterator
from fractions import Fraction

import av
import numpy as np
import pytest
from aiortc import RTCConfiguration, RTCDataChannel, RTCPeerConnection, RTCSessionDescription

from streamer import registry
from streamer.clock import SystemClock
from streamer.congestion.decision import RateLimits
from streamer.congestion.replay import Note
from streamer.media.frame import EncodedFrame, Resolution
from streamer.rtp import packet, rtx
from streamer.rtp.extensions import parse_extensions
from streamer.transport.base import IceSettings, PeerSettings
from streamer.transport.peer import RtcPeer

SIZE = Resolution(320, 240)
WAIT_S = 20.0
_ENCODERS = {"h264": "libx264", "vp8": "libvpx"}


async def until(claim: Callable[[], bool], otherwise: str = "it did not come true in time") -> None:
    """Wait until `claim` holds; fail after a bounded time and say what it is `otherwise`."""
    try:
        async with asyncio.timeout(WAIT_S):
            while not claim():  # noqa: ASYNC110 - libraries and kernels have no event to wait for
                await asyncio.sleep(0.005)
    except TimeoutError:
        pytest.fail(otherwise)


class Observer:
    """Remembers what a peer told."""

    def __init__(self) -> None:
        self.codecs: list[str] = []
        self.opened: list[str] = []
        self.closed: list[str] = []
        self.messages: list[tuple[str, str | bytes]] = []
        self.failures: list[tuple[str, str]] = []
        self.keyframes_wanted = 0

    def connected(self, codec: str) -> None:
        self.codecs.append(codec)

    def channel_opened(self, label: str) -> None:
        self.opened.append(label)

    def channel_closed(self, label: str) -> None:
        self.closed.append(label)

    def received(self, label: str, message: str | bytes) -> None:
        self.messages.append((label, message))

    def keyframe_wanted(self) -> None:
        self.keyframes_wanted += 1

    def failed(self, code: str, reason: str) -> None:
        self.failures.append((code, reason))


def peer_settings(codecs: tuple[str, ...] = ("h264", "vp8"), ice: IceSettings | None = None) -> PeerSettings:
    return PeerSettings(
        codecs=codecs,
        largest=Resolution(1280, 720),
        fps=60.0,
        rate_limits=RateLimits(min_bps=300_000, start_bps=9_000_000, max_bps=20_000_000),
        # Nothing below sends arrival reports, as browsers do.
        is_adaptive=False,
        ice=ice or IceSettings(),
    )


def make_peer(observer: Observer, settings: PeerSettings | None = None, note: Note | None = None) -> RtcPeer:
    return RtcPeer(settings or peer_settings(), observer, SystemClock(), random.Random(7), note)


class Viewer:
    """A browser's part, played by stock aiortc."""

    def __init__(self) -> None:
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.packets: list[packet.RtpPacket] = []
        self.datagrams_dropped = 0
        self.messages: list[tuple[str, str | bytes]] = []
        self.channels: dict[str, RTCDataChannel] = {}
        self.pictures: list[tuple[int, int]] = []
        self.newest: av.VideoFrame | None = None
        self.should_drop: Callable[[bytes], bool] = lambda _: False
        self._is_hooked = False
        self._watching: asyncio.Task[None] | None = None
        self.connection.on("datachannel", self._channel)
        self.connection.on("track", self._track)

    @property
    def dtls(self):
        return self.connection.getTransceivers()[0].receiver.transport

    async def answer(self, offer: str) -> str:
        await self.connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        if not self._is_hooked:
            self._is_hooked = True
            self._hook()
        await self.connection.setLocalDescription()
        return with_extensions(self.connection.localDescription.sdp, offer)

    async def send_rtcp(self, compound: bytes) -> None:
        await self.dtls._send_rtp(compound)

    def streams(self, payload_type: int) -> list[packet.RtpPacket]:
        return [p for p in self.packets if p.payload_type == payload_type]

    async def close(self) -> None:
        await self.connection.close()
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    def _hook(self) -> None:
        handle = self.dtls._handle_rtp_data

        async def record(data: bytes, arrival_time_ms: int) -> None:
            self.packets.append(packet.parse(data))
            await handle(data, arrival_time_ms=arrival_time_ms)

        self.dtls._handle_rtp_data = record
        connection = self.dtls.transport._connection
        deliver = connection.data_received

        def filtered(data: bytes, component: int) -> None:
            if self.should_drop(data):
                self.datagrams_dropped += 1
            else:
                deliver(data, component)

        connection.data_received = filtered

    def _channel(self, channel: RTCDataChannel) -> None:
        self.channels[channel.label] = channel
        channel.on("message", lambda message: self.messages.append((channel.label, message)))

    def _track(self, track) -> None:
        self._watching = asyncio.ensure_future(self._watch(track))

    async def _watch(self, track) -> None:
        while True:
            frame = await track.recv()
            self.pictures.append((frame.width, frame.height))
            self.newest = frame


def with_extensions(answer: str, offer: str) -> str:
    """Return the answer with every header extension of the offer accepted, as Chromium can."""
    wanted = [line for line in offer.splitlines() if line.startswith("a=extmap:")]
    lines: list[str] = []
    for line in answer.splitlines():
        if line.startswith("a=extmap:"):
            continue
        lines.append(line)
        if line.startswith("m=video"):
            lines += wanted
    return "\r\n".join(lines) + "\r\n"


async def join(peer: RtcPeer, viewer: Viewer) -> None:
    """Connect the two; returns when media can flow and the channels are open at both ends."""
    offer = await peer.offer()
    await peer.answer(await viewer.answer(offer))
    observer = peer._observer
    await until(lambda: bool(observer.codecs or observer.failures), "neither connected nor failed")
    await until(lambda: len(observer.opened) == 3 and len(viewer.channels) == 3, "the channels did not open")


def is_media(data: bytes) -> bool:
    """Whether a datagram is SRTP and no SRTCP. RFC 5761, section 4."""
    return 127 < data[0] < 192 and not 64 <= data[1] & 0x7F < 96


def extension_values(received: packet.RtpPacket) -> dict[int, bytes]:
    return parse_extensions(received.extension)


def repaired_sequences(viewer: Viewer, rtx_payload_type: int) -> set[int]:
    return {rtx.split_payload(p.payload)[0] for p in viewer.streams(rtx_payload_type)}


class Clip:
    """Encodes noise, so that every frame has several packets."""

    def __init__(self, codec: str = "h264", bit_rate: int = 3_000_000) -> None:
        self.codec = codec
        self._module = registry.load("codecs", codec)
        self._encoder = av.CodecContext.create(_ENCODERS[codec], "w")
        self._encoder.width, self._encoder.height = SIZE.width_px, SIZE.height_px
        self._encoder.pix_fmt = "yuv420p"
        self._encoder.time_base = Fraction(1, 60)
        self._encoder.framerate = Fraction(60)
        self._encoder.bit_rate = bit_rate
        # With more, libvpx can wait for a thread for ever on a busy machine.
        self._encoder.thread_count = 1
        self._encoder.options = (
            {
                "preset": "ultrafast",
                "tune": "zerolatency",
                "profile": "baseline",
                "keyint": "9999",
                "repeat-headers": "1",
            }
            if codec == "h264"
            else {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "kf-max-dist": "9999"}
        )
        self._noise = np.random.default_rng(1)
        self._count = 0

    def frame(self, capture_us: int, *, keyframe: bool = False) -> EncodedFrame:
        picture = av.VideoFrame.from_ndarray(self._noise.integers(0, 256, (360, 320), dtype=np.uint8), format="yuv420p")
        picture.pts = self._count
        if keyframe:
            picture.pict_type = av.video.frame.PictureType.I
        data = self._module.conform(b"".join(bytes(p) for p in self._encoder.encode(picture)))
        self._count += 1
        return EncodedFrame(
            codec=self.codec,
            data=data,
            is_keyframe=self._module.is_keyframe(data),
            capture_us=capture_us,
            resolution=SIZE,
            number=self._count,
            payloads=self._module.packetize(data, 1200),
        )

    def frames(self, count: int) -> Iterator[EncodedFrame]:
        clock = SystemClock()
        for _ in range(count):
            yield self.frame(clock.now_us())


async def play(peer: RtcPeer, clip: Clip, count: int) -> list[EncodedFrame]:
    """Offer frames as a rendition does: with a keyframe when one is wished for, and no faster than they leave."""
    sent = []
    for _ in range(count):
        frame = clip.frame(SystemClock().now_us(), keyframe=peer.video.wish().keyframe)
        peer.video.offer(frame)
        sent.append(frame)
        await until(lambda: peer.statistics().backlog_us == 0, "the pacer did not run dry")
    return sent
