"""The rate of one flow: how it grows, what makes it fall, and how a queue is drained.

Rules: there are three phases, and `RateControl` alone changes them.

| phase   | means                                    | ends                                                        |
|---------|------------------------------------------|-------------------------------------------------------------|
| FOLLOW  | no queue stands: approach what trains say | a queue stands, or grows steadily: DRAIN                    |
| DRAIN   | send less than arrives until it is gone  | it is gone: FOLLOW; it stays although less is sent: COMPETE |
| COMPETE | somebody else fills the queue            | no queue has stood for a second: FOLLOW                     |
"""

from enum import StrEnum

from streamer.congestion.decision import Reason, Usage
from streamer.congestion.loss import LossVerdict
from streamer.congestion.signals import Signals

# What the first packets of two frames in a row may wait without a queue being there: half a frame of 60 fps, and a bit.
HIGH_US = 10_000
# A queue that is shorter than this ends within the next frame.
LOW_US = 6_000
# Another sender's frames, met at the same place again and again, look like a queue of as much as HIGH_US.
_MAX_HABIT_US = 10_000
# A train that passes at less than this share of the rate meets another path than the rate was made for.
_SLOW_RATIO = 0.7
# While little is sent, so many reports in a row must say that. A train now and then is held up by something else, and
# what is remembered without need is found again by a probe at the earliest.
_NARROW_REPORTS = 3
# How much of what the path carries is used. The rest absorbs that frames are not of equal size: at 0.98 the queue of a
# full path of 20 Mbit/s is 9 ms at the 95th percentile, at 0.97 it is 8.6 ms (streamer bench network).
SAFE_RATIO = 0.98
# A queue is drained within this time: a sooner end takes more of the rate than a later one is worth. Below 0.4 of the
# rate nothing is left to see; above 0.92 a sender that shares the path would not give way.
_DRAIN_US = 350_000
_DRAIN_RATIOS = (0.4, 0.92)
# Ways that have not changed for so long although less was sent are longer ways, not a queue.
FLAT_US = 500_000
# Per round trip, while trains say that there is more: trains can be wrong, and half as much again for one round trip
# makes a queue of half a round trip.
_GROWTH_PER_ROUND = 1.5
# Nearer than this to the aim it is approached slowly, by what an error of the trains may cost.
_FAST_RATIO = 1.1
_NEAR_GROWTH_PER_S = 0.25
_SINK_PER_S = 0.05
# Deviations of what trains say: a jump is made by what is sure. Jitter makes trains longer, never shorter, so a rate
# that is above them by less than three is not too high.
_SURE_ERRORS = 2
_LONG_ERRORS = 3
# Without trains: twice as much per second, and a tenth where a queue stood a few seconds ago.
_BLIND_GROWTH_PER_S = 1.0
# And no further than this above what arrives, for nothing else tests it: what arrives by now was sent at the rate of up
# to 0.4 s ago, round trip and report together, and that was doubling.
_UNTESTED_RATIO = 1.5
_CAREFUL_GROWTH_PER_S = 0.1
_CAREFUL_RANGE = (0.8, 1.1)
_CAREFUL_US = 6_000_000
# Where packets were lost at that rate, the only thing that tells its end is more loss: it is known after a second, and
# this much is tolerated.
_EDGE_RATIO = 0.95
_EDGE_GROWTH_PER_S = 0.03
# A path whose rate varies is used less fully: what it carries now it may not carry when the next report comes.
_VARIATION_COST = 1.0
# Trains tell of the path, and not of how much of it is ours: the first time that a queue stands, their ratio shows. It
# is forgotten by a twenty-fifth per second, so that a share that has become free is found within seconds.
_TRUST_RANGE = (0.2, 1.0)
_TRUST_PER_S = 0.04
# Trains are off by less than this; below it, somebody else is there.
_SHARED_TRUST = 0.85
# What is given up each time, of the share that we have: who has more gives way more, and shares become equal.
_SHARED_CUT = 0.25
# A sender that does not fill the path did not make its queue alone.
_LIMITED_CUT_RATIO = 0.85
# Packets that arrive about as fast as they were sent say nothing of what the path carries.
_STEADY_RANGE = (0.95, 1.05)
# Nor where ways have been flat for so long, of which 4 ms are as much: single packets also wait for their frame.
_STEADY_US = 80_000
# A fall by more than this is worth to be undone soon if it was for a moment: probes follow it.
_DROP_RATIO = 0.7
# Half is given up for a queue that others fill before it is taken as theirs, which takes three reports to see and two
# seconds to be sure of: our own queues are drained by then.
_YIELD_RATIO = 0.5
_YIELD_REPORTS = 3
# What is left then of our own queue, of what there was after half of that time, is less than this.
_DRAINED_RATIO = 0.7
_COMPETE_AFTER_US = 2_000_000
# Beside a sender that grows until packets are lost: what TCP's Cubic gives up at a loss is a third, once per round trip
# of a full queue; we share with one such sender at most by halves.
_COMPETE_CUT_RATIO = 0.85
_COMPETE_CUT_US = 1_000_000
_COMPETE_GROWTH_PER_S = 0.08
_FAIR_RATIO = 0.5
# From here on frames of 60 fps are trains of six packets.
_TELLING_BPS = 4_000_000
_COMPETE_CALM_US = 1_000_000
# What went on during a longer pause between reports is not known, so it counts no more than a usual one.
_MAX_ELAPSED_US = 150_000
_SECOND_US = 1_000_000


