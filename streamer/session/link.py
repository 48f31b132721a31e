"""One peer of a viewer, from offer to close: its signaling in order, its state, and what it reports.

A link belongs to one generation; what a viewer says about an earlier one is ignored.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from streamer.errors import RemoteProtocolError, StreamerError
from streamer.protocol.allowance import TooManyMessages
from streamer.protocol.signaling import Answer, ByeCode, Candidate, EndOfCandidates, Offer
from streamer.session.lifecycle import PEER, Lifecycle, PeerState, PeerTrigger
from streamer.session.tasks import Tasks
from streamer.transport.base import Peer, PeerObserver
from streamer.transport.sdp import NoCommonCodec

logger = logging.getLogger(__name__)

# A page sends an answer, an end of candidates and at most 32 candidates; more waiting than this is a flood.
_MAX_INBOX_MESSAGES = 64

_CODES = frozenset(code.value for code in ByeCode)

ViewerMessage = Answer | Candidate | EndOfCandidates


class LinkOwner(Protocol):
    """The viewer, as its link sees it."""

    def say(self, offer: Offer) -> None: ...

    def answered(self, codec: str) -> None: ...

    def connected(self) -> None: ...

    def channel_opened(self, label: str) -> None: ...

    def received(self, label: str, message: str | bytes) -> None:
        """Take a message of a data channel.

        Raises:
            TooManyMessages: the viewer has sent more than it may.
            RemoteProtocolError: it is malformed or not allowed.
        """

    def keyframe_wanted(self) -> None: ...

    def failed(self, code: ByeCode, reason: str) -> None: ...


class Link:
    """One peer with its inbox. Event loop only."""

    def __init__(self, make_peer: Callable[[PeerObserver], Peer], generation: int, owner: LinkOwner) -> None:
        self.peer = make_peer(self)
        self.generation = generation
        self._owner = owner
        self._lifecycle = Lifecycle(PEER, PeerState.NEW)
        self._inbox: asyncio.Queue[ViewerMessage] = asyncio.Queue(_MAX_INBOX_MESSAGES)
        self._task: asyncio.Task[None] | None = None

    @property
    def state(self) -> PeerState:
        return self._lifecycle.state

    def start(self, tasks: Tasks) -> None:
        """Offer, then apply what the viewer says, in order, until stopped."""
        self._task = tasks.start(self._run(), f"signaling, generation {self.generation}")

    async def _run(self) -> None:
        try:
            sdp = await self.peer.offer()
            self._lifecycle.fire(PeerTrigger.OFFER)
            self._owner.say(Offer(generation=self.generation, sdp=sdp))
            while True:
                await self._apply(await self._inbox.get())
        except NoCommonCodec as exc:
            self._fail(ByeCode.NO_COMMON_CODEC, str(exc))
        except RemoteProtocolError as exc:
            self._fail(ByeCode.PROTOCOL_ERROR, str(exc))
        except StreamerError as exc:
            self._fail(ByeCode.PEER_FAILED, str(exc))

    def said(self, message: ViewerMessage) -> None:
        """Take a signaling message of the viewer; it is applied after those before it."""
        if message.generation != self.generation or not self._is_open:
            return
        try:
            self._inbox.put_nowait(message)
        except asyncio.QueueFull:
            self._fail(ByeCode.RATE_LIMITED, f"more than {_MAX_INBOX_MESSAGES} signaling messages wait")

    def stop(self) -> None:
        """Hear nothing more, from either side. Harmless when called twice; `close` must follow."""
        if self._is_open:
            self._lifecycle.fire(PeerTrigger.CLOSE)
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()

    async def close(self) -> None:
        """Close the peer. Harmless when called twice."""
        self.stop()
        await self.peer.close()

    @property
    def _is_open(self) -> bool:
        return self.state is not PeerState.CLOSED

    # What the peer tells (`PeerObserver`); a closed link passes nothing on.

    def connected(self, codec: str) -> None:  # noqa: ARG002 - the answer has told it already
        if self._is_open:
            self._lifecycle.fire(PeerTrigger.CONNECT)
            self._owner.connected()

    def channel_opened(self, label: str) -> None:
        if self._is_open:
            self._owner.channel_opened(label)

    def channel_closed(self, label: str) -> None:
        # A page closes none of its channels: who has lost one could watch on, but neither act nor hear.
        self._fail(ByeCode.PEER_FAILED, f"the channel {label!r} was closed")

    def keyframe_wanted(self) -> None:
        if self._is_open:
            self._owner.keyframe_wanted()

    def received(self, label: str, message: str | bytes) -> None:
        if not self._is_open:
            return
        try:
            self._owner.received(label, message)
        except TooManyMessages as exc:
            self._fail(ByeCode.RATE_LIMITED, str(exc))
        except RemoteProtocolError as exc:
            self._fail(ByeCode.PROTOCOL_ERROR, str(exc))

    def failed(self, code: str, reason: str) -> None:
        self._fail(ByeCode(code) if code in _CODES else ByeCode.PEER_FAILED, reason)

    async def _apply(self, message: ViewerMessage) -> None:
        match message:
            case Answer():
                if self.state is not PeerState.OFFERED:
                    raise RemoteProtocolError("a second answer came for one offer")
                self._lifecycle.fire(PeerTrigger.ANSWER)
                await self.peer.answer(message.sdp)
                if self.peer.codec is not None:
                    self._owner.answered(self.peer.codec)
            case Candidate():
                await self.peer.add_candidate(message.candidate, message.sdp_mid, message.sdp_mline_index)
            case EndOfCandidates():
                await self.peer.end_of_candidates()

    def _fail(self, code: ByeCode, reason: str) -> None:
        if self._is_open:
            self._lifecycle.fire(PeerTrigger.CLOSE)
            self._owner.failed(code, reason)
