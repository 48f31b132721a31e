"""One connection to one viewer over aiortc: offer, answer, candidates, channels and video as our values and events.

Owns the life of the connection and its end: after `close` no task, timer or socket of it remains. Shaping SDP, finding
addresses, sending and guarding are the other files of this folder. RFC 8829.
"""

# ruff: noqa: SLF001
# Private names of the libraries are what this file is about: guard.py lists and checks them.

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine
from typing import Any

from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.exceptions import InternalError, InvalidAccessError, InvalidStateError, OperationError

from streamer.alarm import Timer
from streamer.clock import Clock
from streamer.congestion.replay import Note
from streamer.errors import Closed, LocalProtocolError, RemoteProtocolError
from streamer.media.frame import Resolution
from streamer.protocol.allowance import Allowance
from streamer.rtp.rtcp import Malformed, parse_compound
from streamer.transport.base import PeerObserver, PeerSettings, PeerStatistics
from streamer.transport.channels import Channels
from streamer.transport.guard import check_libraries, guard_sctp, settle
from streamer.transport.ice import (
    MAX_CANDIDATE_MESSAGES,
    MAX_CANDIDATES,
    Gathering,
    is_mdns,
    parse_candidate,
    require_candidates,
    to_library_servers,
)
from streamer.transport.sdp import offered_formats, read_answer, shape_offer
from streamer.transport.sender import VideoSender

logger = logging.getLogger(__name__)

# From the offer to media: ICE has retransmitted its checks for 8 s by then, DTLS its flight three times. A viewer that
# never answers shall not hold its place.
CONNECT_TIMEOUT_US = 15_000_000
# RTCP datagrams a second, and at once after the path has stalled. A browser sends twenty arrival reports a second and,
# on a bad path, a request for each gap; what comes beyond this is not read.
_RTCP_LIMIT = (300, 600)
# What a close may take when a TURN server has gone away and is told goodbye in vain.
_CLOSE_TIMEOUT_S = 3.0
_SETTLE_TIMEOUT_S = 1.0
# What aiortc raises at descriptions; StopIteration leaves a coroutine as RuntimeError.
_LIBRARY_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    InternalError,
    InvalidAccessError,
    InvalidStateError,
    LookupError,
    OperationError,
    RuntimeError,
    TypeError,
    ValueError,
)


def _nothing() -> None:
    """Do nothing."""


