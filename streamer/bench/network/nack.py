"""Which packets a receiver asks for again, and when: Chromium's rules.

A gap is asked for as soon as a later packet shows it, and again each round trip, looked at every 20 ms. Nobody tells a
browser that only receives its round-trip time, so it takes its default.
"""

# Chromium's nack_requester.cc: its timer, its default RTT, its limits.
CHECK_INTERVAL_US = 20_000
DEFAULT_RTT_US = 100_000
_MAX_TRIES = 10
_MAX_MISSING = 1_000


class NackRequester:
    """The gaps in one RTP stream. Sequence numbers are indices, without wrapping."""

    def __init__(self) -> None:
        self._newest: int | None = None
        # Index -> (tries, when it was asked for last).
        self._missing: dict[int, tuple[int, int]] = {}

    @property
    def is_waiting(self) -> bool:
        """Whether anything is missing."""
        return bool(self._missing)

    def arrived(self, index: int, now_us: int) -> list[int]:
        """Take note of a packet, resent ones included; return what to ask for at once."""
        newest = self._newest
        if newest is None or index == newest + 1:
            self._newest = index
            return []
        if index <= newest:
            self._missing.pop(index, None)
            return []
        self._newest = index
        gap = list(range(newest + 1, index))
        self._missing.update(dict.fromkeys(gap, (1, now_us)))
        return gap

    def due(self, now_us: int) -> list[int]:
        """Return what to ask for again; what was asked for often enough is given up."""
        due = [index for index, (_, at_us) in self._missing.items() if now_us - at_us >= DEFAULT_RTT_US]
        for index in due:
            tries = self._missing[index][0]
            if tries == _MAX_TRIES:
                del self._missing[index]
            else:
                self._missing[index] = (tries + 1, now_us)
        return [index for index in due if index in self._missing]

    def forget_before(self, index: int) -> None:
        """Ask no more for packets before this one: nothing that will be shown needs them."""
        if self._missing:
            self._missing = {missing: state for missing, state in self._missing.items() if missing >= index}

    def take_overflow(self) -> bool:
        """Return whether more is missing than is worth asking for, and forget it then."""
        is_overflowing = len(self._missing) > _MAX_MISSING
        if is_overflowing:
            self._missing.clear()
        return is_overflowing
