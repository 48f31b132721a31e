"""A clock that a test moves: waiting for an instant makes it now."""

from threading import Event

from streamer.clock import SystemClock


class ManualClock(SystemClock):
    """For one thread. `late_us` is how much later than asked every wait ends."""

    def __init__(self, at_us: int = 1_000_000) -> None:
        self.at_us = at_us
        self.late_us = 0

    def now_us(self) -> int:
        return self.at_us

    def wait_until_us(self, at_us: int, interrupt: Event) -> bool:
        if interrupt.is_set():
            return True
        self.at_us = max(self.at_us, at_us)
        return False

    def block_until_us(self, at_us: int) -> None:
        self.at_us = max(self.at_us, at_us + self.late_us)
