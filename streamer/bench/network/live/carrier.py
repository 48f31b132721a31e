"""The process that carries packets between two TUN devices as two links say, and writes down each one.

Run by `emulated_link.py` as `python -m streamer.bench.network.live.carrier SERVER VIEWER FILE`, with the descriptors of
both devices and the path of the log. A pickled `Course` comes first on standard input; its end ends the process. It is
a process of its own because its lateness is added to every packet, and its work must not delay what is measured.
"""

import gc
import os
import pickle
import select
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from streamer.bench.network.live.lane import Course, Lane
from streamer.bench.network.live.packet_log import DOWN, UP, is_media, write_log
from streamer.clock import SystemClock, sharpen_thread_timers

# As much as a device gives at once, and then what has become due meanwhile is delivered.
_PACKETS_PER_TURN = 16
_PACKET_BYTES = 65_536
_US_PER_S = 1_000_000
# The lowest of the realtime priorities: above everything that is measured.
_PRIORITY = 1
_IPV4 = 4


class Carrier:
    """Both directions, from the first packet until standard input ends."""

    def __init__(self, server: int, viewer: int, course: Course) -> None:
        self._clock = SystemClock()
        self._down = Lane(DOWN, server, viewer, course.down, course.seed)
        self._up = Lane(UP, viewer, server, course.up, course.seed + 1)
        self._has_begun = False

    @property
    def lanes(self) -> Sequence[Lane]:
        return self._down, self._up

    def run(self, command: int) -> None:
        """Carry until the descriptor `command` has something to say."""
        sources = [lane.source for lane in self.lanes]
        while True:
            readable, _, _ = select.select([*sources, command], [], [], self._patience_s())
            if command in readable:
                return
            for lane in self.lanes:
                if lane.source in readable:
                    self._take(lane)
            now_us = self._clock.now_us()
            for lane in self.lanes:
                lane.deliver(now_us)

    def _patience_s(self) -> float | None:
        dues_us = [due_us for lane in self.lanes if (due_us := lane.next_us()) is not None]
        return max(0, min(dues_us) - self._clock.now_us()) / _US_PER_S if dues_us else None

    def _take(self, lane: Lane) -> None:
        for packet in _read(lane.source):
            now_us = self._clock.now_us()
            if not self._has_begun and lane is self._down and is_media(packet):
                self._has_begun = True
                for each in self.lanes:
                    each.begin(now_us)
            lane.push(packet, now_us)


def _read(source: int) -> Iterator[bytes]:
    """Yield the IPv4 packets that wait in a device, up to some number."""
    with suppress(BlockingIOError):
        for _ in range(_PACKETS_PER_TURN):
            packet = os.read(source, _PACKET_BYTES)
            if packet[0] >> 4 == _IPV4:
                yield packet


def main() -> None:
    """Carry out one course."""
    server, viewer = map(int, sys.argv[1:3])
    course = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the bench that started this process
    # Ctrl-C reaches every process of a terminal: this one ends when the bench says so, or has ended itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sharpen_thread_timers()
    with suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(_PRIORITY))
    # The log grows to many values: looking through all of them for garbage takes longer than a packet may be late.
    gc.disable()
    carrier = Carrier(server, viewer, course)
    carrier.run(sys.stdin.fileno())
    with Path(sys.argv[3]).open("w", encoding="ascii", newline="") as file:
        write_log(file, [packet for lane in carrier.lanes for packet in lane.packets])


if __name__ == "__main__":
    main()
