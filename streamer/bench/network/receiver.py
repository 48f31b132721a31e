"""A browser that receives one stream: what it can decode when, what it asks for, and what it reports.

Decodes without a jitter buffer, as a browser does whose playout delay is zero. A frame can be decoded when all of it
and every frame since the keyframe before it have arrived; a complete keyframe makes what is missing before it
meaningless.
"""

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from streamer.bench.arrivals import REPORT_INTERVAL_US, StreamArrivals, TransportArrivals
from streamer.bench.network.events import Alarm, Events
from streamer.bench.network.nack import CHECK_INTERVAL_US, NackRequester
from streamer.bench.network.packets import (
    DATAGRAM_OVERHEAD_BYTES,
    Packet,
    PaddingPacket,
    ReceptionReport,
    ResentPacket,
    SenderTime,
    SentFrame,
    VideoPacket,
)
from streamer.bench.network.recording import StreamRecord
from streamer.media.units import BITS_PER_BYTE_US
from streamer.rtp.requests import Nack, PictureLoss

_SSRC = 1
# Chromium's remote_estimator_proxy.cc: feedback takes 5 % of the rate, a message being 68 bytes, within these bounds.
_FEEDBACK_BITS = 68 * 8
_FEEDBACK_SHARE = 0.05
_FEEDBACK_INTERVALS_US = (50_000, 250_000)
_FIRST_FEEDBACK_US = 100_000
_RATE_WINDOW_US = 500_000
# The page asks for a keyframe when payload has come for so long without completing a frame (web/src/video/stall.ts): at
# least this long, and as long as a repair takes. It asks again after pauses that double.
_STALL_US = 150_000
_REPAIR_SLACK_US = 100_000
_FIRST_STALL_US = 500_000
_STALL_PAUSES_US = (300_000, 2_400_000)
# Sizes on the wire with IP, UDP and SRTCP around them.
_NACK_BYTES = 70
_PLI_BYTES = 62
_REPORT_BYTES = 82
_FEEDBACK_HEAD_BYTES = 72

Send = Callable[[Any, int], None]


@dataclass(frozen=True, slots=True)
class ReceiverClock:
    """The receiver's clock against true time: how far it is off, and how much faster it runs.

    Packets are seen up to `late_us` after they came, as a busy machine sees them.
    """

    offset_us: int = 1_000_000_000
    skew_ppm: float = 0.0
    late_us: int = 0

    def read_us(self, now_us: int) -> int:
        """Return what it shows."""
        return self.offset_us + now_us + round(now_us * self.skew_ppm / 1_000_000)


