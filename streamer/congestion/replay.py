"""What a flow was told, as JSON, and the same decisions from it again.

Rules: an entry is a list: what happened, when, and its facts. Everything that an estimator is told goes in, and what it
decides is a function of that alone, so a log from a viewer's bad evening replays on a desk, with other constants too.
What was decided stands among the entries, to compare with.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from streamer.congestion.decision import Decision, RateLimits
from streamer.congestion.estimator import make_estimator
from streamer.congestion.fixed_rate import FixedRate
from streamer.congestion.flow import EstimatorFactory, Flow, Lost
from streamer.congestion.ladder import Prefer
from streamer.congestion.pacer import PacketT, Priority
from streamer.errors import LocalProtocolError

Entry: TypeAlias = list[Any]
Note: TypeAlias = Callable[[Entry], None]


class RecordedFlow(Flow[PacketT]):
    """A flow that hands what it is told and what it decides to `note`, entry by entry."""

    def __init__(
        self,
        limits: RateLimits,
        *,
        fps: float,
        has_feedback: bool,
        now_us: int,
        note: Note,
        prefer: Prefer = Prefer.FPS,
        estimator: EstimatorFactory = make_estimator,
    ) -> None:
        super().__init__(limits, fps=fps, has_feedback=has_feedback, now_us=now_us, prefer=prefer, estimator=estimator)
        self._note = note
        is_adaptive = estimator is not FixedRate
        note(["begin", now_us, limits.min_bps, limits.start_bps, limits.max_bps, fps, has_feedback, is_adaptive])
        self._noted: Decision | None = None
        self._note_decision()

    def sent(
        self,
        first_index: int,
        sizes_bytes: Sequence[int],
        now_us: int,
        priority: Priority,
        packets: Sequence[PacketT] | None = None,
    ) -> None:
        self._note(["sent", now_us, first_index, [*sizes_bytes], int(priority)])
        super().sent(first_index, sizes_bytes, now_us, priority, packets)

    def feedback(self, arrivals: Sequence[tuple[int, int | None]], now_us: int) -> list[Lost[PacketT]]:
        self._note(["feedback", now_us, [*arrivals]])
        lost = super().feedback(arrivals, now_us)
        self._note_decision()
        return lost

    def report(self, *, loss_ratio: float, rtt_us: int | None, now_us: int) -> None:
        self._note(["report", now_us, loss_ratio, rtt_us])
        super().report(loss_ratio=loss_ratio, rtt_us=rtt_us, now_us=now_us)
        self._note_decision()

    def remb(self, estimate_bps: int, now_us: int) -> None:
        self._note(["remb", now_us, estimate_bps])
        super().remb(estimate_bps, now_us)
        self._note_decision()

    def tick(self, now_us: int) -> None:
        self._note(["tick", now_us])
        super().tick(now_us)
        self._note_decision()

    def _note_decision(self) -> None:
        if self.decision != self._noted:
            self._noted = self.decision
            self._note(["decision", self.decision.at_us, self.decision.to_json()])


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a log says was decided, and what is decided when a flow is told the same."""

    recorded: list[dict[str, Any]]
    decisions: list[Decision]

    @property
    def is_same(self) -> bool:
        """Whether both agree, bit for bit."""
        return [json.loads(json.dumps(decision.to_json())) for decision in self.decisions] == self.recorded


def replay(entries: Iterable[Entry], estimator: EstimatorFactory | None = None) -> Replayed:
    """Tell a fresh flow what is in a log; return each decision that differs from the one before it.

    `estimator` takes the place of the one that the log was made with.

    Raises:
        LocalProtocolError: these are no entries of a log.
    """
    iterator = iter(entries)
    match next(iterator, None):
        case ["begin", now_us, min_bps, start_bps, max_bps, fps, has_feedback, is_adaptive]:
            flow: Flow[Any] = Flow(
                RateLimits(min_bps, start_bps, max_bps),
                fps=fps,
                has_feedback=has_feedback,
                now_us=now_us,
                estimator=estimator or (make_estimator if is_adaptive else FixedRate),
            )
        case begin:
            raise LocalProtocolError(f"a log begins with {begin!r}")
    recorded: list[dict[str, Any]] = []
    decisions = [flow.decision]
    for entry in iterator:
        if entry[0] == "decision":
            recorded.append(entry[2])
            continue
        _tell(flow, entry)
        if flow.decision != decisions[-1]:
            decisions.append(flow.decision)
    return Replayed(recorded, decisions)


def _tell(flow: Flow[Any], entry: Entry) -> None:
    match entry:
        case ["sent", now_us, first_index, sizes_bytes, priority]:
            flow.sent(first_index, sizes_bytes, now_us, Priority(priority))
        case ["feedback", now_us, arrivals]:
            flow.feedback(arrivals, now_us)
        case ["report", now_us, loss_ratio, rtt_us]:
            flow.report(loss_ratio=loss_ratio, rtt_us=rtt_us, now_us=now_us)
        case ["remb", now_us, estimate_bps]:
            flow.remb(estimate_bps, now_us)
        case ["tick", now_us]:
            flow.tick(now_us)
        case _:
            raise LocalProtocolError(f"a log entry {entry!r}")
