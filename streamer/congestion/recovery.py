"""Decide what a viewer that missed something gets: packets again, a keyframe, or nothing because it is on its way.

Owns the one open keyframe request of a stream. Sending is the transport's, making a keyframe the encoder's business.

Rules:
- A packet is resent at most once within half a round trip, and not while its copy waits in the pacer.
- A packet from before the newest keyframe is not resent: the decoder starts again at the keyframe.
- What is not held any more, or would cost more or take longer than keyframes do, or more than a share of the target
  over a second, is answered by a keyframe.
- There is one request, open until a keyframe captured after it has been offered. Keyframes on request keep a distance,
  which doubles while requests go on.

Forward error correction joins in `nack`, which then leaves out what a repair packet under way restores. Reference
invalidation joins where a request is opened: `Wish.lost_capture_us` names the frame to avoid instead of `keyframe`.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from streamer.media.units import BITS_PER_BYTE, BITS_PER_BYTE_US
from streamer.rtp.history import SendHistory, SentPacket

# A resend of the same packet sooner than this answers the same NACK, which receivers send again at 5 ms and more.
MIN_RESEND_INTERVAL_US = 5_000
# Ten keyframes a second, each three frames large, are half of a stream of 60 fps.
MIN_KEYFRAME_INTERVAL_US = 100_000
# A path that needs a keyframe all the time is not helped by them, but must not stay dark for long either.
MAX_KEYFRAME_INTERVAL_US = 1_000_000
# This long after the last keyframe on request the next one counts as the first again.
KEYFRAME_CALM_US = 2_000_000
# A keyframe costs its bytes and a visible loss of quality: worth it when the resends cost twice as much.
RESEND_LIMIT_IN_KEYFRAMES = 2
# What one message may make us look at: a second of 10 Mbit/s. Chromium names no more than 1000.
MAX_NAMED_PACKETS = 1024
# Two copies of so few packets, where one in two hundred is lost, cost less than 1 % of a stream of 5 Mbit/s.
TWICE_LIMIT_PACKETS = 4
TWICE_LOSS_RATIO = 0.005
# The limit beside small keyframes, whose successor may be larger: 64 packets, or 70 ms of a stream of 9 Mbit/s.
SMALL_KEYFRAMES_LIMIT_BYTES = 64 * 1200
# Nothing newer is shown before resends have arrived: they may take as long as two keyframes of three frames each do at
# 60 fps.
MAX_RESEND_US = 100_000
# The limit at the lowest targets: no keyframe is smaller.
LEAST_LIMIT_BYTES = 8 * 1200
# Of the target, over a second: what two copies of each packet take where a fifth is lost. A viewer that names what it
# has received would otherwise get each packet again and again.
RESENT_SHARE = 0.5
RESENT_WINDOW_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Repair:
    """What to do about a NACK: resend these, oldest first as named; `needs_keyframe` says that some cannot be."""

    resend: tuple[SentPacket, ...] = ()
    needs_keyframe: bool = False


class Recovery:
    """The policy of one video stream. Called from the event loop only, but for the question whether one is wanted."""

    def __init__(self, history: SendHistory) -> None:
        self._history = history
        self._requested_at_us: int | None = None
        # Of the first packet of the newest keyframe.
        self._keyframe_index: int | None = None
        self._keyframe_bytes = 0
        self._keyframe_at_us: int | None = None
        self._answered_at_us: int | None = None
        self._interval_us = MIN_KEYFRAME_INTERVAL_US
        self._rtt_us = 0
        # Packets whose copies have not left yet, by sequence number.
        self._waiting: dict[int, SentPacket] = {}
        # (when, how much) was resent within the last second, and the sum.
        self._resent: deque[tuple[int, int]] = deque()
        self._resent_bytes = 0
        # Requester and number of the last full intra request.
        self._command: tuple[int, int] | None = None

    def nack(
        self,
        sequences: Sequence[int],
        now_us: int,
        rtt_us: int | None,
        *,
        target_bps: int,
        loss_ratio: float = 0.0,
    ) -> Repair:
        """Decide about packets that did not arrive, and open a keyframe request if they cannot all be resent.

        `loss_ratio` is what the path loses anyway. Where that is much and little is missing, each is named twice: a
        resend that is lost again holds up every frame behind it for longer than a round trip. `target_bps` is what
        video may take, of which resends get a share.
        """
        quiet_us = max(MIN_RESEND_INTERVAL_US, min(rtt_us or 0, MAX_KEYFRAME_INTERVAL_US) // 2)
        missing: dict[int, SentPacket] = {}
        is_gone = False
        for sequence in sequences[:MAX_NAMED_PACKETS]:
            if self._is_settled(sequence):
                continue
            packet = self._history.get(sequence)
            if packet is None:
                is_gone = True
            else:
                missing[sequence] = packet
        resend = tuple(
            packet
            for packet in missing.values()
            if _is_quiet(packet, now_us - quiet_us) and not self._waits(packet, now_us)
        )
        if self._is_too_much(_size_bytes(resend), now_us, target_bps) or is_gone:
            self.request_keyframe(now_us, rtt_us)
            if self._requested_at_us is not None:
                return Repair(needs_keyframe=True)
        is_cheap = len(resend) <= TWICE_LIMIT_PACKETS and loss_ratio > TWICE_LOSS_RATIO
        repair = Repair(resend * 2 if is_cheap else resend)
        self._note(repair, now_us)
        return repair

    def resend_left(self, sequence: int, now_us: int) -> None:
        """Note that the copy of a packet has left: until then it waits, and nothing is gained by another one."""
        packet = self._waiting.pop(sequence, None)
        if packet is not None:
            packet.retransmitted_at_us = now_us

    def lost(self, copies: Sequence[tuple[int, int]], now_us: int, rtt_us: int | None, *, target_bps: int) -> Repair:
        """Decide about copies that the transport knows to be lost: (sequence number, when that copy had left).

        Nothing is done about a packet of which a newer copy is under way. So a lost resend is sent again as soon as
        that is known, and the end of a frame that nothing follows before anybody can miss it.
        """
        missing = []
        for sequence, sent_at_us in copies:
            packet = self._history.get(sequence)
            newest_at_us = None if packet is None else max(packet.sent_at_us, packet.retransmitted_at_us or 0)
            if newest_at_us is not None and newest_at_us <= sent_at_us:
                missing.append(sequence)
                self._waiting.pop(sequence, None)
        return self.nack(missing, now_us, rtt_us, target_bps=target_bps) if missing else Repair()

    def full_intra_request(self, requester_ssrc: int, number: int, now_us: int, rtt_us: int | None) -> bool:
        """Open a request unless this command number repeats the last one; return whether one was opened."""
        # RFC 5104, 4.3.1.1: a repetition carries the same number, a new command the next one.
        if self._command == (requester_ssrc, number):
            return False
        self._command = (requester_ssrc, number)
        return self.request_keyframe(now_us, rtt_us)

    def request_keyframe(self, now_us: int, rtt_us: int | None) -> bool:
        """Open a request for any reason: picture loss, a viewer's stall, our own need. Return whether one was opened.

        A request that was sent before the newest keyframe can have arrived is answered by that keyframe.
        """
        # A queue of seconds shall not keep a viewer in the dark for as long.
        self._rtt_us = min(rtt_us or 0, MAX_KEYFRAME_INTERVAL_US)
        if self._requested_at_us is not None:
            return False
        if self._keyframe_at_us is not None and now_us - self._keyframe_at_us < self._rtt_us:
            return False
        self._requested_at_us = now_us
        return True

    def keyframe_due_us(self) -> int | None:
        """Return from when on the next frame shall be a keyframe, or None if nobody asks for one.

        May be called from any thread, as `keyframe_wanted` may: what it reads are single values.
        """
        requested_at_us, keyframe_at_us = self._requested_at_us, self._keyframe_at_us
        if requested_at_us is None or keyframe_at_us is None:
            return requested_at_us
        interval_us = self._interval_us if self._is_repeated(requested_at_us) else MIN_KEYFRAME_INTERVAL_US
        return max(requested_at_us, keyframe_at_us + max(interval_us, self._rtt_us))

    def keyframe_wanted(self, now_us: int) -> bool:
        """Return whether the next frame shall be a keyframe."""
        due_at_us = self.keyframe_due_us()
        return due_at_us is not None and due_at_us <= now_us

    def keyframe_offered(self, capture_us: int, *, first_sequence: int, size_bytes: int, now_us: int) -> None:
        """Note a keyframe on its way to the viewer, whoever asked for it."""
        self._keyframe_index = self._history.index(first_sequence)
        self._keyframe_bytes = size_bytes
        self._keyframe_at_us = now_us
        # Copies of what is older than the keyframe may still leave, and are nobody's concern any more.
        self._waiting.clear()
        if self._requested_at_us is None or capture_us < self._requested_at_us:
            return
        self._requested_at_us = None
        doubled_us = min(2 * self._interval_us, MAX_KEYFRAME_INTERVAL_US)
        self._interval_us = doubled_us if self._is_repeated(now_us) else MIN_KEYFRAME_INTERVAL_US
        self._answered_at_us = now_us

    def _is_repeated(self, now_us: int) -> bool:
        return self._answered_at_us is not None and now_us - self._answered_at_us < KEYFRAME_CALM_US

    def _is_settled(self, sequence: int) -> bool:
        """Return whether nothing needs to be done: never sent, or from before the newest keyframe."""
        index, newest = self._history.index(sequence), self._history.newest_index
        if newest is None or index > newest:
            return True
        return self._keyframe_index is not None and index < self._keyframe_index

    def _waits(self, packet: SentPacket, now_us: int) -> bool:
        """Return whether a copy is still to leave; one that has not left for so long never will."""
        waits = self._waiting.get(packet.sequence) is packet
        if waits and now_us - (packet.retransmitted_at_us or 0) > MAX_KEYFRAME_INTERVAL_US:
            del self._waiting[packet.sequence]
            return False
        return waits

    def _note(self, repair: Repair, now_us: int) -> None:
        """Remember what is about to be resent."""
        for packet in repair.resend:
            packet.retransmitted_at_us = now_us
            self._waiting[packet.sequence] = packet
            self._resent.append((now_us, packet.size_bytes))
            self._resent_bytes += packet.size_bytes

    def _is_too_much(self, size_bytes: int, now_us: int, target_bps: int) -> bool:
        """Return whether so much more is not worth it, with what waits or with what was resent within a second."""
        while self._resent and self._resent[0][0] <= now_us - RESENT_WINDOW_US:
            self._resent_bytes -= self._resent.popleft()[1]
        costly_bytes = max(SMALL_KEYFRAMES_LIMIT_BYTES, RESEND_LIMIT_IN_KEYFRAMES * self._keyframe_bytes)
        slow_bytes = max(LEAST_LIMIT_BYTES, target_bps * MAX_RESEND_US // BITS_PER_BYTE_US)
        if _size_bytes(self._waiting.values()) + size_bytes > min(costly_bytes, slow_bytes):
            return True
        share_bytes = max(LEAST_LIMIT_BYTES, round(RESENT_SHARE * target_bps) // BITS_PER_BYTE)
        return size_bytes > 0 and self._resent_bytes + size_bytes > share_bytes


def _size_bytes(packets: Iterable[SentPacket]) -> int:
    return sum([packet.size_bytes for packet in packets])


def _is_quiet(packet: SentPacket, since_us: int) -> bool:
    return packet.retransmitted_at_us is None or packet.retransmitted_at_us <= since_us
