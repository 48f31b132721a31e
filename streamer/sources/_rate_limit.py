"""Hold a frame rate for frames that come when they like: from a program, or from a screen."""

_US_PER_S = 1_000_000


class RateLimit:
    """At most `fps` frames per second of those that come when they like. Guarded by its owner.

    A frame may come up to half an interval early after a late one, so that a producer of the same rate is never made to
    wait for a clock that is not its own; over time the rate holds.
    """

    def __init__(self, fps: float) -> None:
        self._interval_us = _US_PER_S / fps
        self._due_us = 0.0

    @property
    def earliest_us(self) -> int:
        """When the next frame may pass."""
        return round(self._due_us - self._interval_us / 2)

    def count(self, now_us: int) -> None:
        """Take note that a frame passes at `now_us`."""
        self._due_us = max(self._due_us, now_us) + self._interval_us
