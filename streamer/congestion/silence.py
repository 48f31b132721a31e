"""What to do while no feedback comes although packets are under way: send less and less, and remember why.

The estimate itself is not touched: whatever broke says nothing of the path that will be there afterwards.
"""

# Reports come every 50 to 250 ms. Silence is what exceeds a round trip and two of them; less than this is a report
# that was late.
MIN_US = 300_000
MAX_US = 600_000
_HALVING_US = 250_000


class Silence:
    """The watch over one path's reports."""

    __slots__ = ("_halvings", "_limit_us", "_waits_since_us")

    def __init__(self) -> None:
        self._waits_since_us: int | None = None
        self._limit_us = MAX_US
        self._halvings = 0

    @property
    def halvings(self) -> int:
        """How many times the rate is to be halved; 0 outside of silence."""
        return self._halvings

    def sent(self, now_us: int) -> None:
        """Note that a packet left, of which the receiver will have something to say."""
        if self._waits_since_us is None:
            self._waits_since_us = now_us

    def heard(self, rtt_us: int, interval_us: int, *, is_waiting: bool, now_us: int) -> bool:
        """Note a report; return whether it ends a silence. `is_waiting`: more packets are under way."""
        was_silent = self._halvings > 0
        self._halvings = 0
        self._limit_us = min(max(rtt_us + 2 * interval_us, MIN_US), MAX_US)
        self._waits_since_us = now_us if is_waiting else None
        return was_silent

    def tick(self, now_us: int) -> bool:
        """Let time pass; return whether the number of halvings changed."""
        due_at_us = self.next_us()
        if due_at_us is None or now_us < due_at_us:
            return False
        self._halvings += 1
        return True

    def next_us(self) -> int | None:
        """Return when the next halving is due."""
        if self._waits_since_us is None:
            return None
        return self._waits_since_us + self._limit_us + self._halvings * _HALVING_US
