"""A peer without a network: what it is told is kept, and what a viewer would do the test does."""

from dataclasses import dataclass, field, replace

from streamer.errors import RemoteProtocolError
from streamer.media.frame import EncodedFrame, Resolution, Wish
from streamer.protocol import control
from streamer.transport.base import CONTROL, KEYS, MOTION, PeerObserver, PeerStatistics
from streamer.transport.sdp import NoCommonCodec

# What an answer says instead of the name of a codec.
MALFORMED = "malformed"
REFUSES_VIDEO = "refuses video"

WISH = Wish(target_bps=1_000_000, fps=60, max_resolution=Resolution(320, 180))


@dataclass
class FakeVideo:
    """A subscriber. Its wish is the test's; a keyframe fulfils the wish for one."""

    current: Wish = WISH
    frames: list[EncodedFrame] = field(default_factory=list)

    def offer(self, frame: EncodedFrame) -> None:
        self.frames.append(frame)
        if frame.is_keyframe:
            self.current = replace(self.current, keyframe=False)

    def wish(self) -> Wish:
        return self.current


class FakePeer:
    """A `Peer` and the viewer at its other end."""

    def __init__(self, observer: PeerObserver, codecs: tuple[str, ...] = ()) -> None:
        self.observer = observer
        self.codecs = codecs
        self.video = FakeVideo()
        self.codec: str | None = None
        self.totals = PeerStatistics()
        self.sent: list[tuple[str, str | bytes]] = []
        self.applied: list[str] = []
        self.keyframes_requested = 0
        self.described: Resolution | None = None
        self.scale_divisor = 1
        self.decoding: tuple[float | None, float | None, int] | None = None
        self.is_open = False
        self.is_closed = False

    # The viewer's part.

    def connect(self) -> None:
        assert self.codec is not None
        self.observer.connected(self.codec)
        self.is_open = True
        for label in (CONTROL, MOTION, KEYS):
            self.observer.channel_opened(label)

    def say(self, message: control.ViewerMessage) -> None:
        self.observer.received(CONTROL, control.serialize(message))

    def heard(self, kind: type) -> list:
        """Return the control messages of a kind that were sent so far."""
        messages = [control.parse_from_server(str(text)) for label, text in self.sent if label == CONTROL]
        return [message for message in messages if isinstance(message, kind)]

    def shrink(self, divisor: int) -> None:
        """Wish for pictures of a part of the source's width and height, whatever they are."""
        assert self.described is not None
        self.scale_divisor = divisor
        self.describe(self.described)

    # The session's part.

    async def offer(self) -> str:
        return f"an offer of {' '.join(self.codecs)}"

    async def answer(self, sdp: str) -> None:
        if sdp == REFUSES_VIDEO:
            raise NoCommonCodec("this browser can decode none of it")
        if sdp not in self.codecs:
            raise RemoteProtocolError("answer that nobody can read")
        self.codec = sdp
        self.applied.append(sdp)

    async def add_candidate(self, candidate: str, sdp_mid: str | None, sdp_mline_index: int | None) -> None:  # noqa: ARG002
        self.applied.append(candidate)

    async def end_of_candidates(self) -> None:
        self.applied.append("end")

    def request_keyframe(self) -> None:
        self.keyframes_requested += 1
        self.video.current = replace(self.video.current, keyframe=True)

    def describe(self, resolution: Resolution) -> None:
        self.described = resolution
        smaller = Resolution(resolution.width_px // self.scale_divisor, resolution.height_px // self.scale_divisor)
        self.video.current = replace(self.video.current, max_resolution=smaller)

    def decodes(self, decode_ms: float | None, wait_ms: float | None, frames_dropped: int) -> None:
        self.decoding = decode_ms, wait_ms, frames_dropped

    def send(self, label: str, message: str | bytes) -> bool:
        if self.is_open and not self.is_closed:
            self.sent.append((label, message))
        return self.is_open

    def statistics(self) -> PeerStatistics:
        return self.totals

    async def close(self) -> None:
        self.is_closed = True


class FakePeers:
    """Makes the peers of a session and keeps them, the newest last."""

    def __init__(self) -> None:
        self.made: list[FakePeer] = []
        self.why_not: Exception | None = None
        self.largest: Resolution | None = None

    def __call__(self, observer: PeerObserver, codecs: tuple[str, ...], largest: Resolution) -> FakePeer:
        if self.why_not is not None:
            raise self.why_not
        self.largest = largest
        self.made.append(FakePeer(observer, codecs))
        return self.made[-1]
