"""From the link's log to figures: how much of the link was used, and how long its queue was. Pure.

Times are microseconds since the first media went into the link. Bytes are those of IP packets, whatever is in them.
"""

from collections.abc import Iterator

from streamer.bench.network.capacity import Capacity
from streamer.bench.network.link import Fate
from streamer.bench.network.live.packet_log import PacketLog
from streamer.bench.network.rates import Arrivals
from streamer.bench.quantiles import percentile

_US_PER_S = 1_000_000
_US_PER_MS = 1_000
# A rate is reached when so much of the capacity was used for so long; looked at again after each stride.
_REACHED_RATIO = 0.85
_WINDOW_US, STRIDE_US = 500_000, 100_000
# A queue has drained when it stays under two frame intervals for a second.
_DRAINED_US, _CALM_US = 33_000, 1_000_000


class Usage:
    """How the direction to the viewer was used in the first `duration_us`."""

    def __init__(self, log: PacketLog, capacity: Capacity, duration_us: int) -> None:
        began_us = log.began_us
        self._capacity = capacity
        self.duration_us = duration_us
        self._packets = [packet for packet in log.down if packet.entered_us - began_us < duration_us]
        self._began_us = began_us
        carried = [(packet.departed_us - began_us, packet.size_bytes) for packet in log.down if packet.departed_us]
        # What left the bottleneck, and when.
        self.left = Arrivals([at_us for at_us, _ in carried], [size_bytes for _, size_bytes in carried])

    def mbps(self) -> float:
        """Return the mean rate, in millions of bits per second."""
        return round(self.left.rate_bps(0, self.duration_us) / 1e6, 2)

    def utilisation_percent(self, from_us: int = 0) -> float:
        """Return the used part of the capacity from `from_us` to the end."""
        return round(100 * self._used_ratio(from_us, self.duration_us), 2)

    def reach_s(self, from_us: int) -> float | None:
        """Return how long after `from_us` the first half second ends in which 85 % of the capacity was used."""
        for starts_us in range(from_us, self.duration_us - _WINDOW_US + 1, STRIDE_US):
            if self._used_ratio(starts_us, starts_us + _WINDOW_US) >= _REACHED_RATIO:
                return (starts_us + _WINDOW_US - from_us) / _US_PER_S
        return None

    def drain_s(self, from_us: int, until_us: int) -> float | None:
        """Return how long after `from_us` the queue was last 33 ms long before it stayed shorter for a second.

        A packet that found the queue full counts. None if the queue stayed long until `until_us`.
        """
        long_us = from_us
        for at_us, queue_us in self._queue(from_us, until_us):
            if at_us - long_us >= _CALM_US:
                break
            if queue_us is None or queue_us >= _DRAINED_US:
                long_us = at_us
        return None if until_us - long_us < _CALM_US else (long_us - from_us) / _US_PER_S

    def queue_ms(self, percent: float) -> float | None:
        """Return a percentile of what packets waited in the queue, their own transmission included."""
        waits_us = sorted(wait_us for _, wait_us in self._queue(0, self.duration_us) if wait_us is not None)
        return percentile(waits_us, percent) / _US_PER_MS if waits_us else None

    def dropped(self, fate: Fate) -> int:
        """Return how many packets went that way."""
        return sum(packet.fate is fate for packet in self._packets)

    def _used_ratio(self, from_us: int, until_us: int) -> float:
        could_bytes = self._capacity.carried_bytes(from_us, until_us)
        return self.left.size_bytes(from_us, until_us) / could_bytes if could_bytes else 0.0

    def _queue(self, from_us: int, until_us: int) -> Iterator[tuple[int, int | None]]:
        """Yield when packets entered and what they waited; None for those that found the queue full."""
        for packet in self._packets:
            at_us = packet.entered_us - self._began_us
            if from_us <= at_us < until_us and packet.fate is not Fate.LOST:
                yield at_us, packet.queue_us
