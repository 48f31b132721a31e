"""Tell freezes from the usual distances of frames. Pure.

The rule is that of `freezeCount` in W3C webrtc-stats: a freeze is longer than three usual pauses, and by 150 ms longer
than one. What is usual is the mean of the last 30.
"""

from collections import deque

_FACTOR = 3
_MARGIN_US = 150_000
_SAMPLES = 30
# Browsers judge nothing by the mean of fewer.
_MIN_SAMPLES = 5


class Pauses:
    """The pauses between the frames of one stream, in their order."""

    def __init__(self) -> None:
        self._last_us: deque[float] = deque(maxlen=_SAMPLES)

    def add(self, pause_us: float) -> bool:
        """Take the next pause; return whether it is a freeze."""
        is_freeze = False
        if len(self._last_us) >= _MIN_SAMPLES:
            mean_us = sum(self._last_us) / len(self._last_us)
            is_freeze = pause_us > max(_FACTOR * mean_us, mean_us + _MARGIN_US)
        self._last_us.append(pause_us)
        return is_freeze
