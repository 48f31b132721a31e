"""How much arrived when, and how fast that was over any span."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from streamer.media.units import BITS_PER_BYTE_US


class Arrivals:
    """Bytes by time of arrival. A span holds what arrived at its beginning and not what arrived at its end."""

    def __init__(self, times_us: Sequence[int], sizes_bytes: Sequence[int]) -> None:
        self._times_us = times_us
        self._totals_bytes = list(accumulate(sizes_bytes, initial=0))

    def size_bytes(self, from_us: int, to_us: int) -> int:
        """Return how much arrived within a span."""
        times_us = self._times_us
        return self._totals_bytes[bisect_left(times_us, to_us)] - self._totals_bytes[bisect_left(times_us, from_us)]

    def rate_bps(self, from_us: int, to_us: int) -> float:
        """Return the mean rate over a span."""
        return self.size_bytes(from_us, to_us) * BITS_PER_BYTE_US / (to_us - from_us)

    def curve(self, end_us: int, window_us: int) -> list[tuple[float, float]]:
        """Return (s, bit/s) of spans in a row, for a plot."""
        ends_us = range(window_us, end_us + 1, window_us)
        return [(at_us / 1e6, self.rate_bps(at_us - window_us, at_us)) for at_us in ends_us]


def merged(columns: Iterable[tuple[Sequence[int], Sequence[int]]]) -> Arrivals:
    """Return the arrivals of several streams together, each given as its times and sizes."""
    pairs = sorted(pair for times_us, sizes_bytes in columns for pair in zip(times_us, sizes_bytes, strict=True))
    return Arrivals([at_us for at_us, _ in pairs], [size_bytes for _, size_bytes in pairs])


def longest_run_us(claims: Iterable[bool], step_us: int) -> int:
    """Return how long a claim about successive steps of time held without a break."""
    return max((run * step_us for run in _runs(claims)), default=0)


def _runs(claims: Iterable[bool]) -> Iterator[int]:
    run = 0
    for claim in claims:
        run = run + 1 if claim else 0
        yield run
