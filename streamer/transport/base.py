"""What a peer promises to the session above it, in values of our own: no name of aiortc is in this file.

The server is the offerer. A peer lives once: a reconnection is a new peer.
"""

from dataclasses import dataclass, field
from typing import Protocol

from streamer.congestion.decision import Decision, RateLimits
from streamer.congestion.ladder import Prefer
from streamer.media.frame import Resolution, Subscriber

# The data channels of a peer, opened by the server before the offer (streamer/protocol/README.md).
CONTROL = "control"
MOTION = "motion"
KEYS = "keys"


@dataclass(frozen=True, slots=True)
class IceServer:
    """A STUN or TURN server, for us and for the viewer."""

    urls: tuple[str, ...]
    username: str | None = None
    credential: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class IceSettings:
    """How addresses are found. With `is_loopback_only`, datagrams from other machines are dropped before parsing."""

    servers: tuple[IceServer, ...] = ()
    gather_timeout_ms: int = 250
    is_loopback_only: bool = False


@dataclass(frozen=True, slots=True)
class PeerSettings:
    """What a peer offers: codecs in order of preference, the largest picture, and the limits of its rate.

    Without `is_adaptive` the video runs at its start target, whatever the network does.
    """

    codecs: tuple[str, ...]
    largest: Resolution
    fps: float
    rate_limits: RateLimits
    is_adaptive: bool = True
    prefer: Prefer = Prefer.FPS
    ice: IceSettings = IceSettings()


@dataclass(frozen=True, slots=True)
class PeerStatistics:
    """Totals since the peer was made, the newest round-trip time, and what the rate controller has decided last."""

    packets_sent: int = 0
    bytes_sent: int = 0
    packets_retransmitted: int = 0
    frames: int = 0
    keyframes: int = 0
    packets_lost: int = 0
    rtt_us: int | None = None
    backlog_us: int = 0
    decision: Decision | None = None


class PeerObserver(Protocol):
    """Who is told what happens to a peer. Called on the event loop."""

    def connected(self, codec: str) -> None:
        """Note that media can flow, with the codec that the viewer's answer chose."""

    def channel_opened(self, label: str) -> None: ...

    def channel_closed(self, label: str) -> None: ...

    def received(self, label: str, message: str | bytes) -> None:
        """Take one message of a data channel."""

    def keyframe_wanted(self) -> None:
        """Note that the video's wish has come to ask for a keyframe: a rendition that waits should look now."""

    def failed(self, code: str, reason: str) -> None:
        """Note that the peer is of no use any more. Told at most once, and not after `close`."""


class Peer(Protocol):
    """One connection to one viewer. Used on the event loop only, but for `video.wish()`."""

    @property
    def video(self) -> Subscriber:
        """The viewer's video. Frames offered before `connected` are ignored."""

    @property
    def codec(self) -> str | None: ...

    async def offer(self) -> str:
        """Gather candidates, at most as long as the settings say, and return the SDP offer. Once per peer.

        Raises:
            TransportError: no address can be used; the message says what to do.
        """

    async def answer(self, sdp: str) -> None:
        """Apply the viewer's answer.

        Raises:
            RemoteProtocolError: it cannot be parsed, does not match the offer, or accepts no codec.
        """

    async def add_candidate(self, candidate: str, sdp_mid: str | None, sdp_mline_index: int | None) -> None:
        """Add one of the viewer's candidates; those with host names other than `.local` are ignored.

        Raises:
            RemoteProtocolError: it cannot be parsed, or there are too many.
        """

    async def end_of_candidates(self) -> None: ...

    def request_keyframe(self) -> None:
        """Ask for a keyframe as if the viewer had sent a PLI: coalesced and rate-limited with those."""

    def describe(self, resolution: Resolution) -> None:
        """Tell how large the pictures of the source are, which `video.wish()` may want smaller."""

    def decodes(self, decode_ms: float | None, wait_ms: float | None, frames_dropped: int) -> None:
        """Tell how long the viewer needs to decode a frame, how long a frame waits for that, None where there was none.

        `frames_dropped` is how many it has given up since the peer was made.
        """

    def send(self, label: str, message: str | bytes) -> bool:
        """Send on a data channel; return False when it is not open or too much waits in it already."""

    def statistics(self) -> PeerStatistics: ...

    async def close(self) -> None:
        """Tell the viewer and give up sockets and tasks. Harmless when called twice."""
