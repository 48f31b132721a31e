"""Decide which packets may leave now, so that a frame does not build a queue in the network.

Owns the backlog. Knows nothing of sockets or codecs: `release` is told the time and returns packets. It never drops
one: a backlog is reported, and whoever makes the frames makes fewer or smaller ones.

Rules: packets wait in bursts of at most 16, in order within their priority. A burst that finds nothing waiting leaves
at once; each later one when its own bytes have been earned at the pacing rate since the one before it was. So a burst
that a timer releases late does not delay those behind it, but a long stall earns no more than a few milliseconds.
"""

from collections import deque
from collections.abc import Sequence
from enum import IntEnum
from typing import Generic, Protocol, TypeVar

# What one call of the kernel takes at once. At 9 Mbit/s and 60 fps it is a whole frame of 1200-byte payloads.
BURST_PACKETS = 16
# A frame of target / fps leaves within half a frame interval when it leaves at twice the target.
DEFAULT_PACING_RATIO = 2.0
# A keyframe of 50 kB shall not take longer than 80 ms even where the target is small.
DEFAULT_FLOOR_BPS = 5_000_000
# Timers of an event loop are late by 1 ms, and by 3 to 7 ms once in a hundred times on a busy machine. What a longer
# stall would have earned is forfeit, so that it does not end in a flood.
MAX_LATE_US = 4_000
_BITS_PER_BYTE_US = 8_000_000


class Priority(IntEnum):
    """Who goes first. `AUDIO` does not wait at all."""

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
    """Packets that leave together."""

    __slots__ = ("packets", "size_bytes")

    def __init__(self, packets: Sequence[PacketT]) -> None:
        self.packets = packets
        self.size_bytes = sum([packet.size_bytes for packet in packets])


class Pacer(Generic[PacketT]):
    """The schedule of one transport. Called from the event loop only."""

    __slots__ = (
        "_audio",
        "_audio_at_us",
        "_backlog_bytes",
        "_backlog_packets",
        "_earned_from_us",
        "_floor_bps",
        "_pacing_bps",
        "_queues",
        "_ratio",
    )

    def __init__(
        self, target_bps: int, *, ratio: float = DEFAULT_PACING_RATIO, floor_bps: int = DEFAULT_FLOOR_BPS
    ) -> None:
        self._ratio = ratio
        self._floor_bps = floor_bps
        self._audio: list[PacketT] = []
        self._audio_at_us = 0
        # One queue for each priority that waits, the first served first.
        self._queues: tuple[deque[_Burst[PacketT]], ...] = (deque(), deque(), deque())
        # Everything that has left was earned before this instant; the next burst is earned from here on.
        self._earned_from_us = 0
        # Without audio.
        self._backlog_bytes = 0
        self._backlog_packets = 0
        self.set_target(target_bps)

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

    def backlog_us(self, now_us: int) -> int:
        """Return how long it takes until everything that waits has left, besides audio."""
        if not self._backlog_packets:
            return 0
        return max(0, self._earned_from_us + self._earning_us(self._backlog_bytes) - now_us)

    def set_target(self, target_bps: int) -> None:
        """Pace for this target from the next burst on."""
        self._pacing_bps = max(round(target_bps * self._ratio), self._floor_bps)

    def enqueue_frame(self, packets: Sequence[PacketT], now_us: int) -> None:
        """Take the packets of one frame, in order. No burst holds packets of two frames."""
        self.enqueue(packets, Priority.VIDEO, now_us)

    def enqueue(self, packets: Sequence[PacketT], priority: Priority, now_us: int) -> None:
        """Take packets of one priority, in order."""
        if priority is Priority.AUDIO:
            self._audio += packets
            self._audio_at_us = now_us
            return
        bursts = [_Burst(packets[at : at + BURST_PACKETS]) for at in range(0, len(packets), BURST_PACKETS)]
        if bursts and not self._backlog_packets:
            self._earned_from_us = now_us - self._earning_us(bursts[0].size_bytes)
        self._queues[priority - Priority.RETRANSMISSION].extend(bursts)
        self._backlog_packets += len(packets)
        self._backlog_bytes += sum([burst.size_bytes for burst in bursts])

    def release(self, now_us: int) -> list[PacketT]:
        """Return the packets whose turn has come, in the order in which they shall leave.

        A call that comes late returns what should have left meanwhile: at most one burst and what is earned in
        `MAX_LATE_US`.
        """
        packets, self._audio = self._audio, []
        queue = self._first_queue()
        while queue is not None and (due_at_us := self._due_at_us(queue)) <= now_us:
            burst = queue.popleft()
            packets += burst.packets
            self._backlog_packets -= len(burst.packets)
            self._backlog_bytes -= burst.size_bytes
            self._earned_from_us = max(due_at_us, now_us - MAX_LATE_US)
            queue = self._first_queue()
        return packets

    def next_wake_us(self) -> int | None:
        """Return when `release` is worth calling again, or None while nothing waits."""
        if self._audio:
            return self._audio_at_us
        queue = self._first_queue()
        return None if queue is None else self._due_at_us(queue)

    def _first_queue(self) -> deque[_Burst[PacketT]] | None:
        for queue in self._queues:
            if queue:
                return queue
        return None

    def _due_at_us(self, queue: deque[_Burst[PacketT]]) -> int:
        return self._earned_from_us + self._earning_us(queue[0].size_bytes)

    def _earning_us(self, size_bytes: int) -> int:
        return size_bytes * _BITS_PER_BYTE_US // self._pacing_bps