class RtcPeer:
    """A peer: see streamer/transport/base.py."""

    def __init__(
        self,
        settings: PeerSettings,
        observer: PeerObserver,
        clock: Clock,
        rng: random.Random,
        note: Note | None = None,
    ) -> None:
        """Make a peer that nobody knows of yet. An event loop must be running.

        `note` takes what rate control is told and decides, where somebody wants to know it.

        Raises:
            ConfigError: a STUN or TURN URL is malformed.
            TransportError: the installed libraries are not the ones that this was written for.
        """
        check_libraries()
        self._observer = observer
        self._clock = clock
        self._formats = offered_formats(settings)
        servers = to_library_servers(settings.ice)
        self._connection = RTCPeerConnection(RTCConfiguration(servers, bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
        transceiver = self._connection.addTransceiver("video", direction="sendonly")
        self._dtls = transceiver.receiver.transport
        self._ice = self._dtls.transport
        self._gathering = Gathering(self._ice._connection, settings.ice)
        self._sender = VideoSender(self._dtls, settings, clock, rng, note)
        self._sender.install(transceiver)
        self._transceiver = transceiver
        self._channels = Channels(self._connection, self)
        assert self._connection.sctp is not None
        self._sctp = self._connection.sctp
        self._listen()
        self._rtcp_allowance = Allowance(*_RTCP_LIMIT, clock.now_us())
        self._tasks: set[asyncio.Task[None]] = set()
        self._connect_timer: Timer | None = None
        self._candidate_messages = self._candidates = 0
        self._is_connected = self._has_ended = False
        self._closing: asyncio.Task[None] | None = None
        self.malformed_rtcp = 0

    def _listen(self) -> None:
        """Hear of what the sender does, and let what comes in reach us before the library."""
        self._sender.on_started = self._started
        self._sender.on_keyframe_wanted = lambda: self._tell(self._observer.keyframe_wanted)
        guard_sctp(self._sctp, self.violated)
        self._dtls._handle_rtcp_data = self._received_rtcp  # type: ignore[method-assign]
        self._dtls._handle_rtp_data = self._received_rtp  # type: ignore[method-assign]
        self._ice.on("statechange", self._ice_changed)
        self._dtls.on("statechange", self._dtls_changed)

    @property
    def video(self) -> VideoSender:
        return self._sender

    @property
    def codec(self) -> str | None:
        return self._sender.codec

    async def offer(self) -> str:
        if self._connection.signalingState != "stable" or self._ice.iceGatherer.state != "new":
            raise LocalProtocolError("a peer offers once")
        task = self._spawn(self._connection.setLocalDescription())
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            if self._closing is None:
                raise
        if self._closing is not None:
            raise Closed("the peer was closed while it gathered candidates")
        require_candidates(self._ice._connection)
        self._connect_timer = self._clock.call_at_us(self._clock.now_us() + CONNECT_TIMEOUT_US, self._gave_up)
        return shape_offer(self._connection.localDescription.sdp, self._formats)

    async def answer(self, sdp: str) -> None:
        if self._connection.signalingState != "have-local-offer":
            raise RemoteProtocolError("an answer without an offer")
        mids = [self._transceiver.mid or "", self._sctp.mid or ""]
        answer = read_answer(sdp, self._formats, mids)
        self._sender.negotiated(answer)
        try:
            await self._connection.setRemoteDescription(RTCSessionDescription(answer.library_sdp, "answer"))
        except _LIBRARY_ERRORS as exc:
            raise RemoteProtocolError(f"answer that cannot be applied ({exc!r:.100})") from exc
        if self._closing is not None:
            return
        for candidate in answer.candidates:
            await self.add_candidate(candidate, mids[0], 0)
        if answer.ends_candidates:
            await self.end_of_candidates()

    async def add_candidate(self, candidate: str, sdp_mid: str | None, sdp_mline_index: int | None) -> None:
        if not candidate.strip():
            # W3C webrtc-pc, 4.8.1.1: an empty candidate ends one generation of them.
            await self.end_of_candidates()
            return
        if sdp_mid is None and sdp_mline_index is None:
            raise RemoteProtocolError("a candidate that names no media section")
        self._candidate_messages += 1
        if self._candidate_messages > MAX_CANDIDATE_MESSAGES:
            raise RemoteProtocolError(f"more than {MAX_CANDIDATE_MESSAGES} candidates")
        parsed = parse_candidate(candidate)
        if parsed is None or self._candidates == MAX_CANDIDATES or self._closing is not None:
            return
        self._candidates += 1
        if is_mdns(parsed):
            self._spawn(self._resolve(self._ice.addRemoteCandidate(parsed)))
        else:
            await self._ice.addRemoteCandidate(parsed)

    async def end_of_candidates(self) -> None:
        # A turn of the loop, so that every name that is being resolved has been counted in by aioice.
        await asyncio.sleep(0)
        if self._closing is None:
            await self._ice.addRemoteCandidate(None)

    def request_keyframe(self) -> None:
        self._sender.request_keyframe()

    def describe(self, resolution: Resolution) -> None:
        self._sender.describe(resolution)

    def decodes(self, decode_ms: float | None, wait_ms: float | None, frames_dropped: int) -> None:
        self._sender.decodes(decode_ms, wait_ms, frames_dropped)

    def send(self, label: str, message: str | bytes) -> bool:
        return not self._has_ended and self._channels.send(label, message)

    def statistics(self) -> PeerStatistics:
        return self._sender.statistics()

    async def close(self) -> None:
        if self._closing is None:
            self._has_ended = True
            self._closing = asyncio.ensure_future(self._close())
        await asyncio.shield(self._closing)

    # What the channels tell.

    def channel_opened(self, label: str) -> None:
        self._tell(self._observer.channel_opened, label)

    def channel_closed(self, label: str) -> None:
        self._tell(self._observer.channel_closed, label)

    def received(self, label: str, message: str | bytes) -> None:
        self._tell(self._observer.received, label, message)

    def violated(self, reason: str) -> None:
        """End the peer because the viewer broke a rule."""
        self._fail("protocol_error", reason)

    # What the transports tell.

    def _started(self) -> None:
        self._stop_waiting()
        self._is_connected = True
        assert self.codec is not None
        self._tell(self._observer.connected, self.codec)
        self._tell(self._observer.keyframe_wanted)

    def _ice_changed(self) -> None:
        if self._ice.state == "failed":
            reason = "the viewer does not answer any more" if self._is_connected else "no network path to the viewer"
            self._fail("peer_failed", reason)

    def _dtls_changed(self) -> None:
        if self._dtls.state == "failed":
            self._fail("peer_failed", "the DTLS handshake with the viewer failed")
        elif self._dtls.state == "closed":
            self._fail("peer_failed", "the viewer closed the connection")

    def _gave_up(self) -> None:
        self._fail("peer_failed", f"no connection within {CONNECT_TIMEOUT_US // 1_000_000} s of the offer")

    def _stop_waiting(self) -> None:
        timer, self._connect_timer = self._connect_timer, None
        if timer is not None:
            timer.cancel()

    async def _received_rtcp(self, data: bytes) -> None:
        if not self._rtcp_allowance.take(self._clock.now_us()):
            return
        try:
            messages = parse_compound(data)
        except RemoteProtocolError:
            self.malformed_rtcp += 1
            return
        self._sender.received(messages)
        self.malformed_rtcp += sum(isinstance(message, Malformed) for message in messages)

    async def _received_rtp(self, data: bytes, arrival_time_ms: int) -> None:
        """Ignore media: none was offered to be received."""

    def _tell(self, callback: Callable[..., None], *values: Any) -> None:
        """Call the observer on its own turn of the loop, so that its errors do not end up inside a library."""
        asyncio.get_running_loop().call_soon(self._call, callback, values)

    def _call(self, callback: Callable[..., None], values: tuple[Any, ...]) -> None:
        if not self._has_ended:
            callback(*values)

    def _fail(self, code: str, reason: str) -> None:
        if not self._has_ended:
            self._has_ended = True
            logger.info("peer failed because %s", reason)
            asyncio.get_running_loop().call_soon(self._tell_failed, code, reason)

    def _tell_failed(self, code: str, reason: str) -> None:
        if self._closing is None:
            self._observer.failed(code, reason)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _resolve(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except (OSError, ValueError) as exc:
            logger.info("a .local candidate is left out because %s", exc)

    async def _close(self) -> None:
        self._stop_waiting()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        owners = self._owners()
        closing = asyncio.ensure_future(self._connection.close())
        _, late = await asyncio.wait({closing}, timeout=_CLOSE_TIMEOUT_S)
        error = None if late else closing.exception()
        if late or error is not None:
            why = f"it did not close in {_CLOSE_TIMEOUT_S:.0f} s" if late else "it failed to close"
            logger.warning("a peer is cut off because %s", why, exc_info=error)
            closing.cancel()
            for protocol in self._ice._connection._protocols:
                protocol.transport.close()
        await self._sender.stop()
        await settle(owners, _SETTLE_TIMEOUT_S)
        self._release()

    def _release(self) -> None:
        """Break the circles among the library's objects and ours: memory is free before the collector comes by."""
        del self._dtls._handle_rtcp_data, self._dtls._handle_rtp_data, self._sctp._handle_data
        del self._ice._connection.get_component_candidates
        self._ice._connection._check_list.clear()
        self._sender.on_started = self._sender.on_keyframe_wanted = _nothing
        self._channels.release()
        self._dtls.remove_all_listeners()
        self._dtls._ssl = None
        self._dtls._rx_srtp = self._dtls._tx_srtp = None  # type: ignore[assignment]
        self._sctp.remove_all_listeners()

    def _owners(self) -> list[object]:
        protocols = self._ice._connection._protocols
        libraries = [self._connection, self._sctp, self._dtls, self._ice, self._ice._connection]
        return [*libraries, *protocols, *(protocol.transport for protocol in protocols)]
