"""Send one viewer's video as an RTP stream, and hear what the viewer says about it.

Takes the place of aiortc's sender inside its transceiver, so it has the methods that RTCPeerConnection calls. Owns the
stream's statistics and sender reports. What to resend and when to ask for a keyframe is decided by congestion/recovery.
RFC 3550, section 6.4; RFC 4585; RFC 5104.
"""

import logging
import random
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from aiortc import RTCDtlsTransport, RTCRtpTransceiver
from aiortc.rtcrtpparameters import RTCRtpSendParameters
from aiortc.stats import RTCStatsReport

from streamer.alarm import Timer
from streamer.clock import Clock
from streamer.congestion.pacer import Pacer, Priority
from streamer.congestion.recovery import Recovery
from streamer.errors import LocalProtocolError
from streamer.media.frame import EncodedFrame, Wish
from streamer.media.timeline import ntp_from_wall
from streamer.rtp.reports import ReportBlock
from streamer.rtp.rtcp import (
    FullIntraRequest,
    Nack,
    PictureLoss,
    ReceiverReport,
    RtcpMessage,
    SenderReport,
    serialize_goodbye,
    serialize_sender_report,
    serialize_source_description,
)
from streamer.transport.base import PeerSettings, PeerStatistics
from streamer.transport.egress import Egress, Packet
from streamer.transport.packets import Stream, StreamParameters
from streamer.transport.sdp import Answer

logger = logging.getLogger(__name__)

# RFC 3550, 6.2: reports are spread at random. Twice a second or so lets the viewer follow our clock soon.
_REPORT_INTERVAL_US = (500_000, 1_000_000)
# The extension's specification has receivers interpolate; once a second is what they are used to.
_CAPTURE_TIME_INTERVAL_US = 1_000_000


