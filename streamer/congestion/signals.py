"""What is known of the path after a report: the measurements that the rate is decided by."""

from dataclasses import dataclass

from streamer.congestion.acked import Passage
from streamer.congestion.decision import Usage
from streamer.congestion.train_rate import Measurement


@dataclass(slots=True)
class Signals:
    """One report's worth of knowledge.

    `busy` are the packets that arrived since a queue has been standing, None unless they are a measurement; `train`
    how fast trains pass, None while they do not tell. `is_answered` says that the report speaks of packets that were
    sent at the present rate.
    """

    now_us: int
    standing_us: int
    newest_us: int
    habit_us: int
    flat_us: int
    jitter_us: int
    usage: Usage
    acked_bps: int
    steady_bps: int
    busy: Passage | None
    train: Measurement | None
    rough_train: Measurement | None
    slow_bps: int | None
    is_application_limited: bool
    is_loss_suspicious: bool
    is_answered: bool
    lost_packets: int
    variation_ratio: float
