"""What a viewer collected in a stretch of time, as raw rows and totals. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from streamer.bench.rtp_clock import RtpClock

Row = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Sight:
    """Rows are documented in `stamps.py`; `before` and `after` are the browser's inbound statistics.

    `offset_ms` is server time minus viewer time. `buttons` are pairs of a message's sequence number and its instant.
    `stages` are the server's reports, one for each second.
    """

    seconds: float
    offset_ms: float
    decoded: Sequence[Row]
    presented: Sequence[Row] = ()
    unreadable: int = 0
    buttons: Sequence[Sequence[float]] = ()
    stages: Sequence[Mapping[str, int]] = ()
    rtp_clock: RtpClock | None = None
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)

    def per_second(self, member: str) -> float:
        """Return by how much a counter of the viewer's went up each second."""
        return self._growth(member) / self.seconds

    def mean(self, total: str, count: str) -> float | None:
        """Return the growth of one counter divided by that of another."""
        counted = self._growth(count)
        return self._growth(total) / counted if counted else None

    def _growth(self, member: str) -> float:
        return float(self.after.get(member, 0) - self.before.get(member, 0))