class Receiver:
    """One stream at its other end. `send(message, size_bytes)` takes messages to the sender.

    `rtt_us()` is what ICE's checks measure: they are small, and meet a queue by chance only.
    """

    def __init__(
        self,
        events: Events,
        clock: ReceiverClock,
        send: Send,
        rtt_us: Callable[[], int],
        record: StreamRecord,
        rng: random.Random,
    ) -> None:
        self._events = events
        self._rtt_us = rtt_us
        self._clock = clock
        self._rng = rng
        self._seen_us = 0
        self._send = send
        self._record = record
        self._frames = DecodableFrames()
        self._nacks = NackRequester()
        self._nack_alarm = Alarm(events, self._ask_again)
        self._transport = TransportArrivals(_SSRC)
        self._stream = StreamArrivals(_SSRC)
        self._reported = (0, 0)
        self._sender_time: tuple[SenderTime, int] | None = None
        self._recent: deque[tuple[int, int]] = deque()
        self._recent_bytes = 0
        self._stall = Stall()
        self._has_begun = False

    def received(self, content: "tuple[int, Packet] | SenderTime", now_us: int) -> None:
        """Take what arrives: a packet with its transport-wide index, or a sender report."""
        if isinstance(content, SenderTime):
            self._sender_time = (content, now_us)
            return
        if not self._has_begun:
            self._has_begun = True
            self._events.at(now_us + _FIRST_FEEDBACK_US, self._send_feedback)
            self._events.at(now_us + REPORT_INTERVAL_US, self._send_report)
        number, packet = content
        self._transport.note(number & 0xFFFF, self._clock.read_us(self._seen_at_us(now_us)))
        self._count(packet.size_bytes, now_us)
        if isinstance(packet, PaddingPacket):
            return
        self._record.received(now_us, packet.size_bytes + DATAGRAM_OVERHEAD_BYTES)
        if isinstance(packet, ResentPacket):
            self._take(packet.original, now_us)
        else:
            self._stream.note(packet.sequence)
            self._take(packet, now_us)

    def _seen_at_us(self, now_us: int) -> int:
        """Return when the machine notices what has arrived: packets that it is late for are noticed together."""
        if self._clock.late_us and now_us > self._seen_us:
            self._seen_us = now_us + round(self._rng.random() * self._clock.late_us)
        return max(now_us, self._seen_us)

    def _take(self, packet: VideoPacket, now_us: int) -> None:
        self._ask(self._nacks.arrived(packet.index, now_us))
        decoded = self._frames.take(packet)
        for frame in decoded:
            frame.record.completed_at_us = now_us
        if decoded:
            self._nacks.forget_before(decoded[-1].first_index + decoded[-1].packets)
            self._stall.decoded()
        elif self._stall.is_over_limit(now_us, self._rtt_us()):
            self._ask_for_keyframe()
        if self._nacks.take_overflow():
            self._ask_for_keyframe()
        if self._nacks.is_waiting:
            self._nack_alarm.set((now_us // CHECK_INTERVAL_US + 1) * CHECK_INTERVAL_US)

    def _ask_again(self) -> None:
        now_us = self._events.now_us
        self._ask(self._nacks.due(now_us))
        if self._nacks.is_waiting:
            self._nack_alarm.set(now_us + CHECK_INTERVAL_US)

    def _ask(self, indices: list[int]) -> None:
        if indices:
            self._send(Nack(_SSRC, _SSRC, tuple(index & 0xFFFF for index in indices)), _NACK_BYTES)

    def _ask_for_keyframe(self) -> None:
        self._record.keyframe_requests += 1
        self._send(PictureLoss(_SSRC, _SSRC), _PLI_BYTES)

    def _send_feedback(self) -> None:
        feedback = self._transport.report(_SSRC)
        if feedback is not None:
            self._send(feedback, _FEEDBACK_HEAD_BYTES + len(feedback.deltas))
        self._events.at(self._events.now_us + self._feedback_interval_us(), self._send_feedback)

    def _feedback_interval_us(self) -> int:
        self._age_recent(self._events.now_us)
        rate_bps = self._recent_bytes * BITS_PER_BYTE_US // _RATE_WINDOW_US
        least_us, most_us = _FEEDBACK_INTERVALS_US
        interval_us = round(_FEEDBACK_BITS * 1_000_000 / (_FEEDBACK_SHARE * max(1, rate_bps)))
        return max(least_us, min(interval_us, most_us))

    def _count(self, size_bytes: int, now_us: int) -> None:
        self._recent.append((now_us, size_bytes))
        self._recent_bytes += size_bytes

    def _age_recent(self, now_us: int) -> None:
        while self._recent and self._recent[0][0] <= now_us - _RATE_WINDOW_US:
            self._recent_bytes -= self._recent.popleft()[1]

    def _send_report(self) -> None:
        now_us = self._events.now_us
        expected, lost = self._stream.expected, self._stream.lost
        new_expected, new_lost = expected - self._reported[0], lost - self._reported[1]
        self._reported = (expected, lost)
        time, arrived_at_us = self._sender_time or (None, now_us)
        loss_ratio = max(0.0, new_lost / new_expected) if new_expected > 0 else 0.0
        self._send(ReceptionReport(loss_ratio, time, now_us - arrived_at_us), _REPORT_BYTES)
        self._events.at(now_us + REPORT_INTERVAL_US, self._send_report)


class DecodableFrames:
    """Puts packets together and says which frames can be decoded with them."""

    def __init__(self) -> None:
        self._next_number = 0
        # By frame number: which packets are missing; and frames that are complete but not decodable yet.
        self._missing: dict[int, set[int]] = {}
        self._complete: dict[int, SentFrame] = {}

    def take(self, packet: VideoPacket) -> list[SentFrame]:
        """Take a packet; return the frames that can be decoded with it, in order."""
        frame = packet.frame
        number = frame.number
        if number < self._next_number or number in self._complete:
            return []
        missing = self._missing.get(number)
        if missing is None:
            missing = self._missing[number] = set(range(frame.first_index, frame.first_index + frame.packets))
        missing.discard(packet.index)
        if missing:
            return []
        del self._missing[number]
        self._complete[number] = frame
        if frame.record.is_keyframe:
            self._skip_to(number)
        return self._decode()

    def _skip_to(self, number: int) -> None:
        self._next_number = number
        self._missing = {later: missing for later, missing in self._missing.items() if later > number}
        self._complete = {later: frame for later, frame in self._complete.items() if later >= number}

    def _decode(self) -> list[SentFrame]:
        decoded = []
        while (frame := self._complete.pop(self._next_number, None)) is not None:
            decoded.append(frame)
            self._next_number += 1
        return decoded


class Stall:
    """Decides when the picture has stood still for too long although video arrives."""

    def __init__(self) -> None:
        self._since_us: int | None = None
        self._silent_until_us = 0
        self._pause_us = _STALL_PAUSES_US[0]
        self._has_decoded = False

    def decoded(self) -> None:
        """Take note of a frame."""
        self._since_us = None
        self._silent_until_us = 0
        self._pause_us = _STALL_PAUSES_US[0]
        self._has_decoded = True

    def is_over_limit(self, now_us: int, rtt_us: int) -> bool:
        """Take note of payload that completed no frame; return whether to ask for a keyframe."""
        if self._since_us is None:
            self._since_us = now_us
        least_us = _STALL_US if self._has_decoded else _FIRST_STALL_US
        limit_us = max(least_us, rtt_us + _REPAIR_SLACK_US)
        if now_us - self._since_us < limit_us or now_us < self._silent_until_us:
            return False
        self._silent_until_us = now_us + self._pause_us
        self._pause_us = min(2 * self._pause_us, _STALL_PAUSES_US[1])
        return True
