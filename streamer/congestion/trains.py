"""Packet trains: what left together, as a frame does, and how it arrived.

A frame leaves within half its interval, in bursts, and then there is silence. So every frame is a measurement: its
first packet meets the queue that stands in the path, and the distances at which the others arrive show how fast the
bottleneck let them pass. A train is what an arrival group is elsewhere, with the sender's own grouping.
"""

from collections.abc import Iterable
from itertools import pairwise

from streamer.congestion.in_flight import Sent
from streamer.media.units import BITS_PER_BYTE_US

# A frame's packets leave in bursts 2 ms apart, and timers are late by a millisecond or two; between two frames of
# 60 fps there are at least 8 ms without packets.
GAP_RATIO = 0.25
# A keyframe or a backlog that leaves without a pause: enough packets for one measurement.
MAX_PACKETS = 96


class Train:
    """The packets of one train that have arrived, in the order of sending.

    `low_us` is the shortest way of any of them: arrival on the receiver's clock less departure on ours. The first
    `burst_packets` left at the same instant.
    """

    __slots__ = ("arrivals_us", "burst_packets", "first_sent_us", "last_sent_us", "low_us", "sizes_bytes")

    def __init__(self, packet: Sent) -> None:
        self.first_sent_us = self.last_sent_us = packet.sent_at_us
        self.burst_packets = 1
        self.arrivals_us = [packet.arrived_at_us]
        self.sizes_bytes = [packet.size_bytes]
        self.low_us = packet.arrived_at_us - packet.sent_at_us

    @property
    def newest_way_us(self) -> int:
        """How long the packet that left last was under way."""
        return self.arrivals_us[-1] - self.last_sent_us

    def steady_bps(self) -> int:
        """Return how fast it passes, its longest pause left out: a radio that pauses once is not a slow one."""
        arrivals_us = self.arrivals_us
        gaps_us = [later - earlier for earlier, later in pairwise(arrivals_us)]
        longest_us = max(gaps_us)
        left_out = gaps_us.index(longest_us) + 1
        size_bytes = sum(self.sizes_bytes) - self.sizes_bytes[0] - self.sizes_bytes[left_out]
        return size_bytes * BITS_PER_BYTE_US // max(1, arrivals_us[-1] - arrivals_us[0] - longest_us)

    @property
    def send_span_us(self) -> int:
        """How long it took to leave."""
        return self.last_sent_us - self.first_sent_us

    def passage(self) -> tuple[int, int]:
        """Return (bytes, us) of the part whose arrivals show how fast the bottleneck let it pass.

        That is its second half where it is long: whatever delays single packets delays those behind them too, so the
        last of many packets is rarely early while the first one may be, which would make the path look slower.
        """
        count = len(self.arrivals_us)
        arrivals_us = sorted(self.arrivals_us)
        first = count // 2 if count >= LONG_PACKETS else 0
        return sum(self.sizes_bytes[first + 1 :]), arrivals_us[-1] - arrivals_us[first]


# Half of it is a measurement of its own: eight distances.
LONG_PACKETS = 16


class Trains:
    """Tells trains apart. `open` is the newest one, whose packets may not all have arrived."""

    __slots__ = ("_gap_us", "open")

    def __init__(self, frame_interval_us: int) -> None:
        self._gap_us = round(frame_interval_us * GAP_RATIO)
        self.open: Train | None = None

    def add(self, packets: Iterable[Sent]) -> list[Train]:
        """Take packets that arrived, in the order of sending; return the trains that are complete."""
        train, gap_us = self.open, self._gap_us
        complete = []
        for packet in packets:
            sent_us, arrived_us = packet.sent_at_us, packet.arrived_at_us
            if train is None or sent_us - train.last_sent_us > gap_us or len(train.arrivals_us) == MAX_PACKETS:
                if train is not None:
                    complete.append(train)
                train = Train(packet)
                continue
            way_us = arrived_us - sent_us
            train.low_us = min(train.low_us, way_us)
            train.arrivals_us.append(arrived_us)
            train.sizes_bytes.append(packet.size_bytes)
            if sent_us == train.first_sent_us and train.burst_packets == len(train.arrivals_us) - 1:
                train.burst_packets += 1
            # A packet that was late in the reports may have left before the train began.
            train.last_sent_us = max(train.last_sent_us, sent_us)
        self.open = train
        return complete
