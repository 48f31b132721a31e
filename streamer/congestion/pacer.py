"""Decide which packets may leave now, so that a frame does not build a queue in the network.

Owns the backlog. Knows nothing of sockets or codecs: `release` is told the time and returns packets. It never drops
one: a backlog is reported, and whoever makes the frames makes fewer or smaller ones.

Rules: packets wait in bursts, in order within their priority. A frame of at most 16 packets is one burst. A longer one
is as few as may be, all of the same size, spread so that the last one leaves when the frame has been paid for at the
pacing rate. A burst that finds nothing waiting leaves at once; each later one when its distance to the one before it
has passed. So a burst that a timer releases late does not delay those behind it, but a long stall earns no more than a
few milliseconds.
"""

from collections import deque
from collections.abc import Sequence
from enum import IntEnum
from typing import Generic, Protocol, TypeVar

from streamer.media.units import BITS_PER_BYTE_US

# What one call of the kernel takes at once. At 9 Mbit/s and 60 fps it is a whole frame of 1200-byte payloads.
BURST_PACKETS = 16
# A wake-up of the event loop costs as much as sending ten packets, so a burst may be longer where that is a short time:
# at 25 Mbit/s and 60 fps a frame leaves in two, and the queue that the second one meets is half a frame long.
BURST_US = 5_000
# Resends come beside a frame's bursts and are many after a tail drop: these many at a time make no queue of their own.
RESENT_PACKETS = 4
# Frames come one at a time, so they may leave faster than the path carries them; what was lost may be much, and is sent
# again at half of that.
RESENT_COST = 2
# A frame that another one waits behind is late already, and must not make a queue for it.
WAITING_COST = 2
# Timers of an event loop are late by 1 ms, and by 3 to 7 ms once in a hundred times on a busy machine. What a longer
# stall would have earned is forfeit, so that it does not end in a flood.
MAX_LATE_US = 4_000


class Priority(IntEnum):
    """Who goes first. `AUDIO` does not wait at all, and `PADDING` is never enqueued: it is made when nothing waits."""

    AUDIO = 0
    RETRANSMISSION = 1
    VIDEO = 2
    PADDING = 3


class Paced(Protocol):
    """All that the pacer must know of a packet."""

    @property
    def size_bytes(self) -> int: ...


PacketT = TypeVar("PacketT", bound=Paced)


class _Burst(Generic[PacketT]):
    """Packets that leave together. `cost_bytes` is what is to be paid for before the next burst leaves."""

    __slots__ = ("cost_bytes", "ends_frame", "is_resend", "packets", "size_bytes")

    def __init__(
        self,
        packets: Sequence[PacketT],
        *,
        cost_bytes: int | None = None,
        ends_frame: bool = False,
        is_resend: bool = False,
    ) -> None:
        self.packets = packets
        self.size_bytes = sum([packet.size_bytes for packet in packets])
        self.cost_bytes = self.size_bytes if cost_bytes is None else cost_bytes
        self.ends_frame = ends_frame
        self.is_resend = is_resend


