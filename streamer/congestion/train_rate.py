"""How fast trains pass the bottleneck: its rate on every frame, without a queue and without padding.

One train says little: the receiver's clock counts in 250 us, other traffic comes between, radio links deliver in
batches. So trains are pooled, bytes over time, until their sum is worth something.
"""

from collections import deque
from math import sqrt
from typing import NamedTuple

from streamer.congestion.trains import Train
from streamer.media.units import BITS_PER_BYTE_US

# Fewer packets than this are too few distances to be a measurement.
MIN_PACKETS = 4
# What takes longer is no measurement: a path of 500 kbit/s lets half of the longest train pass within this time.
MAX_SPAN_US = 1_000_000
# Long enough for a dozen frames; short enough to follow a step within two or three reports.
FAST_US = 200_000
SLOW_US = 1_000_000
# A pool whose error is larger than this says nothing.
_MAX_ERROR_RATIO = 0.1
# A third is far enough off to be of no use to anybody, but not to tell a path that has become narrow from one of which
# others have taken half.
ROUGH_ERROR_RATIO = 0.3
# Both ends of a span are rounded to 250 us.
_TICK_ERROR_US = 100


_MIN_TRAINS = 2


# A difference that errors do not explain: what is worth to be followed at once, and four deviations.
_CHANGE_RATIO = 0.15
_CHANGE_ERRORS = 4
# Radio paths change within seconds; a step now and then is over after as long.
_VARIATION_GAIN = 1 / 128
# Of a change that is larger no more than this counts: a step is soon over.
_MAX_CHANGE_RATIO = 0.2


class Measurement(NamedTuple):
    """A rate, and how far off it may be: one deviation."""

    rate_bps: int
    error_ratio: float


class _Pool:
    """The trains of one window."""

    __slots__ = ("_size_bytes", "_span_us", "_trains", "_window_us")

    def __init__(self, window_us: int) -> None:
        self._window_us = window_us
        self._trains: deque[tuple[int, int, int]] = deque()
        self._size_bytes = 0
        self._span_us = 0

    def add(self, at_us: int, size_bytes: int, span_us: int) -> None:
        self._trains.append((at_us, size_bytes, span_us))
        self._size_bytes += size_bytes
        self._span_us += span_us
        self.drop_before(at_us - self._window_us)

    def drop_before(self, at_us: int) -> None:
        trains = self._trains
        while trains and trains[0][0] < at_us:
            _, size_bytes, span_us = trains.popleft()
            self._size_bytes -= size_bytes
            self._span_us -= span_us

    def measure(self, jitter_us: int, most_error_ratio: float) -> Measurement | None:
        count = len(self._trains)
        if count < _MIN_TRAINS or self._span_us <= 0:
            return None
        error_ratio = sqrt(count) * (_TICK_ERROR_US + jitter_us) / self._span_us
        if error_ratio > most_error_ratio:
            return None
        return Measurement(self._size_bytes * BITS_PER_BYTE_US // self._span_us, error_ratio)


class TrainRate:
    """The pooled rate of one path."""

    __slots__ = ("_fast", "_slow", "_variation")

    def __init__(self) -> None:
        self._fast = _Pool(FAST_US)
        self._slow = _Pool(SLOW_US)
        # How far the rate of a moment is from that of a second, as a ratio and on average.
        self._variation = 0.0

    def add(self, train: Train, jitter_us: int) -> None:
        """Take a complete train."""
        if len(train.arrivals_us) < MIN_PACKETS:
            return
        size_bytes, span_us = train.passage()
        if span_us > MAX_SPAN_US:
            return
        at_us = train.arrivals_us[-1]
        self._fast.add(at_us, size_bytes, span_us)
        self._slow.add(at_us, size_bytes, span_us)
        fast, slow = self._measure(jitter_us, _MAX_ERROR_RATIO)
        if fast is not None and slow is not None:
            change_ratio = abs(fast.rate_bps / slow.rate_bps - 1) - 4 * fast.error_ratio
            self._variation += (min(max(0.0, change_ratio), _MAX_CHANGE_RATIO) - self._variation) * _VARIATION_GAIN

    @property
    def variation_ratio(self) -> float:
        """How much the rate varies from one moment to the next, beyond what errors explain."""
        return self._variation

    def age(self, now_us: int) -> None:
        """Let go of what is older than its pool, though nothing has come since."""
        self._fast.drop_before(now_us - FAST_US)
        self._slow.drop_before(now_us - SLOW_US)

    def forget_before(self, at_us: int) -> None:
        """Let go of trains from before an instant: the path was another one."""
        self._fast.drop_before(at_us)
        self._slow.drop_before(at_us)

    def measure(self, jitter_us: int, most_error_ratio: float = _MAX_ERROR_RATIO) -> Measurement | None:
        """Return the rate, or None while trains are too few or too short to tell.

        The slow pool is the better measurement unless the fast one says that something has changed.
        """
        fast, slow = self._measure(jitter_us, most_error_ratio)
        if slow is None or fast is None:
            return slow if fast is None else fast
        change_ratio = max(_CHANGE_RATIO, _CHANGE_ERRORS * fast.error_ratio)
        return slow if abs(fast.rate_bps - slow.rate_bps) < change_ratio * slow.rate_bps else fast

    def _measure(self, jitter_us: int, most_error_ratio: float) -> tuple[Measurement | None, Measurement | None]:
        return self._fast.measure(jitter_us, most_error_ratio), self._slow.measure(jitter_us, most_error_ratio)
