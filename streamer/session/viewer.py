"""One person in the session, who outlives the peers that carry the connection.

A viewer answers control messages and says what it takes. What that means for others (the seat, the renditions) is the
session's business: it is told through `ViewerOwner`.
"""

import logging
from dataclasses import replace
from typing import Protocol

from streamer.alarm import Timer
from streamer.clock import Clock
from streamer.errors import RemoteProtocolError
from streamer.media.frame import EncodedFrame, Resolution, Wish
from streamer.protocol import control
from streamer.protocol.allowance import Allowance, TooManyMessages
from streamer.protocol.signaling import ByeCode, Offer
from streamer.session.lifecycle import VIEWER, Lifecycle, ViewerState, ViewerTrigger
from streamer.session.link import Link
from streamer.session.report import StreamReport
from streamer.transport.base import CONTROL, KEYS, MOTION, Peer, PeerObserver

logger = logging.getLogger(__name__)

# What may come on each channel: messages per second, and at once after the path has stalled. Who says more is closed. A
# page says two things a second on `control`, and a few more while its picture stalls or its clock is being mapped. Each
# kind of motion comes 250 times a second, and a long paste is many messages at once.
_LIMITS = {CONTROL: (20, 100), KEYS: (1_000, 4_000), MOTION: (1_000, 4_000)}
# Who looks at another tab for a moment loses nothing, and who does so without end opens no encoder each time.
HIDDEN_US = 1_000_000
# A page asks for a keyframe when its picture has stalled; the log shall not be as long as a bad connection lasts.
_LOGGED_PER_S, _LOGGED_AT_ONCE = 1, 5


class ViewerOwner(Protocol):
    """The session, as its viewers see it."""

    def make_peer(self, observer: PeerObserver) -> Peer: ...

    def say(self, viewer: "Viewer", offer: Offer) -> None: ...

    def takes_video(self, viewer: "Viewer") -> None:
        """Note that the viewer can and wants to receive video."""

    def takes_nothing(self, viewer: "Viewer") -> None:
        """Note that the viewer is hidden: it needs no video for a while."""

    def control_opened(self, viewer: "Viewer") -> None: ...

    def input_opened(self, viewer: "Viewer") -> None: ...

    def input_received(self, viewer: "Viewer", data: bytes) -> None:
        """Take one input message.

        Raises:
            RemoteProtocolError: it is malformed or not allowed.
        """

    def keyframe_wanted(self, viewer: "Viewer") -> None: ...

    def failed(self, viewer: "Viewer", code: ByeCode, reason: str) -> None:
        """Note that the viewer's peer is of no use any more."""


