"""Which loss to heed: that of a full queue or a policer goes away when less is sent, that of a bad radio does not.

So loss is tried out. The first time that it is above what the path is known to lose anyway, the rate is cut a little;
if as much is lost afterwards, it was not the rate, and so much loss is taken as the path's nature for a while. Loss
above a tenth is cut for again and again, until half of the rate has been given up for nothing.
"""

from dataclasses import dataclass
from math import sqrt

# A window must hold enough packets that a single burst does not look like a rate, and last as long as a burst does.
_WINDOW_US = 500_000
_MIN_PACKETS = 100
# Where few packets flow, what they say so far is told after this long, and judged when they are enough. What is older
# than the longest window says nothing of now: 300 kbit/s, which is little for a picture, are 30 packets a second.
_TELLING_WINDOW_US = 3_000_000
_MAX_WINDOW_US = 10_000_000
# What is not worth a thought, beyond what the path loses by nature: twice the deviation of 2 % in the shortest window,
# and of what is known to be lost in longer or worse ones.
_TOLERANCE_RATIO = 0.03
_TOLERANCE_DEVIATIONS = 2
# More than this is harmful whatever its cause, unless the nature of the path is as near to it as a window can tell:
# where 8 % are lost, one short window in five is above 10 %, and one in twenty above 12 %.
_HEAVY_RATIO = 0.10
_HARMFUL_RATIO = 0.12
# How long a path's nature is believed in without being looked at again.
_NATURE_US = 20_000_000
# After the cut, this much of the former loss is still the same.
_SAME_RATIO = 0.6
_CUT_RATIO = 0.93
# Heavy loss that is still there at half of the rate is not made by it, unless so much is lost that nobody can tell.
_GIVEN_UP_RATIO = 0.5
_HOPELESS_RATIO = 0.3


@dataclass(frozen=True, slots=True)
class LossVerdict:
    """What a window said. `cut_ratio` is what to multiply the rate with, 1.0 for nothing.

    `is_first`: the loss is heavy and was not before, so what has arrived is the best that is known of the path.
    """

    loss_ratio: float
    cut_ratio: float
    is_first: bool = False


class Loss:
    """The judgement on one path's losses."""

    __slots__ = (
        "_arrived",
        "_has_begun",
        "_heavy_product",
        "_judged_ratio",
        "_lost",
        "_nature_at_us",
        "_nature_ratio",
        "_packets",
        "_started_at_us",
        "ratio",
    )

    def __init__(self, now_us: int) -> None:
        self._started_at_us = now_us
        self._arrived = self._lost = 0
        # How many packets the last window had.
        self._packets = _MIN_PACKETS
        # What the path loses by nature, and since when that is believed.
        self._nature_ratio = 0.0
        self._nature_at_us = now_us
        # Whether the last window was the first with more than that: how much it is, only a whole one tells.
        self._has_begun = False
        # The loss for which the rate was cut last, until the next window has shown what became of it.
        self._judged_ratio: float | None = None
        # What heavy loss has left of the rate so far.
        self._heavy_product = 1.0
        self.ratio = 0.0

    @property
    def is_suspicious(self) -> bool:
        """Whether more is lost than the path loses by nature, in the last window or already in this one."""
        total = max(self._arrived + self._lost, _MIN_PACKETS)
        is_heavy = self._lost > max(self._usual_ratio(total), _HEAVY_RATIO) * total
        return is_heavy or self.ratio > self._usual_ratio(self._packets)

    def add(self, arrived: int, lost: int, recovered: int, now_us: int) -> LossVerdict | None:
        """Count packets; return a verdict when a window has something to say."""
        self._arrived += arrived
        self._lost += lost - recovered
        age_us = now_us - self._started_at_us
        total = self._arrived + self._lost
        # So many lost are too many, however the rest of a full window would fare.
        is_enough = total >= _MIN_PACKETS or self._lost > _HEAVY_RATIO * _MIN_PACKETS
        if age_us < _WINDOW_US or (not is_enough and age_us < _TELLING_WINDOW_US) or total <= 0:
            return None
        self.ratio, self._packets = max(0, self._lost) / total, total
        if is_enough or age_us >= _MAX_WINDOW_US:
            self.forget(now_us)
        if not is_enough:
            return LossVerdict(self.ratio, 1.0)
        return self._judge(now_us)

    def forget(self, now_us: int) -> None:
        """Begin a new window: what was lost so far has a cause of its own."""
        self._arrived = self._lost = 0
        self._started_at_us = now_us

    def _usual_ratio(self, packets: int) -> float:
        """Return the most that so many packets of a path of this nature lose, as far as they can tell."""
        nature_ratio = self._nature_ratio
        deviation = sqrt(nature_ratio * (1 - nature_ratio) / packets)
        return nature_ratio + max(_TOLERANCE_RATIO, _TOLERANCE_DEVIATIONS * deviation)

    def _judge(self, now_us: int) -> LossVerdict:
        ratio, judged_ratio = self.ratio, self._judged_ratio
        self._judged_ratio = None
        if now_us - self._nature_at_us > _NATURE_US:
            self._nature_ratio = min(self._nature_ratio, ratio)
            self._nature_at_us = now_us
        usual_ratio = self._usual_ratio(self._packets)
        if ratio > max(_HEAVY_RATIO, min(usual_ratio, _HARMFUL_RATIO)):
            return self._judge_heavy(ratio)
        self._heavy_product = 1.0
        # More than before was not known at the cut: it had only begun, so that has not been tried out yet.
        if judged_ratio is not None and _SAME_RATIO * judged_ratio < ratio <= judged_ratio + _TOLERANCE_RATIO:
            self._nature_ratio, self._nature_at_us = max(ratio, self._nature_ratio), now_us
            return LossVerdict(ratio, 1.0)
        has_begun, self._has_begun = self._has_begun, ratio > usual_ratio
        if has_begun and self._has_begun:
            self._judged_ratio = ratio
            return LossVerdict(ratio, _CUT_RATIO)
        return LossVerdict(ratio, 1.0)

    def _judge_heavy(self, ratio: float) -> LossVerdict:
        """Cut until it is less, or until half of the rate has changed nothing."""
        is_first = self._heavy_product == 1
        is_of_no_use = self._heavy_product < _GIVEN_UP_RATIO and ratio < _HOPELESS_RATIO
        cut_ratio = 1.0 if is_of_no_use else 1 - ratio / 2
        self._heavy_product *= cut_ratio
        return LossVerdict(ratio, cut_ratio, is_first=is_first)
