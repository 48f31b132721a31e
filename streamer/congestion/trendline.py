"""Whether the ways of packets become longer: the slope of a line through the newest ones, against a threshold.

The detector of libwebrtc's goog_cc, fed with one value per train instead of one per 5 ms. The lowest way of a train
does not depend on how large its frame was, so the line is straight where the queue is.
"""

from collections import deque

from streamer.congestion.decision import Usage

# A third of a second at 60 fps.
WINDOW_TRAINS = 20
_SMOOTHING = 0.9
_GAIN = 4.0
_MAX_TRAINS = 60
_THRESHOLD_MS = 12.5
_THRESHOLD_RANGE_MS = (6.0, 600.0)
# How fast the threshold follows a trend above and below it, per ms. Followed slowly upwards, so that a queue that
# grows is not got used to; fast enough downwards that a jitter which has ended does not blind for long.
_ADAPT_UP, _ADAPT_DOWN = 0.0087, 0.039
_MAX_ADAPT_MS = 100.0
# A trend that is further away than this is an event, not the path's nature.
_OUTLIER_MS = 15.0
_OVER_MS = 10.0


class Trendline:
    """The verdict on one path."""

    __slots__ = (
        "_first_us",
        "_last_us",
        "_over_ms",
        "_points",
        "_slope",
        "_smoothed_ms",
        "_threshold_ms",
        "_trains",
        "usage",
    )

    def __init__(self) -> None:
        # (arrival, smoothed way) in ms since the first train.
        self._points: deque[tuple[float, float]] = deque(maxlen=WINDOW_TRAINS)
        self._first_us: tuple[int, int] | None = None
        self._last_us = 0
        self._smoothed_ms = 0.0
        self._trains = 0
        self._slope = 0.0
        self._threshold_ms = _THRESHOLD_MS
        self._over_ms = 0.0
        self.usage = Usage.NORMAL

    def add(self, arrived_at_us: int, way_us: int) -> None:
        """Take the next train."""
        if self._first_us is None:
            self._first_us, self._last_us = (arrived_at_us, way_us), arrived_at_us
        first_arrived_us, first_way_us = self._first_us
        self._trains = min(self._trains + 1, _MAX_TRAINS)
        way_ms = (way_us - first_way_us) / 1000
        self._smoothed_ms = _SMOOTHING * self._smoothed_ms + (1 - _SMOOTHING) * way_ms
        self._points.append(((arrived_at_us - first_arrived_us) / 1000, self._smoothed_ms))
        elapsed_ms = (arrived_at_us - self._last_us) / 1000
        self._last_us = arrived_at_us
        if len(self._points) == WINDOW_TRAINS:
            slope = self._fit()
            self._judge(slope, elapsed_ms)
            self._slope = slope

    def _fit(self) -> float:
        points = self._points
        mean_x = sum([x for x, _ in points]) / WINDOW_TRAINS
        mean_y = sum([y for _, y in points]) / WINDOW_TRAINS
        spread = sum([(x - mean_x) ** 2 for x, _ in points])
        return sum([(x - mean_x) * (y - mean_y) for x, y in points]) / spread if spread else 0.0

    def _judge(self, slope: float, elapsed_ms: float) -> None:
        trend_ms = self._trains * slope * _GAIN
        if trend_ms > self._threshold_ms:
            self._over_ms += elapsed_ms
            if self._over_ms > _OVER_MS and slope >= self._slope:
                self._over_ms = 0.0
                self.usage = Usage.OVER
        else:
            self._over_ms = 0.0
            self.usage = Usage.UNDER if trend_ms < -self._threshold_ms else Usage.NORMAL
        self._adapt(abs(trend_ms), elapsed_ms)

    def _adapt(self, trend_ms: float, elapsed_ms: float) -> None:
        distance_ms = trend_ms - self._threshold_ms
        if distance_ms > _OUTLIER_MS:
            return
        speed = _ADAPT_UP if distance_ms > 0 else _ADAPT_DOWN
        low_ms, high_ms = _THRESHOLD_RANGE_MS
        moved_ms = self._threshold_ms + speed * distance_ms * min(elapsed_ms, _MAX_ADAPT_MS)
        self._threshold_ms = min(max(moved_ms, low_ms), high_ms)
