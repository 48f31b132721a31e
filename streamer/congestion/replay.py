"""What a flow was told, as JSON, and the same decisions from it again.

Rules: an entry is a list: what happened, when, and its facts. Everything that an estimator is told goes in, and what it
decides is a function of that alone, so a log from a viewer's bad evening replays on a desk, with other constants too.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeAlias

from streamer.congestion.decision import Decision, RateLimits
from streamer.congestion.pacer import Priority
from streamer.errors import LocalProtocolError

Entry: TypeAlias = list[Any]


class Told(Protocol):
    """The part of a flow that is told things."""

    @property
    def decision(self) -> Decision:
        """What holds."""

    def sent(self, first_index: int, sizes_bytes: Sequence[int], now_us: int, priority: Priority) -> None: ...

    def feedback(self, arrivals: list[tuple[int, int | None]], now_us: int) -> object: ...

    def report(self, *, loss_ratio: float, rtt_us: int | None, now_us: int) -> None: ...

    def remb(self, estimate_bps: int, now_us: int) -> None: ...

    def tick(self, now_us: int) -> None: ...


class Log:
    """Keeps what a flow is told. To be called beside the flow, with the same arguments."""

    def __init__(self, limits: RateLimits, *, fps: float, has_feedback: bool, now_us: int) -> None:
        self.entries: list[Entry] = [
            ["begin", now_us, limits.min_bps, limits.start_bps, limits.max_bps, fps, has_feedback]
        ]

    def sent(self, first_index: int, sizes_bytes: Sequence[int], now_us: int, priority: Priority) -> None:
        """Note packets that left together."""
        self.entries.append(["sent", now_us, first_index, [*sizes_bytes], int(priority)])

    def feedback(self, arrivals: Iterable[tuple[int, int | None]], now_us: int) -> None:
        """Note a feedback."""
        self.entries.append(["feedback", now_us, [list(arrival) for arrival in arrivals]])

    def report(self, *, loss_ratio: float, rtt_us: int | None, now_us: int) -> None:
        """Note a receiver report."""
        self.entries.append(["report", now_us, loss_ratio, rtt_us])

    def remb(self, estimate_bps: int, now_us: int) -> None:
        """Note a receiver's own estimate."""
        self.entries.append(["remb", now_us, estimate_bps])

    def tick(self, now_us: int) -> None:
        """Note that time passed."""
        self.entries.append(["tick", now_us])


def replay(entries: Iterable[Entry], make: Callable[[RateLimits, float, bool, int], Told]) -> list[Decision]:
    """Tell a fresh flow what is in a log; return each decision that differs from the one before it.

    `make(limits, fps, has_feedback, now_us)` makes the flow.
    """
    iterator = iter(entries)
    _, now_us, min_bps, start_bps, max_bps, fps, has_feedback = next(iterator)
    flow = make(RateLimits(min_bps, start_bps, max_bps), fps, has_feedback, now_us)
    decisions = [flow.decision]
    for entry in iterator:
        _tell(flow, entry)
        if flow.decision != decisions[-1]:
            decisions.append(flow.decision)
    return decisions


def _tell(flow: Told, entry: Entry) -> None:
    match entry:
        case ["sent", now_us, first_index, sizes_bytes, priority]:
            flow.sent(first_index, sizes_bytes, now_us, Priority(priority))
        case ["feedback", now_us, arrivals]:
            flow.feedback([(index, arrived_at_us) for index, arrived_at_us in arrivals], now_us)
        case ["report", now_us, loss_ratio, rtt_us]:
            flow.report(loss_ratio=loss_ratio, rtt_us=rtt_us, now_us=now_us)
        case ["remb", now_us, estimate_bps]:
            flow.remb(estimate_bps, now_us)
        case ["tick", now_us]:
            flow.tick(now_us)
        case _:
            raise LocalProtocolError(f"a log entry {entry!r}")