class VideoSender:
    """A viewer's video. Used on the event loop only, but for `wish`."""

    kind = "video"
    track = None

    def __init__(self, dtls: RTCDtlsTransport, settings: PeerSettings, clock: Clock, rng: random.Random) -> None:
        self._settings = settings
        self._clock = clock
        self._rng = rng
        # Read once: the wall clock can be set, and round trips and capture times must not jump with it.
        self._wall_offset_us = clock.wall_us() - clock.now_us()
        self._target_bps = min(settings.start_target_bps, settings.max_target_bps)
        self._pacer: Pacer[Packet] = Pacer(self._target_bps)
        self._egress = Egress(dtls, self._pacer, clock)
        self._answer: Answer | None = None
        self._stream: Stream | None = None
        self._recovery: Recovery | None = None
        self._cname = ""
        self._report_timer: Timer | None = None
        self._announce_timer: Timer | None = None
        self._needs_keyframe = True
        self._capture_time_at_us: int | None = None
        self._frames = self._keyframes = self._packets_lost = 0
        self._rtt_us: int | None = None
        self.on_started: Callable[[], None] = lambda: None
        self.on_keyframe_wanted: Callable[[], None] = lambda: None
        # What aiortc reads of a sender.
        self.transport = dtls
        self._enabled = True
        self._ssrc, self._rtx_ssrc = rng.sample(range(1, 1 << 32), 2)
        self._stream_id = self._track_id = str(uuid.UUID(int=rng.getrandbits(128), version=4))

    def install(self, transceiver: RTCRtpTransceiver) -> None:
        """Take the place of the sender that aiortc has just made."""
        transceiver._RTCRtpTransceiver__sender = self  # type: ignore[attr-defined]  # noqa: SLF001 - checked by guard.py

    def negotiated(self, answer: Answer) -> None:
        """Remember what the viewer agreed to. A stream that runs goes on as it is."""
        self._answer = answer

    @property
    def codec(self) -> str | None:
        """What the viewer decodes, once it has answered."""
        return None if self._answer is None else self._answer.codec

    # What a rendition calls: media.frame.Subscriber.

    def offer(self, frame: EncodedFrame) -> None:
        """Send a frame. Until the first keyframe nothing can be decoded, so nothing is sent.

        Raises:
            LocalProtocolError: the frame is in another codec than the viewer's, or has no payloads.
        """
        stream, recovery = self._stream, self._recovery
        if stream is None or recovery is None or not self._enabled:
            return
        if frame.codec != self.codec or not frame.payloads:
            raise LocalProtocolError(
                f"a frame of {frame.codec!r} with {len(frame.payloads)} payloads for {self.codec!r}"
            )
        now_us = self._clock.now_us()
        if self._needs_keyframe and not frame.is_keyframe:
            self._request(recovery.request_keyframe(now_us, self._rtt_us))
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
        recovery = self._recovery
        return Wish(
            target_bps=self._target_bps,
            fps=self._settings.fps,
            max_resolution=self._settings.largest,
            backlog_us=self._pacer.backlog_us(now_us),
            keyframe=recovery is not None and recovery.keyframe_wanted(now_us),
        )

    # What the peer calls.

    def received(self, messages: Iterable[RtcpMessage]) -> None:
        """Act upon what the viewer says about this stream; the rest is somebody else's."""
        for message in messages:
            match message:
                case Nack(media_ssrc=self._ssrc):
                    self._repair(message)
                case PictureLoss(media_ssrc=self._ssrc):
                    self.request_keyframe()
                case FullIntraRequest():
                    self._full_intra(message)
                case ReceiverReport() | SenderReport():
                    for block in message.blocks:
                        if block.ssrc == self._ssrc:
                            self._reported(block)
                case _:
                    pass

    def request_keyframe(self) -> None:
        """Ask for a keyframe, unless one is asked for already."""
        if self._recovery is not None:
            self._request(self._recovery.request_keyframe(self._clock.now_us(), self._rtt_us))

    def statistics(self) -> PeerStatistics:
        """Return totals since the start."""
        return PeerStatistics(
            packets_sent=self._egress.packets_sent,
            bytes_sent=self._egress.bytes_sent,
            packets_retransmitted=0 if self._stream is None else self._stream.packets_retransmitted,
            frames=self._frames,
            keyframes=self._keyframes,
            packets_lost=self._packets_lost,
            rtt_us=self._rtt_us,
            backlog_packets=self._pacer.backlog_packets,
        )

    # What aiortc calls.

    async def send(self, parameters: RTCRtpSendParameters) -> None:
        """Start the stream: ICE and DTLS are up and the answer applies. On renegotiation nothing changes."""
        if self._stream is not None or self._answer is None:
            return
        answer = self._answer
        negotiated = StreamParameters(
            answer.payload_type, answer.rtx_payload_type, answer.extension_ids, parameters.muxId
        )
        self._stream = Stream(self._ssrc, self._rtx_ssrc, negotiated, self._rng)
        self._recovery = Recovery(self._stream.history)
        self._cname = parameters.rtcp.cname or self._stream_id
        self._recovery.request_keyframe(self._clock.now_us(), None)
        self._report()
        self.on_started()

    async def stop(self) -> None:
        """End the stream and say so."""
        for timer in (self._report_timer, self._announce_timer):
            if timer is not None:
                timer.cancel()
        if self._stream is not None:
            self._egress.send_rtcp(self._reports() + serialize_goodbye((self._ssrc, self._rtx_ssrc)))
            self._stream.forget()
            self._stream = self._recovery = None
        self._egress.close()

    def setTransport(self, transport: RTCDtlsTransport) -> None:  # noqa: N802 - aiortc's name
        """Take note of the bundled transport, which is the one this sender was made for."""
        self.transport = transport

    def replaceTrack(self, track: Any) -> None:  # noqa: N802 - aiortc's name
        """Do nothing: frames come from renditions."""

    async def getStats(self) -> RTCStatsReport:  # noqa: N802 - aiortc's name
        """Return nothing: `statistics` is ours."""
        return RTCStatsReport()

    def _repair(self, nack: Nack) -> None:
        stream, recovery = self._stream, self._recovery
        if stream is None or recovery is None:
            return
        now_us = self._clock.now_us()
        if stream.rtx_payload_type is None:
            # The same number must not be encrypted twice with other header extensions: AES-GCM would give away its
            # authentication key. So a viewer without RTX gets a keyframe.
            self._request(recovery.request_keyframe(now_us, self._rtt_us))
            return
        repair = recovery.nack(nack.sequences, now_us, self._rtt_us)
        self._request(repair.needs_keyframe)
        if repair.resend:
            self._egress.send(stream.resend(repair.resend), Priority.RETRANSMISSION, now_us)

    def _full_intra(self, request: FullIntraRequest) -> None:
        for ssrc, number in request.entries:
            if ssrc == self._ssrc and self._recovery is not None:
                now_us = self._clock.now_us()
                self._request(self._recovery.full_intra_request(request.sender_ssrc, number, now_us, self._rtt_us))

    def _request(self, is_open: bool) -> None:  # noqa: FBT001 - what recovery has just returned
        if is_open and self._announce_timer is None:
            self._announce()

    def _announce(self) -> None:
        """Tell once the wish asks for a keyframe: requests keep a distance to the last keyframe."""
        self._announce_timer = None
        if self._recovery is None:
            return
        due_us = self._recovery.keyframe_due_us()
        if due_us is None:
            return
        if due_us <= self._clock.now_us():
            self.on_keyframe_wanted()
        else:
            self._announce_timer = self._clock.call_at_us(due_us, self._announce)

    def _reported(self, block: ReportBlock) -> None:
        self._packets_lost = max(0, block.cumulative_lost_packets)
        rtt_us = block.rtt_us(self._ntp(self._clock.now_us()))
        if rtt_us is not None:
            self._rtt_us = rtt_us

    def _report(self) -> None:
        self._egress.send_rtcp(self._reports())
        wait_us = self._rng.randint(*_REPORT_INTERVAL_US)
        self._report_timer = self._clock.call_at_us(self._clock.now_us() + wait_us, self._report)

    def _reports(self) -> bytes:
        """Return a sender report whose two times are the same instant of the capture clock, and our name."""
        stream = self._stream
        assert stream is not None
        now_us = self._clock.now_us()
        report = serialize_sender_report(
            ssrc=self._ssrc,
            ntp=self._ntp(now_us),
            rtp_timestamp=stream.timeline.timestamp(now_us),
            packet_count=stream.packets,
            octet_count=stream.octets,
        )
        return report + serialize_source_description(self._ssrc, self._cname)

    def _capture_ntp(self, capture_us: int, now_us: int) -> int | None:
        if self._capture_time_at_us is not None and now_us - self._capture_time_at_us < _CAPTURE_TIME_INTERVAL_US:
            return None
        self._capture_time_at_us = now_us
        return self._ntp(capture_us)

    def _ntp(self, at_us: int) -> int:
        return ntp_from_wall(at_us + self._wall_offset_us)
