"""A viewer's video while it runs: frames into packets, what the viewer says of them into repairs and rates.

Carries out what `congestion/` decides: the flow says when packets leave and how much the path carries, the recovery
what is sent again and when a keyframe is due. Negotiation and the life of the stream are sender.py's. RFC 4585; RFC
5104.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from aiortc import RTCDtlsTransport

from streamer.alarm import Timer
from streamer.clock import Clock
from streamer.congestion.decision import RateLimits
from streamer.congestion.estimator import make_estimator
from streamer.congestion.fixed_rate import FixedRate
from streamer.congestion.flow import Flow, Lost
from streamer.congestion.ladder import Decoding
from streamer.congestion.pacer import Priority
from streamer.congestion.recovery import Recovery, Repair
from streamer.congestion.replay import Note, RecordedFlow
from streamer.media.frame import EncodedFrame, Resolution, Wish
from streamer.rtp.feedback import FeedbackUnwrapper, TransportFeedback
from streamer.rtp.reports import ReportBlock
from streamer.rtp.rtcp import (
    FullIntraRequest,
    Nack,
    PictureLoss,
    ReceiverReport,
    Remb,
    RtcpMessage,
    SenderReport,
)
from streamer.transport.base import PeerSettings, PeerStatistics
from streamer.transport.egress import Egress, Packet
from streamer.transport.packets import Stream

logger = logging.getLogger(__name__)

# The extension's specification has receivers interpolate; once a second is what they are used to.
_CAPTURE_TIME_INTERVAL_US = 1_000_000
_MAX_FRACTION = 256
# More than this is not waited for to leave, and less than a keyframe is never thrown away: frames that come although
# they should not (ready-made ones, or those of a rendition with other takers) would pile up while a path is silent.
_OVERFLOW_US = 3_000_000
_OVERFLOW_BYTES = 256 * 1024


class VideoStream:
    """One running stream. Used on the event loop only, but for `wish`.

    `ntp` returns the NTP time of an instant of our monotonic clock. `on_keyframe_wanted` is called when the wish has
    come to ask for a keyframe. `note` takes what the flow is told and decides.
    """

    def __init__(
        self,
        stream: Stream,
        dtls: RTCDtlsTransport,
        settings: PeerSettings,
        clock: Clock,
        *,
        has_feedback: bool,
        ntp: Callable[[int], int],
        on_keyframe_wanted: Callable[[], None],
        note: Note | None = None,
    ) -> None:
        now_us = clock.now_us()
        self._stream = stream
        self._settings = settings
        self._clock = clock
        self._ntp = ntp
        self._on_keyframe_wanted = on_keyframe_wanted
        self._flow = _make_flow(settings, note, has_feedback=has_feedback, now_us=now_us)
        self._source = settings.largest
        self._egress = Egress(dtls, self._flow, stream.fill, self._woken, clock)
        self._unwrapper = FeedbackUnwrapper()
        self._recovery = Recovery(stream.history)
        stream.on_resent = self._recovery.resend_left
        self._announce_timer: Timer | None = None
        self._needs_keyframe = True
        self._capture_time_at_us: int | None = None
        self._frames = self._keyframes = self._packets_lost = 0
        self._rtt_us: int | None = None
        self._recovery.request_keyframe(now_us, None)

    # What a rendition calls: media.frame.Subscriber.

    def offer(self, frame: EncodedFrame) -> None:
        """Send a frame. Until the first keyframe nothing can be decoded, so nothing is sent."""
        now_us = self._clock.now_us()
        recovery, stream = self._recovery, self._stream
        if self._needs_keyframe and not frame.is_keyframe:
            self._request(recovery.request_keyframe(now_us, self._rtt_us))
            return
        if self._has_overflowed(now_us):
            # What waits is too old to be worth sending. The viewer goes on with a keyframe when its path does.
            self._flow.clear()
            self._needs_keyframe = not frame.is_keyframe
            self._request(recovery.request_keyframe(now_us, self._rtt_us))
            if self._needs_keyframe:
                return
        self._frames += 1
        if frame.is_keyframe:
            self._keyframes += 1
            self._needs_keyframe = False
            first, size_bytes = stream.next_sequence, sum(map(len, frame.payloads))
            recovery.keyframe_offered(frame.capture_us, first_sequence=first, size_bytes=size_bytes, now_us=now_us)
        packets = stream.packetize(frame, self._capture_ntp(frame.capture_us, now_us))
        self._egress.send(packets, Priority.VIDEO, now_us)

    def wish(self) -> Wish:
        """Return what this viewer would like next. Callable from any thread."""
        now_us = self._clock.now_us()
        allowance = self._flow.wish_rate(now_us)
        return Wish(
            target_bps=allowance.target_bps,
            fps=allowance.fps,
            max_resolution=_scaled(self._source, allowance.scale_ratio),
            max_frame_bytes=allowance.max_frame_bytes,
            backlog_us=self._flow.backlog_us(now_us),
            keyframe=self._recovery.keyframe_wanted(now_us),
        )

    # What the sender calls.

    def received(self, messages: Iterable[RtcpMessage]) -> None:
        """Act upon what the viewer says about this stream and its transport; the rest is somebody else's."""
        ssrc = self._stream.ssrc
        now_us = self._clock.now_us()
        for message in messages:
            match message:
                case TransportFeedback():
                    arrivals = self._unwrapper.unwrap(message, self._egress.next_index - 1)
                    self._repair_copies(self._flow.feedback(arrivals, now_us), now_us)
                case Nack(media_ssrc=media_ssrc) if media_ssrc == ssrc:
                    self._repair(message, now_us)
                case PictureLoss(media_ssrc=media_ssrc) if media_ssrc == ssrc:
                    self.request_keyframe()
                case FullIntraRequest():
                    self._full_intra(message, now_us)
                case Remb():
                    self._flow.remb(message.bps, now_us)
                case ReceiverReport() | SenderReport():
                    for block in message.blocks:
                        if block.ssrc == ssrc:
                            self._reported(block, now_us)
                case _:
                    pass
        # What the flow has learned may open its gate.
        self._egress.pump(now_us)

    def request_keyframe(self) -> None:
        """Ask for a keyframe, unless one is asked for already."""
        self._request(self._recovery.request_keyframe(self._clock.now_us(), self._rtt_us))

    def describe(self, resolution: Resolution) -> None:
        """Take note of how large the source's pictures are."""
        self._source = resolution
        self._flow.describe(resolution.width_px, resolution.height_px)

    def decodes(self, decode_ms: float | None, wait_ms: float | None, frames_dropped: int) -> None:
        """Take note of how the viewer's decoder fares; see `base.Peer`."""
        self._flow.decodes(Decoding(_us(decode_ms), _us(wait_ms), frames_dropped), self._clock.now_us())

    def send_rtcp(self, compound: bytes) -> None:
        """Send RTCP at once."""
        self._egress.send_rtcp(compound)

    def statistics(self) -> PeerStatistics:
        """Return totals since the start."""
        egress = self._egress
        return PeerStatistics(
            packets_sent=egress.packets_sent,
            bytes_sent=egress.bytes_sent,
            packets_retransmitted=self._stream.packets_retransmitted,
            frames=self._frames,
            keyframes=self._keyframes,
            packets_lost=self._packets_lost,
            rtt_us=self._rtt_us,
            backlog_us=self._flow.backlog_us(self._clock.now_us()),
            decision=self._flow.decision,
        )

    def close(self) -> None:
        """Send nothing more, and give up timers and descriptor."""
        if self._announce_timer is not None:
            self._announce_timer.cancel()
        self._egress.close()
        self._stream.forget()

    def _has_overflowed(self, now_us: int) -> bool:
        return self._flow.waiting_bytes > _OVERFLOW_BYTES and self._flow.backlog_us(now_us) > _OVERFLOW_US

    def _woken(self, now_us: int) -> None:
        self._flow.tick(now_us)
        self._repair_copies(self._flow.overdue(), now_us)

    def _repair(self, nack: Nack, now_us: int) -> None:
        if self._stream.rtx_payload_type is None:
            # The same number must not be encrypted twice with other header extensions: AES-GCM would give away its
            # authentication key. So a viewer without RTX gets a keyframe.
            self._request(self._recovery.request_keyframe(now_us, self._rtt_us))
            return
        decision = self._flow.decision
        repair = self._recovery.nack(
            nack.sequences,
            now_us,
            self._longest_rtt_us(),
            loss_ratio=decision.loss_ratio,
            target_bps=decision.target_bps,
        )
        self._carry_out(repair, now_us)

    def _repair_copies(self, lost: Sequence[Lost[Packet]], now_us: int) -> None:
        """Send again what is known to be lost before the viewer has missed it. Where it cannot, the viewer asks."""
        if lost and self._stream.rtx_payload_type is not None:
            copies = [(copy.packet.media_sequence, copy.sent_at_us) for copy in lost]
            target_bps = self._flow.decision.target_bps
            repair = self._recovery.lost(copies, now_us, self._longest_rtt_us(), target_bps=target_bps)
            self._carry_out(repair, now_us)

    def _longest_rtt_us(self) -> int | None:
        """Return the longer of the round trips that the viewer's two kinds of reports tell: it can make up either."""
        return max(
            [rtt_us for rtt_us in (self._rtt_us, self._flow.decision.rtt_us) if rtt_us is not None], default=None
        )

    def _carry_out(self, repair: Repair, now_us: int) -> None:
        self._request(repair.needs_keyframe)
        if repair.resend:
            self._egress.send(self._stream.resend(repair.resend), Priority.RETRANSMISSION, now_us)

    def _full_intra(self, request: FullIntraRequest, now_us: int) -> None:
        for ssrc, number in request.entries:
            if ssrc == self._stream.ssrc:
                self._request(self._recovery.full_intra_request(request.sender_ssrc, number, now_us, self._rtt_us))

    def _request(self, is_open: bool) -> None:  # noqa: FBT001 - what recovery has just returned
        if is_open and self._announce_timer is None:
            self._announce()

    def _announce(self) -> None:
        """Tell once the wish asks for a keyframe: requests keep a distance to the last keyframe."""
        self._announce_timer = None
        due_us = self._recovery.keyframe_due_us()
        if due_us is None:
            return
        if due_us <= self._clock.now_us():
            self._on_keyframe_wanted()
        else:
            self._announce_timer = self._clock.call_at_us(due_us, self._announce)

    def _reported(self, block: ReportBlock, now_us: int) -> None:
        self._packets_lost = max(0, block.cumulative_lost_packets)
        rtt_us = block.rtt_us(self._ntp(now_us))
        if rtt_us is not None:
            self._rtt_us = rtt_us
        self._flow.report(loss_ratio=block.fraction_lost / _MAX_FRACTION, rtt_us=rtt_us, now_us=now_us)

    def _capture_ntp(self, capture_us: int, now_us: int) -> int | None:
        if self._capture_time_at_us is not None and now_us - self._capture_time_at_us < _CAPTURE_TIME_INTERVAL_US:
            return None
        self._capture_time_at_us = now_us
        return self._ntp(capture_us)


def _make_flow(settings: PeerSettings, note: Note | None, *, has_feedback: bool, now_us: int) -> Flow[Packet]:
    limits = settings.rate_limits
    if not settings.is_adaptive:
        limits = RateLimits(limits.start_bps, limits.start_bps, limits.start_bps)
    make = Flow[Packet] if note is None else partial(RecordedFlow[Packet], note=note)
    return make(
        limits,
        fps=settings.fps,
        has_feedback=has_feedback,
        now_us=now_us,
        prefer=settings.prefer,
        estimator=make_estimator if settings.is_adaptive else FixedRate,
    )


def _us(duration_ms: float | None) -> int | None:
    return None if duration_ms is None else round(duration_ms * 1_000)


def _scaled(largest: Resolution, ratio: float) -> Resolution:
    if ratio == 1:
        return largest
    # Chroma has half the lines and columns.
    return Resolution(2 * round(largest.width_px * ratio / 2), 2 * round(largest.height_px * ratio / 2))
