"""How many messages one socket may send: a token bucket that holds one second's worth."""

_SECOND_US = 1_000_000


class Allowance:
    """Counts in microseconds of credit, so that no fraction is ever lost. Time is handed in."""

    def __init__(self, messages_per_s: int, now_us: int) -> None:
        self._cost_us = _SECOND_US // messages_per_s
        self._credit_us = _SECOND_US
        self._at_us = now_us

    def take(self, now_us: int) -> bool:
        """Spend one message; return False when there is no credit for it."""
        self._credit_us = min(_SECOND_US, self._credit_us + now_us - self._at_us)
        self._at_us = now_us
        if self._credit_us < self._cost_us:
            return False
        self._credit_us -= self._cost_us
        return True
