"""Which loss to heed: that of a full queue or a policer goes away when less is sent, that of a bad radio does not.

So loss is tried out. When it is above what the path is known to lose anyway, the rate is cut to what arrives. A path
that is too narrow loses nothing then; whatever is lost still is its nature, so the cut was in vain and is taken back.
It is not where a tenth is lost, or may be as far as so many packets can tell: then the rate is cut again and again,
until half of it has been given up for nothing.
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
_DEVIATIONS = 2
# More than this is heavy: it is cut for at once, unless the nature of the path is as near to it as a window can tell.
# Where 8 % are lost, one short window in five is above 10 %.
_HEAVY_RATIO = 0.10
# So much is harmful even if it is natural: an eighth of the rate are resends then.
_HARMFUL_RATIO = 0.12
# How long a path's nature is believed in without being looked at again, and of how many packets it is known: 8 % of a
# thousand is told from 10 %.
_NATURE_US = 20_000_000
_NATURE_PACKETS = 1_000
# A cut is at least as large, and as large as the loss, so that a path that was too narrow for the rate loses nothing
# after it. What is left of the loss may be a third, since the window that was cut for may have been a bad one.
_LEAST_CUT_RATIO = 0.07
_LEFT_RATIO = 1 / 3
# Heavy loss that is still there at half of the rate is not made by it, unless so much is lost that nobody can tell.
_GIVEN_UP_RATIO = 0.5
_HOPELESS_RATIO = 0.3


@dataclass(frozen=True, slots=True)
class LossVerdict:
    """What a window says. `cut_ratio` is what to multiply the rate with, 1.0 for nothing.

    `is_first`: the loss is heavy and was not before, so what has arrived is the best that is known of the path.
    `is_natural`: the cuts were in vain, so the rate may grow again as if nothing had been lost.
    """

    cut_ratio: float = 1.0
    is_first: bool = False
    is_natural: bool = False


@dataclass(slots=True)
class _Tally:
    """Packets of which some were lost."""

    packets: int = 0
    lost: int = 0

    @property
    def ratio(self) -> float:
        return self.lost / self.packets

    def add(self, packets: int, lost: int) -> None:
        """Count some more; the older half counts half from twice as many on as nature is known of."""
        self.packets += packets
        self.lost += lost
        if self.packets > 2 * _NATURE_PACKETS:
            self.packets //= 2
            self.lost //= 2


@dataclass(slots=True)
class _Trial:
    """What became of a loss for which the rate was cut: what has been lost since."""

    cause_ratio: float
    kept_ratio: float
    since: _Tally


class Loss:
    """The judgement on one path's losses."""

    __slots__ = (
        "_arrived",
        "_has_begun",
        "_lost",
        "_nature",
        "_nature_at_us",
        "_started_at_us",
        "_trial",
        "_window",
    )

    def __init__(self, now_us: int) -> None:
        self._started_at_us = now_us
        self._arrived = self._lost = 0
        # The last whole window, or what there is of one that few packets flow in.
        self._window = _Tally(_MIN_PACKETS)
        # What the path loses by nature, and since when that is believed.
        self._nature = _Tally(_NATURE_PACKETS)
        self._nature_at_us = now_us
        # Whether the last window was the first with more than that: how much it is, only a whole one tells.
        self._has_begun = False
        self._trial: _Trial | None = None

    @property
    def ratio(self) -> float:
        """What was lost in the last window, or so far in one that lasts."""
        return self._window.ratio

    @property
    def is_suspicious(self) -> bool:
        """Whether more is lost than the path loses by nature, in the last window or already in this one."""
        total = max(self._arrived + self._lost, _MIN_PACKETS)
        is_heavy = self._lost > max(self._usual_ratio(total), _HEAVY_RATIO) * total
        return self._trial is not None or is_heavy or self.ratio > self._usual_ratio(self._window.packets)

    def add(self, arrived: int, lost: int, recovered: int, now_us: int) -> LossVerdict | None:
        """Count packets; return a verdict when a window has enough of them."""
        self._arrived += arrived
        self._lost += lost - recovered
        age_us = now_us - self._started_at_us
        total = self._arrived + self._lost
        # So many lost are too many, however the rest of a full window would fare.
        is_enough = total >= _MIN_PACKETS or self._lost > _HEAVY_RATIO * _MIN_PACKETS
        if age_us < _WINDOW_US or (not is_enough and age_us < _TELLING_WINDOW_US) or total <= 0:
            return None
        self._window = _Tally(total, max(0, self._lost))
        if is_enough or age_us >= _MAX_WINDOW_US:
            self.forget(now_us)
        if not is_enough:
            return None
        return self._judge(now_us) if self._trial is None else self._judge_trial(self._trial, now_us)

    def forget(self, now_us: int) -> None:
        """Begin a new window: what was lost so far has a cause of its own."""
        self._arrived = self._lost = 0
        self._started_at_us = now_us

    def _usual_ratio(self, packets: int) -> float:
        """Return the most that so many packets of a path of this nature lose, as far as they and it can tell."""
        ratio = self._nature.ratio
        deviation = sqrt(ratio * (1 - ratio) * (1 / packets + 1 / self._nature.packets))
        return ratio + max(_TOLERANCE_RATIO, _DEVIATIONS * deviation)

    def _judge(self, now_us: int) -> LossVerdict:
        window = self._window
        if now_us - self._nature_at_us > _NATURE_US:
            self._nature_at_us = now_us
            if window.ratio < self._nature.ratio:
                self._nature = _Tally(window.packets, window.lost)
        usual_ratio = self._usual_ratio(window.packets)
        is_heavy = window.ratio > max(_HEAVY_RATIO, usual_ratio)
        has_begun, self._has_begun = self._has_begun, window.ratio > usual_ratio
        if is_heavy or (has_begun and self._has_begun):
            return self._try_out(is_first=is_heavy)
        if self._nature.packets < _NATURE_PACKETS and not self._has_begun:
            self._nature.add(window.packets, window.lost)
        return LossVerdict()

    def _try_out(self, *, is_first: bool) -> LossVerdict:
        """Cut, and begin to look what becomes of it. The first heavy loss is cut for by what has arrived as well."""
        ratio = self.ratio
        cut_ratio = 1 - (ratio / 2 if is_first else max(_LEAST_CUT_RATIO, ratio))
        self._trial = _Trial(ratio, cut_ratio, _Tally())
        self._has_begun = False
        return LossVerdict(cut_ratio, is_first=is_first)

    def _judge_trial(self, trial: _Trial, now_us: int) -> LossVerdict:
        """Say whether the cut has helped, as soon as that is known."""
        since = trial.since
        since.add(self._window.packets, self._window.lost)
        ratio = since.ratio
        if ratio <= _LEFT_RATIO * trial.cause_ratio or self.ratio <= _LEFT_RATIO * ratio:
            self._trial = None
            return LossVerdict()
        if ratio > trial.cause_ratio + _TOLERANCE_RATIO:
            # More than before was not known at the cut: it had only begun, so that has not been tried out yet.
            return self._try_out(is_first=trial.cause_ratio <= _HEAVY_RATIO < ratio)
        if ratio + _DEVIATIONS * sqrt(ratio * (1 - ratio) / since.packets) < _HARMFUL_RATIO:
            self._trial = None
            self._nature, self._nature_at_us = since, now_us
            return LossVerdict(is_natural=True)
        is_of_no_use = trial.kept_ratio < _GIVEN_UP_RATIO and ratio < _HOPELESS_RATIO
        if ratio <= _HEAVY_RATIO or is_of_no_use:
            return LossVerdict()
        cut_ratio = 1 - ratio / 2
        trial.kept_ratio *= cut_ratio
        return LossVerdict(cut_ratio)
