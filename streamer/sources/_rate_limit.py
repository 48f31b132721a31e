"""Hold a frame rate for frames that come when they like: from a program, from a screen, or in answer to input."""

_US_PER_S = 1_000_000
# Two frames are never closer than this share of the interval: a screen cannot show two at once, and at 60 fps it is the
# 4 ms that an encoder takes for the one before.
_CLOSEST_RATIO = 0.25


class RateLimit:
    """At most `fps` frames per second, with room for one more. Guarded by its owner.

    A frame may come out of turn, as the answer to a click does, without making those after it wait for a clock that is
    not their own. Until the room for it has come back, which takes a producer that is slower than `fps` or that pauses,
    no other may; over time the rate holds.
    """

    def __init__(self, fps: float) -> None:
        self._interval_us = _US_PER_S / fps
        self._due_us = 0.0
        self._not_before_us = 0.0

    @property
    def earliest_us(self) -> int:
        """When the next frame may pass."""
        return round(max(self._due_us, self._not_before_us))

    def count(self, now_us: int) -> None:
        """Take note that a frame passes at `now_us`."""
        self._due_us = max(self._due_us, now_us - self._interval_us) + self._interval_us
        self._not_before_us = now_us + self._interval_us * _CLOSEST_RATIO
