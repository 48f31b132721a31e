"""The server's side of one stream: the product's flow, recovery and history, with simulated packets.

What `transport/` does with sockets and timers is done here with a wire and an agenda, in the same order.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from streamer.bench.network.content import Content
from streamer.bench.network.events import Alarm, Events
from streamer.bench.network.packets import (
    DATAGRAM_OVERHEAD_BYTES,
    MAX_PAYLOAD_BYTES,
    RTP_OVERHEAD_BYTES,
    Packet,
    PaddingPacket,
    ReceptionReport,
    ResentPacket,
    SenderTime,
    SentFrame,
    VideoPacket,
)
from streamer.bench.network.recording import FrameRecord, Moment, StreamRecord
from streamer.bench.network.rendition import FULL_RESOLUTION, Rendition
from streamer.congestion.decision import RateLimits
from streamer.congestion.flow import EstimatorFactory, Flow, Lost
from streamer.congestion.pacer import Priority
from streamer.congestion.recovery import Recovery, Repair
from streamer.media.frame import Resolution, Wish
from streamer.rtp.feedback import FeedbackUnwrapper, TransportFeedback
from streamer.rtp.history import SendHistory
from streamer.rtp.requests import Nack, PictureLoss

# Once a second, as in the product or a little less often.
_SENDER_REPORT_INTERVAL_US = 1_000_000
_SENDER_REPORT_BYTES = 110
# As large as media packets: a probe is about bytes, not packets.
_PADDING_PACKET_BYTES = MAX_PAYLOAD_BYTES + RTP_OVERHEAD_BYTES
_MIN_PADDING_BYTES = 80

Send = Callable[[Any, int], None]


@dataclass(frozen=True, slots=True)
class SenderSettings:
    """What a user sets, and what is on the screen."""

    limits: RateLimits
    fps: float
    content: Content
    timer_late_us: int
    estimator: EstimatorFactory


class Sender:
    """One stream at its source. `send(content, size_bytes)` takes datagrams to the receiver."""

    def __init__(
        self, events: Events, settings: SenderSettings, send: Send, record: StreamRecord, rng: random.Random
    ) -> None:
        self._events = events
        self._rng = rng
        self._timer_late_us = settings.timer_late_us
        self._send = send
        self._record = record
        self._flow: Flow[Packet] = Flow(
            settings.limits,
            fps=settings.fps,
            has_feedback=True,
            now_us=events.now_us,
            estimator=settings.estimator,
        )
        self._flow.describe(FULL_RESOLUTION.width_px, FULL_RESOLUTION.height_px)
        self._history = SendHistory()
        self._recovery = Recovery(self._history)
        self._unwrapper = FeedbackUnwrapper()
        self._alarm = Alarm(events, self._wake)
        self._rtt_us: int | None = None
        self._packets = 0
        self._frames = 0
        self._next_index = 0
        self.rendition = Rendition(events, settings.content, settings.fps, self, rng)

    def start(self) -> None:
        """Begin to send. The first frame is a keyframe."""
        self._recovery.request_keyframe(self._events.now_us, None)
        self._send_report()
        self.rendition.start()
        self._pump()

    # What the rendition calls.

    def wish(self) -> Wish:
        """Return what the next frame shall be like."""
        now_us = self._events.now_us
        allowed = self._flow.wish_rate(now_us)
        return Wish(
            target_bps=allowed.target_bps,
            fps=allowed.fps,
            max_resolution=_scaled(allowed.scale_ratio),
            max_frame_bytes=allowed.max_frame_bytes,
            backlog_us=self._flow.backlog_us(now_us),
            keyframe=self._recovery.keyframe_wanted(now_us),
        )

    def offer(self, frame: FrameRecord) -> None:
        """Send a frame."""
        now_us = self._events.now_us
        self._record.frames.append(frame)
        count = -(-frame.size_bytes // MAX_PAYLOAD_BYTES)
        sent = SentFrame(self._frames, self._packets, count, frame)
        if frame.is_keyframe:
            self._recovery.keyframe_offered(
                frame.capture_us, first_sequence=self._packets & 0xFFFF, size_bytes=frame.size_bytes, now_us=now_us
            )
        self._flow.enqueue(_packetize(sent), Priority.VIDEO, now_us)
        self._frames += 1
        self._packets += count
        decision = self._flow.decision
        self._record.moments.append(
            Moment(now_us, decision.estimate_bps, decision.target_bps, self._flow.backlog_us(now_us))
        )
        self._pump()

    def skipped(self, now_us: int) -> None:
        self._record.skipped_at_us.append(now_us)

    # What comes back from the receiver.

    def received(self, message: object, now_us: int) -> None:
        """Act upon what the receiver says."""
        match message:
            case TransportFeedback():
                lost = self._flow.feedback(self._unwrapper.unwrap(message, self._next_index - 1), now_us)
                self._repair_copies(lost, now_us)
            case Nack():
                self._repair(message.sequences, now_us)
            case PictureLoss():
                self._recovery.request_keyframe(now_us, self._rtt_us)
                self._announce_keyframe(now_us)
            case ReceptionReport():
                if message.sender_time is not None:
                    self._rtt_us = now_us - message.sender_time.sent_at_us - message.held_us
                self._flow.report(loss_ratio=message.loss_ratio, rtt_us=self._rtt_us, now_us=now_us)
        self._pump()

    def _repair(self, sequences: Sequence[int], now_us: int) -> None:
        loss_ratio = self._flow.decision.loss_ratio
        self._resend(
            self._recovery.nack(
                sequences,
                now_us,
                self._longest_rtt_us(),
                loss_ratio=loss_ratio,
                target_bps=self._flow.decision.target_bps,
            ),
            now_us,
        )

    def _repair_copies(self, lost: Sequence[Lost[Packet]], now_us: int) -> None:
        copies = [(_sequence(copy.packet), copy.sent_at_us) for copy in lost]
        if copies:
            self._resend(
                self._recovery.lost(copies, now_us, self._longest_rtt_us(), target_bps=self._flow.decision.target_bps),
                now_us,
            )

    def _resend(self, repair: Repair, now_us: int) -> None:
        if repair.resend:
            resent = [ResentPacket(packet) for packet in repair.resend if isinstance(packet, VideoPacket)]
            self._record.resent_packets += len(resent)
            self._flow.enqueue(resent, Priority.RETRANSMISSION, now_us)
        if repair.needs_keyframe:
            self._announce_keyframe(now_us)

    def _announce_keyframe(self, now_us: int) -> None:
        """Let the rendition look at the wish when the keyframe is due: a still screen brings no other occasion."""
        due_at_us = self._recovery.keyframe_due_us()
        if due_at_us is not None:
            self._events.at(max(due_at_us, now_us), self.rendition.wake)

    def _longest_rtt_us(self) -> int | None:
        known_us = [rtt_us for rtt_us in (self._rtt_us, self._flow.decision.rtt_us) if rtt_us is not None]
        return max(known_us, default=None)

    def _wake(self) -> None:
        now_us = self._events.now_us
        self._flow.tick(now_us)
        self._repair_copies(self._flow.overdue(), now_us)
        self._pump()

    def _pump(self) -> None:
        """Send what may leave."""
        now_us = self._events.now_us
        for packet in self._flow.release(now_us):
            self._transmit(packet, now_us)
        padding_bytes = self._flow.padding_due_bytes(now_us)
        while padding_bytes > 0:
            size_bytes = max(_MIN_PADDING_BYTES, min(padding_bytes, _PADDING_PACKET_BYTES))
            self._transmit(PaddingPacket(size_bytes), now_us)
            padding_bytes -= size_bytes
        self._set_alarm()

    def _set_alarm(self) -> None:
        wake_us = self._flow.next_wake_us()
        if wake_us is not None and self._timer_late_us:
            wake_us = max(wake_us, self._events.now_us) + round(self._rng.random() * self._timer_late_us)
        self._alarm.set(wake_us)

    def _transmit(self, packet: Packet, now_us: int) -> None:
        if isinstance(packet, VideoPacket):
            packet.sent_at_us = now_us
            self._history.add(packet)
            priority = Priority.VIDEO
        elif isinstance(packet, ResentPacket):
            self._recovery.resend_left(packet.original.sequence, now_us)
            priority = Priority.RETRANSMISSION
        else:
            priority = Priority.PADDING
            self._record.padding_bytes += packet.size_bytes
        index = self._next_index
        self._next_index += 1
        self._record.sent_packets += 1
        kept = None if isinstance(packet, PaddingPacket) else (packet,)
        self._flow.sent(index, (packet.size_bytes,), now_us, priority, kept)
        self._send((index, packet), packet.size_bytes + DATAGRAM_OVERHEAD_BYTES)

    def _send_report(self) -> None:
        now_us = self._events.now_us
        self._send(SenderTime(now_us), _SENDER_REPORT_BYTES)
        self._events.at(now_us + _SENDER_REPORT_INTERVAL_US, self._send_report)


def _packetize(frame: SentFrame) -> list[Packet]:
    """Return the packets of a frame: pieces of about the same size."""
    payload_bytes, longer = divmod(frame.record.size_bytes, frame.packets)
    size_bytes = payload_bytes + RTP_OVERHEAD_BYTES
    return [
        VideoPacket(frame, frame.first_index + number, size_bytes + (number < longer))
        for number in range(frame.packets)
    ]


def _sequence(packet: Packet) -> int:
    assert not isinstance(packet, PaddingPacket)
    return packet.sequence if isinstance(packet, VideoPacket) else packet.original.sequence


def _scaled(ratio: float) -> Resolution:
    if ratio == 1:
        return FULL_RESOLUTION
    return Resolution(round(FULL_RESOLUTION.width_px * ratio), round(FULL_RESOLUTION.height_px * ratio))
