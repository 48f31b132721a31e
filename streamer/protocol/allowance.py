"""How many messages the other side may send: a token bucket. Sans-IO: time is handed in."""

from streamer.errors import RemoteProtocolError

_SECOND_US = 1_000_000


class TooManyMessages(RemoteProtocolError):  # noqa: N818 - it is a state of the other side, not a mistake in a message
    """The other side has sent more messages than it may."""


class Allowance:
    """So many messages per second, of which `burst_messages` may come at once.

    Counts in microseconds of credit, so that no fraction is ever lost.
    """

    def __init__(self, messages_per_s: int, burst_messages: int, now_us: int) -> None:
        self._cost_us = _SECOND_US // messages_per_s
        self._most_us = self._credit_us = burst_messages * self._cost_us
        self._at_us = now_us

    def take(self, now_us: int) -> bool:
        """Spend one message; return False when there is no credit for it."""
        self._credit_us = min(self._most_us, self._credit_us + now_us - self._at_us)
        self._at_us = now_us
        if self._credit_us < self._cost_us:
            return False
        self._credit_us -= self._cost_us
        return True
