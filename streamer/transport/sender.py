"""One viewer's video towards aiortc: it takes the place of its sender, and starts and ends the stream.

Owns negotiation and sender reports. What happens to frames while the stream runs is video.py's. RFC 3550, section 6.4.
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
from streamer.congestion.replay import Note
from streamer.errors import LocalProtocolError
from streamer.media.frame import EncodedFrame, Resolution, Wish
from streamer.media.timeline import ntp_from_wall
from streamer.rtp.rtcp import (
    RtcpMessage,
    serialize_goodbye,
    serialize_sender_report,
    serialize_source_description,
)
from streamer.transport.base import PeerSettings, PeerStatistics
from streamer.transport.packets import Stream, StreamParameters
from streamer.transport.sdp import Answer
from streamer.transport.video import VideoStream

logger = logging.getLogger(__name__)

# RFC 3550, 6.2: reports are spread at random. Twice a second or so lets the viewer follow our clock soon.
_REPORT_INTERVAL_US = (500_000, 1_000_000)


class VideoSender:
    """A viewer's video. Used on the event loop only, but for `wish`."""

    kind = "video"
    track = None

    def __init__(
        self,
        dtls: RTCDtlsTransport,
        settings: PeerSettings,
        clock: Clock,
        rng: random.Random,
        note: Note | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._rng = rng
        self._note = note
        # Read once: the wall clock can be set, and round trips and capture times must not jump with it.
        self._wall_offset_us = clock.wall_us() - clock.now_us()
        self._source = settings.largest
        self._answer: Answer | None = None
        self._stream: Stream | None = None
        self._video: VideoStream | None = None
        self._statistics = PeerStatistics()
        self._cname = ""
        self._report_timer: Timer | None = None
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
        """Send a frame, once the stream runs.

        Raises:
            LocalProtocolError: the frame is in another codec than the viewer's, or has no payloads.
        """
        if self._video is None or not self._enabled:
            return
        if frame.codec != self.codec or not frame.payloads:
            raise LocalProtocolError(
                f"a frame of {frame.codec!r} with {len(frame.payloads)} payloads for {self.codec!r}"
            )
        self._video.offer(frame)

    def wish(self) -> Wish:
        """Return what this viewer would like next. Callable from any thread."""
        video, settings = self._video, self._settings
        if video is not None:
            return video.wish()
        limits = settings.rate_limits
        return Wish(min(limits.start_bps, limits.max_bps), settings.fps, settings.largest)

    # What the peer calls.

    def received(self, messages: Iterable[RtcpMessage]) -> None:
        """Act upon what the viewer says."""
        if self._video is not None:
            self._video.received(messages)

    def request_keyframe(self) -> None:
        """Ask for a keyframe, unless one is asked for already."""
        if self._video is not None:
            self._video.request_keyframe()

    def describe(self, resolution: Resolution) -> None:
        """Take note of how large the source's pictures are."""
        self._source = resolution
        if self._video is not None:
            self._video.describe(resolution)

    def decodes(self, decode_ms: float | None, wait_ms: float | None, frames_dropped: int) -> None:
        """Take note of how the viewer's decoder fares; see `base.Peer`."""
        if self._video is not None:
            self._video.decodes(decode_ms, wait_ms, frames_dropped)

    def statistics(self) -> PeerStatistics:
        """Return totals since the start."""
        if self._video is not None:
            self._statistics = self._video.statistics()
        return self._statistics

    # What aiortc calls.

    async def send(self, parameters: RTCRtpSendParameters) -> None:
        """Start the stream: ICE and DTLS are up and the answer applies. On renegotiation nothing changes."""
        if self._stream is not None or self._answer is None:
            return
        answer = self._answer
        negotiated = StreamParameters(
            answer.payload_type, answer.rtx_payload_type, answer.extension_ids, parameters.muxId
        )
        self._cname = parameters.rtcp.cname or self._stream_id
        self._stream = Stream(self._ssrc, self._rtx_ssrc, negotiated, self._rng)
        self._video = VideoStream(
            self._stream,
            self.transport,
            self._settings,
            self._clock,
            has_feedback=answer.has_feedback,
            ntp=self._ntp,
            on_keyframe_wanted=self.on_keyframe_wanted,
            note=self._note,
        )
        self._video.describe(self._source)
        if not answer.has_feedback:
            logger.info("the rate follows the viewer's own estimate because it sends no transport-wide feedback")
        self._report()
        self.on_started()

    async def stop(self) -> None:
        """End the stream and say so."""
        if self._report_timer is not None:
            self._report_timer.cancel()
        if self._video is not None:
            self._video.send_rtcp(self._reports() + serialize_goodbye((self._ssrc, self._rtx_ssrc)))
            self._statistics = self._video.statistics()
            self._video.close()
            self._video = self._stream = None

    def setTransport(self, transport: RTCDtlsTransport) -> None:  # noqa: N802 - aiortc's name
        """Take note of the bundled transport, which is the one this sender was made for."""
        self.transport = transport

    def replaceTrack(self, track: Any) -> None:  # noqa: N802 - aiortc's name
        """Do nothing: frames come from renditions."""

    async def getStats(self) -> RTCStatsReport:  # noqa: N802 - aiortc's name
        """Return nothing: `statistics` is ours."""
        return RTCStatsReport()

    def _report(self) -> None:
        assert self._video is not None
        self._video.send_rtcp(self._reports())
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

    def _ntp(self, at_us: int) -> int:
        return ntp_from_wall(at_us + self._wall_offset_us)