class Phase(StrEnum):
    """See the rules of this file."""

    FOLLOW = "follow"
    DRAIN = "drain"
    COMPETE = "compete"


class RateControl:
    """The rate of one flow, between a floor and a ceiling."""

    def __init__(self, rate_bps: int, *, floor_bps: int, ceiling_bps: int, frame_us: int, now_us: int) -> None:
        self._floor_bps = floor_bps
        self._ceiling_bps = ceiling_bps
        # The last packet of a frame that fills the path waits for those before it, for as long as until the next one.
        self._frame_us = frame_us
        self.rate_bps = rate_bps
        self.phase = Phase.FOLLOW
        self.reason = Reason.START
        # What the last update found, besides the rate.
        self.is_rebased = self.has_dropped = False
        # What the path carried when a queue stood last.
        self.capacity_bps: int | None = None
        self._congested_at_us = now_us
        self._lost_at_us = now_us
        # The most that arrived while packets were lost: 0 where the rate has been higher since.
        self._edge_bps = 0
        # How much of what trains say was really carried.
        self._trust = 1.0
        # By how much the path's nature, and that of other senders, moves the bounds of a queue.
        self._slack_us = 0
        self._entered_at_us = now_us
        self._entered_bps = self.rate_bps
        self._entered_trust = self._trust
        self._yields = self._wholes = self._narrows = 0
        # How long the queue was when half of that time had passed.
        self._drained_from_us = 0
        # How fast one train passed that made us drain.
        self._slow_bps: int | None = None
        self._calm_since_us: int | None = None
        self._cut_at_us = now_us
        # What the path carried before somebody else filled it.
        self._whole_bps = rate_bps
        self._updated_at_us = now_us

    def update(self, signals: Signals) -> None:
        """Decide anew after a report."""
        elapsed_us = min(signals.now_us - self._updated_at_us, _MAX_ELAPSED_US)
        self._updated_at_us = signals.now_us
        self.is_rebased = self.has_dropped = False
        if self._trust < 1:
            self._trust = min(1.0, self._trust + (1 - self._trust) * _TRUST_PER_S * elapsed_us / _SECOND_US)
        match self.phase:
            case Phase.FOLLOW:
                self._follow(signals, elapsed_us)
            case Phase.DRAIN:
                self._drain(signals)
            case _:
                self._compete(signals, elapsed_us)

    @property
    def trust(self) -> float:
        """How much of what trains say is really carried, as a ratio."""
        return self._trust

    def set_rate(self, rate_bps: float, reason: Reason) -> None:
        """Set the rate for a reason of somebody else's, within the bounds."""
        self.rate_bps = round(min(max(rate_bps, self._floor_bps), self._ceiling_bps))
        self.reason = reason

    def lose(self, verdict: LossVerdict, acked_bps: int, now_us: int) -> None:
        """Cut for loss. What a policer lets pass is what arrives, whatever trains say, so growth is careful then."""
        rate_bps = verdict.cut_ratio * self.rate_bps
        if verdict.is_first:
            rate_bps = min(rate_bps, SAFE_RATIO * acked_bps)
        self.capacity_bps = acked_bps
        # What arrives after a cut is what was sent, so the first of several cuts knows most.
        is_another = now_us - self._lost_at_us > _CAREFUL_US
        self._edge_bps = acked_bps if is_another else max(acked_bps, self._edge_bps)
        self._lost_at_us = now_us
        self.set_rate(rate_bps, Reason.LOSS)

    def forgive(self) -> None:
        """Forget where packets were lost: it was not the rate."""
        self._edge_bps = 0

    def _enter(self, phase: Phase, now_us: int) -> None:
        self.phase = phase
        self._entered_at_us = now_us
        self._entered_bps = self.rate_bps
        self._entered_trust = self._trust
        self._yields = self._wholes = self._narrows = 0
        self._drained_from_us = 0
        self._slow_bps = None
        self._calm_since_us = None

    # FOLLOW

    def _follow(self, signals: Signals, elapsed_us: int) -> None:
        self._slack_us = signals.jitter_us + min(signals.habit_us, _MAX_HABIT_US)
        is_growing = signals.usage is Usage.OVER and signals.standing_us > LOW_US + self._slack_us
        is_slow = signals.slow_bps is not None and signals.slow_bps < _SLOW_RATIO * self.rate_bps
        if signals.standing_us > HIGH_US + self._slack_us or is_growing or is_slow:
            self._enter(Phase.DRAIN, signals.now_us)
            self._measure(signals)
            if is_slow and signals.busy is None:
                self.capacity_bps = self._slow_bps = signals.slow_bps
            self._drain(signals)
            return
        if signals.is_application_limited:
            self._hold(signals)
        elif signals.is_loss_suspicious:
            self.reason = Reason.LOSS
        elif signals.standing_us > LOW_US + self._slack_us or signals.usage is Usage.OVER:
            self.reason = Reason.HOLD
        else:
            self._grow(signals, elapsed_us)

    def _hold(self, signals: Signals) -> None:
        """Keep the rate while little is sent, unless trains say several times that the path carries far less."""
        self.reason = Reason.APPLICATION_LIMITED
        most_bps = self.rate_bps
        if signals.train is not None:
            most_bps = round(signals.train.rate_bps * (1 + _LONG_ERRORS * signals.train.error_ratio))
        self._narrows = self._narrows + 1 if most_bps < _SLOW_RATIO * self.rate_bps else 0
        if self._narrows >= _NARROW_REPORTS:
            self.set_rate(SAFE_RATIO * most_bps, Reason.HOLD)
            self._narrows, self.has_dropped = 0, True

    def _grow(self, signals: Signals, elapsed_us: int) -> None:
        rate_bps, elapsed_s = self.rate_bps, elapsed_us / _SECOND_US
        most_bps = self._most_after_loss_bps(signals.now_us, elapsed_s)
        if signals.train is None:
            growth_per_s = _CAREFUL_GROWTH_PER_S if self._is_near_limit(signals.now_us) else _BLIND_GROWTH_PER_S
            tested_bps = max(rate_bps, _UNTESTED_RATIO * signals.acked_bps)
            self.set_rate(min(rate_bps * (1 + growth_per_s * elapsed_s), tested_bps, most_bps), Reason.GROWTH)
            return
        steady_ratio = 1 - _VARIATION_COST * signals.variation_ratio
        aim_bps = min(SAFE_RATIO * steady_ratio * self._trust * signals.train.rate_bps, most_bps)
        error_ratio = signals.train.error_ratio
        sure_bps = aim_bps * (1 - _SURE_ERRORS * error_ratio)
        if sure_bps > _FAST_RATIO * rate_bps:
            if signals.is_answered:
                self.set_rate(min(sure_bps, _GROWTH_PER_ROUND * rate_bps), Reason.GROWTH)
        elif aim_bps > rate_bps:
            self.set_rate(min(aim_bps, rate_bps * (1 + _NEAR_GROWTH_PER_S * elapsed_s)), Reason.GROWTH)
        else:
            sunk_bps = rate_bps * (1 - _SINK_PER_S * elapsed_s)
            lowest_bps = max(aim_bps * (1 + _LONG_ERRORS * error_ratio), sunk_bps)
            self.set_rate(min(lowest_bps, rate_bps), Reason.HOLD)

    def _most_after_loss_bps(self, now_us: int, elapsed_s: float) -> float:
        """Return how far the rate may grow, whatever trains say: slowly past where packets were lost.

        Time alone is no reason to believe that more passes: a policer is as narrow as ever after any.
        """
        rate_bps, edge_bps = self.rate_bps, self._edge_bps
        if rate_bps > _CAREFUL_RANGE[1] * edge_bps:
            self._edge_bps = 0
            return self._ceiling_bps
        if rate_bps > _EDGE_RATIO * edge_bps:
            return rate_bps * (1 + _EDGE_GROWTH_PER_S * elapsed_s)
        if now_us - self._lost_at_us > _CAREFUL_US:
            return _EDGE_RATIO * edge_bps
        return rate_bps * (1 + _CAREFUL_GROWTH_PER_S * elapsed_s)

    def _is_near_limit(self, now_us: int) -> bool:
        if self.capacity_bps is None or now_us - self._congested_at_us > _CAREFUL_US:
            return False
        low, high = _CAREFUL_RANGE
        return low * self.capacity_bps < self.rate_bps < high * self.capacity_bps

    # DRAIN

    def _measure(self, signals: Signals) -> None:
        """Note what the path carries while a queue stands, which is what arrives."""
        measured_bps = signals.steady_bps if signals.busy is None else signals.busy.rate_bps
        if signals.is_application_limited:
            # It has not tested more than one train, if that.
            least_bps = round(_LIMITED_CUT_RATIO * self._entered_bps) if self._slow_bps is None else self._slow_bps
            if signals.rough_train is not None:
                # But for what trains have tested: nothing passes faster than they do.
                least_bps = min(least_bps, signals.rough_train.rate_bps)
            measured_bps = max(measured_bps, least_bps)
        self.capacity_bps = measured_bps
        self._congested_at_us = signals.now_us
        if signals.train is not None and signals.busy is not None:
            low, high = _TRUST_RANGE
            trust = measured_bps / signals.train.rate_bps
            # A little less is how far trains are off; clearly less is somebody else.
            self._trust = max(trust, low) if trust < _SHARED_TRUST else high

    def _drain(self, signals: Signals) -> None:
        assert self.capacity_bps is not None
        now_us, busy = signals.now_us, signals.busy
        low_us = LOW_US + self._slack_us
        if signals.standing_us < low_us and signals.newest_us < low_us + self._frame_us and signals.is_answered:
            self._follow_again(self._share() * self.capacity_bps, now_us)
            return
        low, high = _STEADY_RANGE
        if busy is not None and signals.flat_us <= _STEADY_US and not low < busy.stretch_ratio < high:
            self._measure(signals)
        age_us = now_us - self._entered_at_us
        if min(age_us, signals.flat_us) > FLAT_US:
            # No queue has stood, so what was measured of it says nothing. A longer way leaves trains as they are.
            self.is_rebased, self._trust = True, self._entered_trust
            width_bps = self.capacity_bps if signals.train is None else self._trust * signals.train.rate_bps
            self._follow_again(SAFE_RATIO * width_bps, now_us)
            return
        if age_us > _COMPETE_AFTER_US // 2 and not self._drained_from_us:
            self._drained_from_us = signals.standing_us
        if age_us > _COMPETE_AFTER_US:
            if self._is_of_others(signals):
                self._enter(Phase.COMPETE, now_us)
                return
            # A long queue of our own takes longer.
            self._entered_at_us, self._drained_from_us = now_us, 0
        self._lower(signals)

    def _lower(self, signals: Signals) -> None:
        """Send less than arrives, by as much as the queue is long."""
        assert self.capacity_bps is not None
        low, high = _DRAIN_RATIOS
        queue_us = max(signals.standing_us, signals.newest_us - self._frame_us)
        ratio = min(max(1 - queue_us / _DRAIN_US, low), high)
        rate_bps = self.capacity_bps * ratio
        if signals.busy is None:
            rate_bps = min(rate_bps, self.rate_bps)
        if self._is_yielding(signals):
            rate_bps = max(rate_bps, _YIELD_RATIO * min(self._entered_bps, self._whole_bps))
        self.set_rate(min(rate_bps, self._entered_bps), Reason.QUEUE)

    def _is_of_others(self, signals: Signals) -> bool:
        """Return whether the queue is as long as ever although we gave way, and trains do not say we are alone."""
        is_alone = signals.train is not None and self._trust >= _SHARED_TRUST
        # Our own kind drains what is longer at the latest, so it is not they who keep it.
        is_standing = signals.habit_us > HIGH_US + _MAX_HABIT_US + signals.jitter_us
        return is_standing and not is_alone and signals.standing_us > _DRAINED_RATIO * self._drained_from_us

    def _is_yielding(self, signals: Signals) -> bool:
        """Return whether somebody else makes the queue: trains pass much faster than we are served, all of a sudden."""
        train = signals.rough_train
        if train is not None and signals.busy is not None:
            share = signals.busy.rate_bps / train.rate_bps * (1 + _SURE_ERRORS * train.error_ratio)
            is_other = share < _SHARED_TRUST * self._entered_trust
            self._yields = self._yields + 1 if is_other else 0
            self._whole_bps = train.rate_bps
        return self._yields >= _YIELD_REPORTS

    def _share(self) -> float:
        """Return how much of what the queue has shown to use: others who share the path get more than before."""
        if self._trust >= _SHARED_TRUST:
            return SAFE_RATIO
        ratio = 1 - _SHARED_CUT * self._trust
        self._trust *= ratio
        return ratio

    def _follow_again(self, rate_bps: float, now_us: int) -> None:
        before_bps = self._entered_bps
        self._enter(Phase.FOLLOW, now_us)
        self.set_rate(min(rate_bps, before_bps), Reason.DRAINED)
        self.has_dropped = self.rate_bps < _DROP_RATIO * before_bps

    # COMPETE

    def _compete(self, signals: Signals, elapsed_us: int) -> None:
        now_us = signals.now_us
        if signals.standing_us > LOW_US + self._slack_us:
            self._calm_since_us = None
        elif self._calm_since_us is None:
            self._calm_since_us = now_us
        elif now_us - self._calm_since_us > _COMPETE_CALM_US:
            self._enter(Phase.FOLLOW, now_us)
            return
        if self._is_alone(signals):
            # Whoever had filled the queue has gone, or never was there: it is ours, so we drain it.
            self._enter(Phase.DRAIN, now_us)
            self._measure(signals)
            self._lower(signals)
            return
        rate_bps: float = self.rate_bps
        if signals.lost_packets and now_us - self._cut_at_us > _COMPETE_CUT_US:
            self._cut_at_us = now_us
            rate_bps *= _COMPETE_CUT_RATIO
        elif (missing_bps := self._missing_bps(signals)) > 0:
            rate_bps += max(rate_bps, missing_bps) * _COMPETE_GROWTH_PER_S * elapsed_us / _SECOND_US
        self.set_rate(rate_bps, Reason.COMPETITION)

    def _is_alone(self, signals: Signals) -> bool:
        """Return whether all that passes the path is ours, and has been for a while."""
        if signals.train is not None and signals.busy is not None:
            is_whole = signals.busy.rate_bps > _SHARED_TRUST * signals.train.rate_bps
            self._wholes = self._wholes + 1 if is_whole else 0
        return self._wholes >= _YIELD_REPORTS

    def _missing_bps(self, signals: Signals) -> float:
        """Return how far we are from the half that is ours, as far as trains tell; or from a rate at which they do."""
        if signals.train is not None:
            self._whole_bps = signals.train.rate_bps
            return _FAIR_RATIO * self._whole_bps - self.rate_bps
        return max(_FAIR_RATIO * self._whole_bps, _TELLING_BPS) - self.rate_bps
