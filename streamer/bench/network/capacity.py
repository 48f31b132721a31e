"""How much a link carries, over time: a constant rate, steps, or a trace of delivery opportunities.

Rules: a capacity is a value and may be shared; what has been used of it is remembered by the `Server` of one link.
Servers count nanoseconds: a packet of 1200 bytes takes 192 us at 50 Mbit/s, and rounding each to a microsecond would
make the link faster or slower than it says.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Protocol

from streamer.errors import ConfigError
from streamer.media.units import BITS_PER_BYTE_US

# One line of a trace is an opportunity to deliver so much, as Mahimahi defines it.
OPPORTUNITY_BYTES = 1500
# Further away than any simulation lasts: what a link without capacity will deliver.
NEVER_NS = 1 << 62
_NS_PER_US = 1_000
_US_PER_MS = 1_000
_BITS_PER_BYTE_NS = 8_000_000_000


class Server(Protocol):
    """One link's use of a capacity. Asked with growing times only."""

    def finish_ns(self, start_ns: int, size_bytes: int) -> int:
        """Serve so many bytes from `start_ns` on and return when the last one has left."""


class Capacity(Protocol):
    """How much can be carried when."""

    def server(self) -> Server:
        """Return a fresh server of this capacity."""

    def carried_bytes(self, from_us: int, to_us: int) -> int:
        """Return how much could have been carried from one instant to another."""


@dataclass(frozen=True, slots=True)
class Steps:
    """Rates that hold from an instant on: (at_us, rate_bps), the first at 0. A rate of 0 stalls what waits."""

    steps: tuple[tuple[int, int], ...]

    def server(self) -> "Server":
        return _StepServer(self.steps)

    def carried_bytes(self, from_us: int, to_us: int) -> int:
        ends = [at_us for at_us, _ in self.steps[1:]]
        bits_us = 0
        for (at_us, rate_bps), end_us in zip(self.steps, [*ends, to_us], strict=True):
            bits_us += rate_bps * max(0, min(end_us, to_us) - max(at_us, from_us))
        return bits_us // BITS_PER_BYTE_US


def constant(rate_bps: int) -> Steps:
    """Return a capacity that does not change."""
    return Steps(((0, rate_bps),))


class _StepServer:
    """Serves at the rate of the step, across the ends of steps."""

    __slots__ = ("_at", "_ends_ns", "_rates_bps")

    def __init__(self, steps: Sequence[tuple[int, int]]) -> None:
        self._ends_ns = [at_us * _NS_PER_US for at_us, _ in steps[1:]] + [NEVER_NS]
        self._rates_bps = [rate_bps for _, rate_bps in steps]
        self._at = 0

    def finish_ns(self, start_ns: int, size_bytes: int) -> int:
        bits_ns = size_bytes * _BITS_PER_BYTE_NS
        while start_ns < NEVER_NS:
            while start_ns >= self._ends_ns[self._at]:
                self._at += 1
            rate_bps, end_ns = self._rates_bps[self._at], self._ends_ns[self._at]
            if bits_ns <= rate_bps * (end_ns - start_ns):
                return start_ns + bits_ns // rate_bps
            bits_ns -= rate_bps * (end_ns - start_ns)
            start_ns = end_ns
        return NEVER_NS


@dataclass(frozen=True, slots=True)
class Trace:
    """Opportunities to deliver 1500 bytes each, at these milliseconds; it begins again after the last one."""

    opportunities_ms: tuple[int, ...]

    @property
    def period_us(self) -> int:
        """How long it takes until the trace begins again."""
        return self.opportunities_ms[-1] * _US_PER_MS

    def server(self) -> "Server":
        return _TraceServer(self.opportunities_ms)

    def carried_bytes(self, from_us: int, to_us: int) -> int:
        return (self._opportunities_until(to_us) - self._opportunities_until(from_us)) * OPPORTUNITY_BYTES

    def _opportunities_until(self, at_us: int) -> int:
        """Return how many opportunities come before an instant. The last of a period is at the start of the next."""
        periods, rest_us = divmod(at_us, self.period_us)
        return periods * len(self.opportunities_ms) + bisect_left(self.opportunities_ms, rest_us / _US_PER_MS)


class _TraceServer:
    """Uses opportunities in order. The rest of one serves the next packet if that waits already, else it is lost."""

    __slots__ = ("_at", "_left_bytes", "_opportunities_ns", "_period_ns", "_period_start_ns", "_used_ns")

    def __init__(self, opportunities_ms: Sequence[int]) -> None:
        self._opportunities_ns = [at_ms * _US_PER_MS * _NS_PER_US for at_ms in opportunities_ms]
        self._period_ns = self._opportunities_ns[-1]
        self._period_start_ns = 0
        # The next opportunity, and what is left of the last one that was used.
        self._at = 0
        self._used_ns = -1
        self._left_bytes = 0

    def finish_ns(self, start_ns: int, size_bytes: int) -> int:
        if self._used_ns < start_ns:
            self._left_bytes = 0
        while self._left_bytes < size_bytes:
            size_bytes -= self._left_bytes
            self._used_ns = self._next_ns(start_ns)
            self._left_bytes = OPPORTUNITY_BYTES
        self._left_bytes -= size_bytes
        return self._used_ns

    def _next_ns(self, start_ns: int) -> int:
        """Take the first opportunity that is left and not before `start_ns`."""
        opportunities_ns = self._opportunities_ns
        behind_ns = start_ns - self._period_start_ns
        if behind_ns > self._period_ns:
            self._period_start_ns += behind_ns // self._period_ns * self._period_ns
            self._at = 0
        self._at = bisect_left(opportunities_ns, start_ns - self._period_start_ns, self._at)
        if self._at == len(opportunities_ns):
            self._period_start_ns += self._period_ns
            self._at = bisect_left(opportunities_ns, start_ns - self._period_start_ns)
        self._at += 1
        return self._period_start_ns + opportunities_ns[self._at - 1]


def read_trace(file: Path) -> Trace:
    """Read a trace in Mahimahi's format: a line per opportunity, its time in ms, in order.

    Raises:
        ConfigError: the file cannot be read, or is no such trace.
    """
    try:
        lines = file.read_text(encoding="ascii").split()
        opportunities_ms = tuple(map(int, lines))
    except (OSError, ValueError) as exc:
        raise ConfigError(f"--trace {str(file)!r} is no trace: {exc}") from exc
    is_ordered = all(one <= other for one, other in pairwise(opportunities_ms))
    if not opportunities_ms or opportunities_ms[0] < 0 or opportunities_ms[-1] == 0 or not is_ordered:
        raise ConfigError(f"--trace {str(file)!r} is no trace: it needs times in ms, in order, the last above 0")
    return Trace(opportunities_ms)


def step_at(steps: Sequence[tuple[int, int]], at_us: int) -> int:
    """Return the value that holds at an instant, of values that hold from an instant on."""
    return steps[bisect_right(steps, at_us, key=lambda step: step[0]) - 1][1]
