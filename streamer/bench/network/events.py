"""Simulated time: what shall happen when, and nothing in between."""

import heapq
from collections.abc import Callable

Call = Callable[[], None]


class Events:
    """The clock and the agenda of one simulation. Events of one instant happen in the order they were added in."""

    def __init__(self) -> None:
        self.now_us = 0
        self._agenda: list[tuple[int, int, Call]] = []
        self._added = 0

    def at(self, at_us: int, call: Call) -> None:
        """Let something happen at an instant; what is due already happens next."""
        self._added += 1
        heapq.heappush(self._agenda, (max(at_us, self.now_us), self._added, call))

    def run_until(self, end_us: int) -> None:
        """Let everything happen that is due before `end_us`, and move on to that instant."""
        agenda = self._agenda
        while agenda and agenda[0][0] < end_us:
            self.now_us, _, call = heapq.heappop(agenda)
            call()
        self.now_us = end_us


class Alarm:
    """One call whose time may change: the earliest wish is kept, and a call that comes too early does no harm."""

    def __init__(self, events: Events, call: Call) -> None:
        self._events = events
        self._call = call
        self._set_for_us: int | None = None

    def set(self, at_us: int | None) -> None:
        """Be called at an instant, or earlier where that was asked for before; None asks for nothing."""
        if at_us is None or (self._set_for_us is not None and self._set_for_us <= at_us):
            return
        self._set_for_us = at_us
        self._events.at(at_us, lambda: self._ring(at_us))

    def _ring(self, at_us: int) -> None:
        # One that was set for a later time before an earlier one was asked for has nothing to say any more.
        if self._set_for_us == at_us:
            self._set_for_us = None
            self._call()
