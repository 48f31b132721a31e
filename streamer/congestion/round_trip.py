"""Round trips and the distance of reports: how late what we know is."""

from collections import deque

_WINDOW_US = 10_000_000
_BUCKET_US = 1_000_000
# Reports whose distance is remembered: two thirds of a second of them, so that one lost in a while is expected.
_INTERVALS = 16
# Chromium's are 50 ms apart from 220 kbit/s on; two lost ones in a row are no reason to wait for more.
_INTERVAL_RANGE_US = (50_000, 150_000)
# Longer than this is silence, which is no measure of what comes after it.
_SILENCE_US = 300_000


class RoundTrip:
    """What one path's reports say of its length."""

    __slots__ = ("_buckets", "_intervals_us", "_reported_at_us")

    def __init__(self) -> None:
        self._buckets: deque[tuple[int, int]] = deque()
        self._intervals_us: deque[int] = deque(maxlen=_INTERVALS)
        self._reported_at_us: int | None = None

    @property
    def rtt_us(self) -> int | None:
        """The shortest of the last second or two: a report waits for the receiver's timer, and says not how long."""
        buckets = self._buckets
        return min(buckets[-1][1], buckets[-2][1] if len(buckets) > 1 else _WINDOW_US) if buckets else None

    @property
    def least_us(self) -> int:
        """The shortest round trip of the last seconds, 0 before the first."""
        return min([rtt_us for _, rtt_us in self._buckets], default=0)

    @property
    def interval_us(self) -> int:
        """The longest that a report was awaited lately."""
        low, high = _INTERVAL_RANGE_US
        return min(max([low, *self._intervals_us]), high)

    def add(self, sent_at_us: int, now_us: int) -> None:
        """Take a report whose newest packet left at `sent_at_us`."""
        if self._reported_at_us is not None:
            interval_us = now_us - self._reported_at_us
            if interval_us < _SILENCE_US:
                self._intervals_us.append(interval_us)
        self._reported_at_us = now_us
        rtt_us = now_us - sent_at_us
        buckets = self._buckets
        if buckets and now_us - buckets[-1][0] < _BUCKET_US:
            if rtt_us < buckets[-1][1]:
                buckets[-1] = buckets[-1][0], rtt_us
            return
        buckets.append((now_us, rtt_us))
        while now_us - buckets[0][0] > _WINDOW_US:
            buckets.popleft()

    def rebase(self) -> None:
        """Forget shorter ways: the route has changed."""
        self._buckets.clear()
