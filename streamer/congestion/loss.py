"""Which loss to heed: that of a full queue or a policer goes away when less is sent, that of a bad radio does not.

So loss is tried out. The first time that it is above what the path is known to lose anyway, the rate is cut a little;
if as much is lost afterwards, it was not the rate, and so much loss is taken as the path's nature for a while. Loss
above a tenth is never taken so.
"""

from dataclasses import dataclass

# A window must hold enough packets that a single burst does not look like a rate, and last as long as a burst does.
_WINDOW_US = 500_000
_MIN_PACKETS = 100
_MAX_WINDOW_US = 3_000_000
# What is not worth a thought, beyond what the path loses by nature: three times the deviation of 2 % in a window.
_TOLERANCE_RATIO = 0.03
# More than this is harmful whatever its cause.
_HEAVY_RATIO = 0.10
# How long a path's nature is believed in without being looked at again.
_NATURE_US = 20_000_000
# After the cut, this much of the former loss is still the same.
_SAME_RATIO = 0.6
_CUT_RATIO = 0.93


@dataclass(frozen=True, slots=True)
class LossVerdict:
    """What a window said. `cut_ratio` is what to multiply the rate with, 1.0 for nothing."""

    loss_ratio: float
    cut_ratio: float


class Loss:
    """The judgement on one path's losses."""

    __slots__ = ("_arrived", "_judged_ratio", "_lost", "_nature_at_us", "_nature_ratio", "_started_at_us", "ratio")

    def __init__(self, now_us: int) -> None:
        self._started_at_us = now_us
        self._arrived = self._lost = 0
        # What the path loses by nature, and since when that is believed.
        self._nature_ratio = 0.0
        self._nature_at_us = now_us
        # The loss for which the rate was cut last, until the next window has shown what became of it.
        self._judged_ratio: float | None = None
        self.ratio = 0.0

    @property
    def is_suspicious(self) -> bool:
        """Whether more is lost than the path loses by nature."""
        return self.ratio > self._nature_ratio + _TOLERANCE_RATIO

    def add(self, arrived: int, lost: int, recovered: int, now_us: int) -> LossVerdict | None:
        """Count packets; return a verdict when a window is complete."""
        self._arrived += arrived
        self._lost += lost - recovered
        age_us = now_us - self._started_at_us
        total = self._arrived + self._lost
        if age_us < _WINDOW_US or (total < _MIN_PACKETS and age_us < _MAX_WINDOW_US) or total <= 0:
            return None
        self.ratio = max(0, self._lost) / total
        is_enough = total >= _MIN_PACKETS
        self.forget(now_us)
        return LossVerdict(self.ratio, self._judge(now_us) if is_enough else 1.0)

    def forget(self, now_us: int) -> None:
        """Begin a new window: what was lost so far has a cause of its own."""
        self._arrived = self._lost = 0
        self._started_at_us = now_us

    def _judge(self, now_us: int) -> float:
        ratio, judged_ratio = self.ratio, self._judged_ratio
        self._judged_ratio = None
        if now_us - self._nature_at_us > _NATURE_US:
            self._nature_ratio = min(self._nature_ratio, ratio)
            self._nature_at_us = now_us
        if ratio > _HEAVY_RATIO:
            self._judged_ratio = ratio
            return 1 - ratio / 2
        if judged_ratio is not None and ratio > _SAME_RATIO * judged_ratio:
            self._nature_ratio, self._nature_at_us = max(ratio, self._nature_ratio), now_us
            return 1.0
        if ratio > self._nature_ratio + _TOLERANCE_RATIO:
            self._judged_ratio = ratio
            return _CUT_RATIO
        return 1.0