class Viewer:
    """A viewer with one living link: the subscriber that the hub sees. Event loop only, but for `wish`."""

    def __init__(self, name: str, owner: ViewerOwner, clock: Clock) -> None:
        self.name = name
        self._owner = owner
        self._clock = clock
        self._lifecycle = Lifecycle(VIEWER, ViewerState.CONNECTING)
        self._allowances = {label: Allowance(*limit, clock.now_us()) for label, limit in _LIMITS.items()}
        self._log_allowance = Allowance(_LOGGED_PER_S, _LOGGED_AT_ONCE, clock.now_us())
        self._hiding: Timer | None = None
        self.codec: str | None = None
        self.link = Link(owner.make_peer, 1, self)
        self._begin_report()

    @property
    def state(self) -> ViewerState:
        return self._lifecycle.state

    def come_back(self) -> Link:
        """Begin again with a new link and return the old one, for its owner to close."""
        before, link = self.link, Link(self._owner.make_peer, self.link.generation + 1, self)
        self._stop_hiding()
        self._lifecycle.fire(ViewerTrigger.RETURN)
        self.link, self.codec = link, None
        return before

    def lose(self) -> None:
        """Note that the viewer is away and may come back. Harmless when it is away already."""
        self._stop_hiding()
        if self._lifecycle.allows(ViewerTrigger.LOST):
            self._lifecycle.fire(ViewerTrigger.LOST)

    def leave(self) -> None:
        """Note that the viewer has gone for good."""
        self._stop_hiding()
        self._lifecycle.fire(ViewerTrigger.LEAVE)

    def offer(self, frame: EncodedFrame) -> None:
        # Up to here the viewers of a rendition have the frame in common; to each it leaves at a time of its own.
        frame = replace(frame, trace=frame.trace.branch())
        self._report.offered(frame)
        self.link.peer.video.offer(frame)

    def wish(self) -> Wish:
        return self.link.peer.video.wish()

    def describe(self, resolution: Resolution) -> None:
        """Tell the rate control how large the source's pictures are."""
        self.link.peer.describe(resolution)

    def tell(self, message: control.ServerMessage) -> None:
        """Send a control message; one that cannot be sent now is of no use later and is dropped."""
        self.link.peer.send(CONTROL, control.serialize(message))

    def report(self) -> None:
        """Tell the viewer about the last second of its stream."""
        if self.state is ViewerState.WATCHING:
            totals, target_bps = self.link.peer.statistics(), self.wish().target_bps
            self.tell(self._report.close(totals, target_bps, self._clock.now_us()))

    # What the link tells.

    def say(self, offer: Offer) -> None:
        self._owner.say(self, offer)

    def answered(self, codec: str) -> None:
        # While the peer connects, capture and encoder open: the first keyframe is ready when it can be sent.
        self.codec = codec
        self._owner.takes_video(self)

    def connected(self) -> None:
        self._lifecycle.fire(ViewerTrigger.CONNECTED)
        self._begin_report()

    def channel_opened(self, label: str) -> None:
        if label == CONTROL:
            self._owner.control_opened(self)
        elif label == KEYS:
            self._owner.input_opened(self)

    def keyframe_wanted(self) -> None:
        self._owner.keyframe_wanted(self)

    def failed(self, code: ByeCode, reason: str) -> None:
        self._owner.failed(self, code, reason)

    def received(self, label: str, message: str | bytes) -> None:
        if not self._allowances[label].take(self._clock.now_us()):
            raise TooManyMessages(f"more than {_LIMITS[label][0]} messages a second on the channel {label!r}")
        if label != CONTROL:
            if isinstance(message, str):
                raise RemoteProtocolError(f"text came on the channel {label!r}, which carries bytes")
            self._owner.input_received(self, message)
        elif isinstance(message, bytes):
            raise RemoteProtocolError(f"bytes came on the channel {label!r}, which carries text")
        else:
            self._take_control(control.parse_from_viewer(message))

    def _take_control(self, message: control.ViewerMessage) -> None:
        match message:
            case control.Ping():
                self.tell(control.Pong(id=message.id, server_us=self._clock.now_us()))
            case control.Keyframe():
                if self._log_allowance.take(self._clock.now_us()):
                    logger.info("viewer %s asks for a keyframe and says %.100r", self.name, message.reason)
                self.link.peer.request_keyframe()
            case control.Pause():
                self._pause(is_paused=message.is_paused)
            case control.Report():
                logger.debug("viewer %s reports %s", self.name, message)
                self.link.peer.decodes(message.decode_ms, message.jitter_buffer_ms, message.frames_dropped)

    def _pause(self, *, is_paused: bool) -> None:
        if not is_paused:
            self._show()
        elif self._hiding is None and self._lifecycle.allows(ViewerTrigger.PAUSE):
            self._hiding = self._clock.call_at_us(self._clock.now_us() + HIDDEN_US, self._hide)

    def _hide(self) -> None:
        self._hiding = None
        self._lifecycle.fire(ViewerTrigger.PAUSE)
        self._owner.takes_nothing(self)

    def _show(self) -> None:
        self._stop_hiding()
        if self._lifecycle.allows(ViewerTrigger.CONTINUE):
            self._lifecycle.fire(ViewerTrigger.CONTINUE)
            self._begin_report()
            self._owner.takes_video(self)

    def _stop_hiding(self) -> None:
        if self._hiding is not None:
            self._hiding.cancel()
            self._hiding = None

    def _begin_report(self) -> None:
        self._report = StreamReport(self.link.peer.statistics(), self._clock.now_us())
