"""The queue that stands in the path: how much longer packets are under way than they need to be.

Owns the shortest way known, which is all that is certain of two clocks that show different times and drift apart. What
a frame's own packets wait for each other does not count: the first packet of a frame meets only what others, or the
frames before it, have left.
"""

from collections import deque

_BUCKET_US = 1_000_000
# A path that carries 60 frames a second is empty now and then within this time; a longer memory would hold on to a
# route that is gone. Clocks that differ by 100 ppm move by 1 ms meanwhile.
_WINDOW_BUCKETS = 10
# The frames of which the least delayed counts: one late packet is no queue.
_STANDING_TRAINS = 2
# A queue that is drained gets shorter, and one that others fill varies: ways that stay within this range are longer
# ways. What they have always varied by comes on top: a jitter of up to 8 ms is measured as 2 ms.
_FLAT_RANGE_US = 4_000
_FLAT_JITTERS = 2
# Quartz clocks are within 100 ppm of each other; more is a queue that grows.
_MAX_DRIFT_PPM = 200
_DRIFT_GAIN = 0.25
# Jitter is how much the ways of three trains in a row depart from a line, which a queue that grows or shrinks does not.
_JITTER_GAIN = 1 / 32
_MAX_BEND_US = 10_000


class QueueDelay:
    """What stands in one path. Ways are differences of two clocks, in microseconds: only changes mean anything."""

    __slots__ = (
        "_buckets",
        "_drift_ppm",
        "_flat_range",
        "_flat_since_us",
        "_jitter_us",
        "_last_lows_us",
        "_newest_us",
        "_recent",
        "base_us",
        "holds_base",
        "jitter_us",
        "standing_us",
    )

    def __init__(self) -> None:
        # (start, least way since then) per second, the newest last.
        self._buckets: deque[tuple[int, int]] = deque()
        self._recent: deque[int] = deque(maxlen=_STANDING_TRAINS - 1)
        self._drift_ppm = 0.0
        self._last_lows_us: tuple[int | None, int | None] = None, None
        self._jitter_us = 0.0
        self._flat_range = (0, 0)
        self._flat_since_us = self._newest_us = 0
        # Whether the shortest way is kept although it was long ago: a queue stands, and nobody drains it.
        self.holds_base = False
        self.base_us = 0
        self.jitter_us = 0
        self.standing_us = 0

    @property
    def flat_us(self) -> int:
        """For how long the ways have stayed as long as they are."""
        return self._newest_us - self._flat_since_us

    @property
    def habit_us(self) -> int:
        """The least that has stood within the last second or two, at any time: what other senders' frames leave."""
        newest = [way_us for _, way_us in (self._buckets[-1], self._buckets[-2])] if len(self._buckets) > 1 else [0]
        return max(0, min(newest) - self.base_us) if len(newest) > 1 else 0

    def add(self, arrived_at_us: int, low_us: int) -> None:
        """Take the lowest way of a train that is complete."""
        before_us, last_us = self._last_lows_us
        if before_us is not None and last_us is not None:
            bend_us = min(abs(low_us - 2 * last_us + before_us) // 2, _MAX_BEND_US)
            self._jitter_us += (bend_us - self._jitter_us) * _JITTER_GAIN
            self.jitter_us = round(self._jitter_us)
        self._last_lows_us = last_us, low_us
        self._recent.append(low_us)
        self._watch_flatness(arrived_at_us, low_us)
        self._note(arrived_at_us, low_us)

    def look(self, arrived_at_us: int, low_us: int) -> None:
        """Find the standing queue, given the lowest way so far of the newest train."""
        if not self._buckets:
            self._note(arrived_at_us, low_us)
            self._flat_range = low_us, low_us
            self._flat_since_us = arrived_at_us
        self.base_us = min(self._base_us(arrived_at_us), low_us)
        # A base that drifts upwards may be above the ways of the trains before this one.
        self.standing_us = max(0, min(low_us, *self._recent) - self.base_us) if self._recent else 0
        self._newest_us = arrived_at_us

    def rebase(self) -> None:
        """Take the present ways as the shortest ones: the route has changed."""
        self._buckets.clear()
        self._note(self._newest_us, self._flat_range[0])
        self.standing_us = 0

    def _note(self, arrived_at_us: int, low_us: int) -> None:
        buckets = self._buckets
        if buckets and arrived_at_us - buckets[-1][0] < _BUCKET_US:
            start_us, least_us = buckets[-1]
            if low_us < least_us:
                buckets[-1] = start_us, low_us
            return
        buckets.append((arrived_at_us, low_us))
        if self.holds_base:
            # What the clocks do cannot be told from what the queue does.
            self._merge()
            return
        while arrived_at_us - buckets[0][0] > _WINDOW_BUCKETS * _BUCKET_US:
            buckets.popleft()
        self._measure_drift()

    def _merge(self) -> None:
        """Let a base that is held for hours take no more room than one that is not."""
        buckets = self._buckets
        while len(buckets) > _WINDOW_BUCKETS + 1:
            oldest, second = buckets.popleft(), buckets.popleft()
            now_us = buckets[-1][0]
            buckets.appendleft(min(oldest, second, key=lambda bucket: self._aged_us(bucket, now_us)))

    def _measure_drift(self) -> None:
        """Compare the least way of the older half of the window with that of the newer one."""
        buckets = self._buckets
        if len(buckets) < _WINDOW_BUCKETS:
            return
        ways = [way_us for _, way_us in buckets]
        half = len(ways) // 2
        drift_ppm = (min(ways[half:-1]) - min(ways[:half])) * 1_000_000 / ((len(ways) - half) * _BUCKET_US)
        if abs(drift_ppm) <= _MAX_DRIFT_PPM:
            self._drift_ppm += (drift_ppm - self._drift_ppm) * _DRIFT_GAIN

    def _base_us(self, now_us: int) -> int:
        return min([self._aged_us(bucket, now_us) for bucket in self._buckets])

    def _aged_us(self, bucket: tuple[int, int], now_us: int) -> int:
        """Return what the way of a bucket would be by now, with the clocks where they are."""
        at_us, way_us = bucket
        return way_us + round((now_us - at_us) * self._drift_ppm) // 1_000_000

    def _watch_flatness(self, arrived_at_us: int, low_us: int) -> None:
        low, high = self._flat_range
        low, high = min(low, low_us), max(high, low_us)
        if high - low > _FLAT_RANGE_US + _FLAT_JITTERS * self.jitter_us:
            low = high = low_us
            self._flat_since_us = arrived_at_us
        self._flat_range = low, high
