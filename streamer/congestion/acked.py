"""How much demonstrably arrived, over a fast and a slow window of the receiver's time."""

from bisect import bisect_left
from itertools import pairwise
from typing import NamedTuple

from streamer.media.units import BITS_PER_BYTE_US

# A feedback interval holds three frames of 60 fps at least; less would read one large frame as a rate.
FAST_US = 200_000
# What a stream takes on average, keyframes and pauses included.
SLOW_US = 1_000_000
# Old entries go when there are as many of them as this.
_TRIM_ENTRIES = 1024
# As many are kept at most, whatever arrival times say: a second of 300 Mbit/s.
_MAX_ENTRIES = 32_768


class Passage(NamedTuple):
    """Packets in a row: how long they took to arrive, and to be sent."""

    size_bytes: int
    span_us: int
    send_span_us: int
    packets: int

    @property
    def rate_bps(self) -> int:
        """How fast they arrived."""
        return self.size_bytes * BITS_PER_BYTE_US // self.span_us

    @property
    def stretch_ratio(self) -> float:
        """How much longer they took to arrive than to be sent: above 1 a queue grows, below it shrinks."""
        return self.span_us / max(1, self.send_span_us)


class Acked:
    """Bytes by the time of their arrival."""

    __slots__ = ("_arrivals_us", "_sent_us", "_totals_bytes", "_trimmed_bytes")

    def __init__(self) -> None:
        self._arrivals_us: list[int] = []
        self._sent_us: list[int] = []
        # All bytes up to and including that arrival.
        self._totals_bytes: list[int] = []
        # What the totals hold of packets that were let go of.
        self._trimmed_bytes = 0

    def add(self, sent_at_us: int, arrived_at_us: int, size_bytes: int) -> None:
        """Take a packet. One that arrives out of order counts when the newest did."""
        arrivals_us, totals = self._arrivals_us, self._totals_bytes
        self._sent_us.append(sent_at_us)
        if arrivals_us:
            arrivals_us.append(max(arrived_at_us, arrivals_us[-1]))
            totals.append(totals[-1] + size_bytes)
        else:
            arrivals_us.append(arrived_at_us)
            totals.append(size_bytes)

    def trim(self) -> None:
        """Let go of what no window reaches any more."""
        if self._arrivals_us:
            unreached = bisect_left(self._arrivals_us, self._arrivals_us[-1] - SLOW_US)
            old = max(unreached, len(self._arrivals_us) - _MAX_ENTRIES)
            if old >= _TRIM_ENTRIES:
                self._trimmed_bytes = self._totals_bytes[old - 1]
                del self._arrivals_us[:old], self._sent_us[:old], self._totals_bytes[:old]

    @property
    def newest_us(self) -> int:
        """When the newest packet arrived."""
        return self._arrivals_us[-1] if self._arrivals_us else 0

    def rate_bps(self, window_us: int = FAST_US) -> int:
        """Return the rate over the newest `window_us`, or over what there is where that is shorter."""
        if not self._arrivals_us:
            return 0
        end_us = self._arrivals_us[-1]
        span_us = min(window_us, max(end_us - self._arrivals_us[0], FAST_US // 2))
        first = bisect_left(self._arrivals_us, end_us - span_us + 1)
        before = self._totals_bytes[first - 1] if first else self._trimmed_bytes
        return (self._totals_bytes[-1] - before) * BITS_PER_BYTE_US // span_us

    def steady_bps(self) -> int:
        """Return the rate over the fast window, its longest pause left out: a path that stops once is not narrow."""
        arrivals_us, totals = self._arrivals_us, self._totals_bytes
        first = bisect_left(arrivals_us, self.newest_us - FAST_US + 1)
        pauses_us = [later - earlier for earlier, later in pairwise(arrivals_us[first:])]
        if not pauses_us:
            return self.rate_bps()
        longest_us = max(pauses_us)
        after = first + pauses_us.index(longest_us) + 1
        size_bytes = totals[-1] - totals[first] - (totals[after] - totals[after - 1])
        span_us = max(1, arrivals_us[-1] - arrivals_us[first] - longest_us)
        return max(self.rate_bps(), size_bytes * BITS_PER_BYTE_US // span_us)

    def passage(self, from_us: int) -> Passage | None:
        """Return what followed the first arrival that is not before `from_us`, if anything did."""
        first = bisect_left(self._arrivals_us, from_us)
        packets = len(self._arrivals_us) - first
        if packets < 2:  # noqa: PLR2004 - a distance lies between two
            return None
        size_bytes = self._totals_bytes[-1] - self._totals_bytes[first]
        span_us = self._arrivals_us[-1] - self._arrivals_us[first]
        return Passage(size_bytes, span_us, self._sent_us[-1] - self._sent_us[first], packets)
