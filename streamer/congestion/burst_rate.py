"""How wide the path is, whatever is sent: the rate at which packets arrive that left at the same instant.

The estimate goes no further than what the user allows or what has been tried, but a burst shows the bottleneck itself.
Where that is much wider than the estimate a frame need not be spread: it makes no queue that lasts.
"""

from collections import deque

from streamer.congestion.trains import Train
from streamer.media.units import BITS_PER_BYTE_US

# Fewer packets than this are too few distances.
_MIN_PACKETS = 4
# About a second of frames. One in four may have been slower: it met somebody else's packets.
_BURSTS = 64
_MIN_BURSTS = 8
_QUANTILE = 0.25
# The receiver's clock: what takes less has taken at most that.
_TICK_US = 250


class BurstRate:
    """The width of one path."""

    __slots__ = ("_rates_bps",)

    def __init__(self) -> None:
        self._rates_bps: deque[int] = deque(maxlen=_BURSTS)

    def add(self, train: Train) -> None:
        """Take a complete train, whose first burst counts."""
        count = train.burst_packets
        if count < _MIN_PACKETS:
            return
        arrivals_us = sorted(train.arrivals_us[:count])
        span_us = max(arrivals_us[-1] - arrivals_us[0], _TICK_US)
        self._rates_bps.append(sum(train.sizes_bytes[1:count]) * BITS_PER_BYTE_US // span_us)

    def forget(self) -> None:
        """Let go of everything: a queue stands, so it is another path."""
        self._rates_bps.clear()

    @property
    def rate_bps(self) -> int | None:
        """At least so much passes, or None while too few bursts have shown it."""
        if len(self._rates_bps) < _MIN_BURSTS:
            return None
        return sorted(self._rates_bps)[int(_QUANTILE * len(self._rates_bps))]