class Pacer(Generic[PacketT]):
    """The schedule of one transport. Called from the event loop only."""

    __slots__ = (
        "_audio",
        "_audio_at_us",
        "_backlog_bytes",
        "_backlog_packets",
        "_due_at_us",
        "_frame_bytes",
        "_frame_due_at_us",
        "_frames",
        "_pacing_bps",
        "_resend_due_at_us",
        "_resends",
        "_waiting_frames",
    )

    def __init__(self, pacing_bps: int) -> None:
        self._pacing_bps = pacing_bps
        self._audio: list[PacketT] = []
        self._audio_at_us = 0
        self._resends: deque[_Burst[PacketT]] = deque()
        self._frames: deque[_Burst[PacketT]] = deque()
        # When everything that has left is paid for, and when the frames alone would be. Resends wait for each other.
        self._due_at_us = 0
        self._frame_due_at_us = 0
        self._resend_due_at_us = 0
        # Without audio.
        self._backlog_bytes = 0
        self._backlog_packets = 0
        self._frame_bytes = 0
        # How many frames have bursts that wait.
        self._waiting_frames = 0

    @property
    def pacing_bps(self) -> int:
        """How fast waiting packets leave."""
        return self._pacing_bps

    @property
    def backlog_bytes(self) -> int:
        """How much waits, besides audio."""
        return self._backlog_bytes

    @property
    def backlog_packets(self) -> int:
        """How many packets wait, besides audio."""
        return self._backlog_packets

    @property
    def frame_bytes(self) -> int:
        """How much of frames waits."""
        return self._frame_bytes

    def backlog_us(self, now_us: int) -> int:
        """Return how long it takes until the frames that wait have left.

        Resends are not counted, those that have left included: one viewer's losses must not make its rendition skip
        frames for all.
        """
        if not self._frame_bytes:
            return 0
        return max(0, self._frame_due_at_us - now_us) + self._paying_us(self._frame_bytes)

    def set_pacing(self, pacing_bps: int, now_us: int) -> None:
        """Pace at this rate from now on: what has left and is not paid for yet is paid for at it, too."""
        if pacing_bps == self._pacing_bps:
            return
        before_bps, self._pacing_bps = self._pacing_bps, pacing_bps

        self._due_at_us = _rebased(self._due_at_us, now_us, before_bps, pacing_bps)
        self._frame_due_at_us = _rebased(self._frame_due_at_us, now_us, before_bps, pacing_bps)
        self._resend_due_at_us = _rebased(self._resend_due_at_us, now_us, before_bps, pacing_bps)

    def enqueue(self, packets: Sequence[PacketT], priority: Priority, now_us: int) -> None:
        """Take packets of one priority, in order; of video a whole frame at a time."""
        if priority is Priority.AUDIO:
            self._audio += packets
            self._audio_at_us = now_us
            return
        if not packets:
            return
        if not self._backlog_packets:
            self._due_at_us = self._frame_due_at_us = now_us
        if priority is Priority.RETRANSMISSION:
            if not self._resends:
                self._resend_due_at_us = now_us
            bursts = _cut_resends(packets)
            self._resends.extend(bursts)
        else:
            bursts = self._cut_frame(packets)
            self._frames.extend(bursts)
            self._waiting_frames += 1
        self._backlog_packets += len(packets)
        size_bytes = sum([burst.size_bytes for burst in bursts])
        self._backlog_bytes += size_bytes
        if priority is not Priority.RETRANSMISSION:
            self._frame_bytes += size_bytes

    def release(self, now_us: int, budget_bytes: int | None = None) -> list[PacketT]:
        """Return the packets whose turn has come, in the order in which they shall leave.

        A call that comes late returns what should have left meanwhile: at most one burst and what is earned in
        `MAX_LATE_US`. Where there is a budget, the burst that exceeds it is the last one, so that none is stuck for
        ever; without a rest of it only audio leaves.
        """
        packets, self._audio = self._audio, []
        left_bytes = self._backlog_bytes if budget_bytes is None else budget_bytes
        while left_bytes > 0 and (queue := self._due_queue(now_us)) is not None:
            burst = queue.popleft()
            packets += burst.packets
            left_bytes -= burst.size_bytes
            self._forget(len(burst.packets), burst.size_bytes, is_resend=burst.is_resend)
            self._pay(burst, now_us)
        return packets

    def release_one(self, now_us: int) -> list[PacketT]:
        """Return the next packet alone, whatever is due: a path that was silent is asked whether it is there again."""
        queue = self._resends or self._frames
        if not queue:
            return []
        burst = queue[0]
        packet = burst.packets[0]
        burst.packets = burst.packets[1:]
        burst.size_bytes -= packet.size_bytes
        self._forget(1, packet.size_bytes, is_resend=burst.is_resend)
        if not burst.packets:
            queue.popleft()
            self._pay(burst, now_us)
        return [packet]

    def next_wake_us(self) -> int | None:
        """Return when `release` is worth calling again, or None while nothing waits."""
        if self._audio:
            return self._audio_at_us
        if self._resends:
            return self._resend_due_at_us
        return self._due_at_us if self._backlog_packets else None

    def _due_queue(self, now_us: int) -> deque[_Burst[PacketT]] | None:
        if self._resends:
            return self._resends if self._resend_due_at_us <= now_us else None
        return self._frames if self._frames and self._due_at_us <= now_us else None

    def _forget(self, packets: int, size_bytes: int, *, is_resend: bool) -> None:
        self._backlog_packets -= packets
        self._backlog_bytes -= size_bytes
        if not is_resend:
            self._frame_bytes -= size_bytes

    def _pay(self, burst: _Burst[PacketT], now_us: int) -> None:
        """Move on what comes next. A resend does not wait for a frame's bursts, but they pay for it."""
        earliest_us = now_us - MAX_LATE_US
        if burst.is_resend:
            cost_us = self._paying_us(RESENT_COST * burst.cost_bytes)
            self._resend_due_at_us = max(self._resend_due_at_us, earliest_us) + cost_us
        else:
            cost_bytes = burst.cost_bytes
            if self._waiting_frames > 1:
                cost_bytes = max(cost_bytes, WAITING_COST * burst.size_bytes)
            self._waiting_frames -= burst.ends_frame
            cost_us = self._paying_us(cost_bytes)
            self._frame_due_at_us = max(self._frame_due_at_us, earliest_us) + cost_us
        self._due_at_us = max(self._due_at_us, earliest_us) + cost_us

    def _cut_frame(self, packets: Sequence[PacketT]) -> list[_Burst[PacketT]]:
        longest = max(BURST_PACKETS, self._pacing_bps * BURST_US // BITS_PER_BYTE_US // packets[0].size_bytes)
        count = -(-len(packets) // longest)
        size = -(-len(packets) // count)
        # The last burst leaves when the whole frame has been paid for, so those before it pay for it.
        frame_bytes = sum([packet.size_bytes for packet in packets])
        bursts = [
            _Burst(packets[at : at + size], cost_bytes=frame_bytes // (count - 1))
            for at in range(0, size * (count - 1), size)
        ]
        return [*bursts, _Burst(packets[size * (count - 1) :], ends_frame=True)]

    def _paying_us(self, size_bytes: int) -> int:
        return size_bytes * BITS_PER_BYTE_US // self._pacing_bps


def _cut_resends(packets: Sequence[PacketT]) -> list[_Burst[PacketT]]:
    return [_Burst(packets[at : at + RESENT_PACKETS], is_resend=True) for at in range(0, len(packets), RESENT_PACKETS)]


def _rebased(due_at_us: int, now_us: int, before_bps: int, pacing_bps: int) -> int:
    """Return when what was to be paid for by then at one rate is paid for at another."""
    return due_at_us if due_at_us <= now_us else now_us + (due_at_us - now_us) * before_bps // pacing_bps
