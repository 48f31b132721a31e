from dataclasses import replace

import pytest

from streamer.congestion.acked import Passage
from streamer.congestion.aimd import (
    _BLIND_GROWTH_PER_S,
    _CAREFUL_GROWTH_PER_S,
    _CAREFUL_US,
    _COMPETE_AFTER_US,
    _COMPETE_CALM_US,
    _COMPETE_CUT_RATIO,
    _COMPETE_CUT_US,
    _COMPETE_GROWTH_PER_S,
    _DRAIN_RATIOS,
    _DRAIN_US,
    _DRAINED_RATIO,
    _DROP_RATIO,
    _FAIR_RATIO,
    _FRAME_US,
    _GROWTH_PER_ROUND,
    _LIMITED_CUT_RATIO,
    _MAX_ELAPSED_US,
    _MAX_HABIT_US,
    _NEAR_GROWTH_PER_S,
    _SHARED_CUT,
    _SINK_PER_S,
    _SLOW_RATIO,
    _TELLING_BPS,
    _TRUST_RANGE,
    _VARIATION_COST,
    _YIELD_RATIO,
    _YIELD_REPORTS,
    FLAT_US,
    HIGH_US,
    LOW_US,
    SAFE_RATIO,
    Phase,
    RateControl,
)
from streamer.congestion.decision import Reason, Usage
from streamer.congestion.loss import LossVerdict
from streamer.congestion.signals import Signals
from streamer.congestion.train_rate import Measurement

_RATE_BPS = 10_000_000
_FLOOR_BPS, _CEILING_BPS = 300_000, 40_000_000
_REPORT_US = 50_000
_REPORT_S = _REPORT_US / 1_000_000
_QUEUE_US = HIGH_US + 10_000

_QUIET = Signals(
    now_us=0,
    standing_us=0,
    newest_us=0,
    habit_us=0,
    flat_us=0,
    jitter_us=0,
    usage=Usage.NORMAL,
    acked_bps=_RATE_BPS,
    busy=None,
    train=None,
    slow_bps=None,
    is_application_limited=False,
    is_loss_suspicious=False,
    is_answered=True,
    lost_packets=0,
    variation_ratio=0.0,
)


def _trains(ratio, *, error_ratio=0.0):
    """Trains pass at that ratio of the first rate."""
    return Measurement(round(ratio * _RATE_BPS), error_ratio)


def _busy(ratio, *, stretch_ratio=2.0):
    """Packets arrived at that ratio of the first rate since a queue has been standing."""
    size_bytes = round(ratio * _RATE_BPS) * _REPORT_US // 8_000_000
    return Passage(size_bytes, _REPORT_US, round(_REPORT_US / stretch_ratio), 30)


class _Control(RateControl):
    """A rate that is told a report every 50 ms."""

    def __init__(self, rate_bps=_RATE_BPS):
        super().__init__(rate_bps, floor_bps=_FLOOR_BPS, ceiling_bps=_CEILING_BPS, now_us=0)
        self.now_us = 0

    def hear(self, *, after_us=_REPORT_US, **changes):
        self.now_us += after_us
        self.update(replace(_QUIET, now_us=self.now_us, **changes))

    def hear_for(self, duration_us, **changes):
        for _ in range(duration_us // _REPORT_US):
            self.hear(**changes)


# FOLLOW


@pytest.mark.parametrize(
    ("changes", "ratio", "reason"),
    [
        pytest.param({}, 1 + _BLIND_GROWTH_PER_S * _REPORT_S, Reason.GROWTH, id="nothing tells: grow blindly"),
        pytest.param({"train": _trains(9)}, _GROWTH_PER_ROUND, Reason.GROWTH, id="trains pass much faster: jump"),
        pytest.param(
            {"train": _trains(1.3)}, SAFE_RATIO * 1.3, Reason.GROWTH, id="trains pass faster: what they say and no more"
        ),
        pytest.param(
            {"train": _trains(9), "is_answered": False},
            1,
            Reason.START,
            id="no second jump before the first is answered",
        ),
        pytest.param(
            {"train": _trains(1.05)}, 1 + _NEAR_GROWTH_PER_S * _REPORT_S, Reason.GROWTH, id="near the aim: slowly"
        ),
        pytest.param(
            {"train": _trains(1.25, error_ratio=0.1)},
            1 + _NEAR_GROWTH_PER_S * _REPORT_S,
            Reason.GROWTH,
            id="trains that may be far off are not jumped after",
        ),
        pytest.param({"train": _trains(1.001 / SAFE_RATIO)}, 1.001, Reason.GROWTH, id="the aim is not passed"),
        pytest.param({"train": _trains(0.5)}, 1 - _SINK_PER_S * _REPORT_S, Reason.HOLD, id="trains pass slower: sink"),
        pytest.param(
            {"train": _trains(1 / SAFE_RATIO - 0.005, error_ratio=0.02)},
            1,
            Reason.HOLD,
            id="as near as trains can tell",
        ),
        pytest.param(
            {"train": _trains(1.3), "variation_ratio": 0.1},
            SAFE_RATIO * (1 - _VARIATION_COST * 0.1) * 1.3,
            Reason.GROWTH,
            id="a path that varies is used less fully",
        ),
        pytest.param({"is_application_limited": True}, 1, Reason.APPLICATION_LIMITED, id="too little sent to tell"),
        pytest.param({"is_loss_suspicious": True}, 1, Reason.LOSS, id="no growth while packets are lost"),
        pytest.param({"standing_us": LOW_US + 1}, 1, Reason.HOLD, id="no growth while a little stands"),
        pytest.param({"usage": Usage.OVER}, 1, Reason.HOLD, id="no growth while ways become longer"),
        pytest.param(
            {"after_us": 60_000_000},
            1 + _BLIND_GROWTH_PER_S * _MAX_ELAPSED_US / 1_000_000,
            Reason.GROWTH,
            id="a pause counts as no more than a late report",
        ),
    ],
)
def test_rate_without_a_queue(changes, ratio, reason):
    control = _Control()

    control.hear(**changes)

    assert control.rate_bps == pytest.approx(ratio * _RATE_BPS, rel=1e-4)
    assert control.reason is reason
    assert control.phase is Phase.FOLLOW


@pytest.mark.parametrize(("asked_bps", "rate_bps"), [(1, _FLOOR_BPS), (10**12, _CEILING_BPS), (5_000_000, 5_000_000)])
def test_rate_stays_between_floor_and_ceiling(asked_bps, rate_bps):
    control = _Control()

    control.set_rate(asked_bps, Reason.PROBE)

    assert (control.rate_bps, control.reason) == (rate_bps, Reason.PROBE)


@pytest.mark.parametrize(
    ("after_us", "growth_per_s"), [(_REPORT_US, _CAREFUL_GROWTH_PER_S), (_CAREFUL_US + _REPORT_US, _BLIND_GROWTH_PER_S)]
)
def test_rate_grows_carefully_where_a_queue_stood_a_few_seconds_ago(after_us, growth_per_s):
    control = _Control()
    control.hear(standing_us=_QUEUE_US)
    control.hear()
    before_bps = control.rate_bps

    control.hear(after_us=after_us)

    elapsed_s = min(after_us, _MAX_ELAPSED_US) / 1_000_000
    assert control.rate_bps == pytest.approx(before_bps * (1 + growth_per_s * elapsed_s), rel=1e-4)


def test_rate_grows_fast_where_no_queue_has_stood():
    control = _Control()
    control.hear(standing_us=_QUEUE_US, acked_bps=4 * _RATE_BPS)
    control.hear()
    control.set_rate(_RATE_BPS, Reason.PROBE)

    control.hear()

    assert control.rate_bps == pytest.approx(_RATE_BPS * (1 + _BLIND_GROWTH_PER_S * _REPORT_S), rel=1e-4)


@pytest.mark.parametrize(
    ("verdict", "ratio"),
    [
        pytest.param(LossVerdict(0.05, 0.9), 0.9, id="by what the verdict says"),
        pytest.param(
            LossVerdict(0.2, 0.9, is_first=True), SAFE_RATIO * 0.8, id="to what arrives if it is heavy at once"
        ),
    ],
)
def test_rate_is_cut_for_loss(verdict, ratio):
    control = _Control()

    control.lose(verdict, round(0.8 * _RATE_BPS), control.now_us)

    assert control.rate_bps == pytest.approx(ratio * _RATE_BPS)
    assert control.reason is Reason.LOSS


def test_rate_grows_carefully_after_loss_whatever_trains_say():
    control = _Control()
    control.lose(LossVerdict(0.05, 0.9), _RATE_BPS, control.now_us)
    before_bps = control.rate_bps

    control.hear(train=_trains(9))

    assert control.rate_bps == pytest.approx(before_bps * (1 + _CAREFUL_GROWTH_PER_S * _REPORT_S), rel=1e-4)

    control.hear(after_us=_CAREFUL_US, train=_trains(9))

    assert control.rate_bps > 1.4 * before_bps


# DRAIN


def _drain_ratio(queue_us):
    low, high = _DRAIN_RATIOS
    return min(max(1 - queue_us / _DRAIN_US, low), high)


@pytest.mark.parametrize(
    ("changes", "ratio"),
    [
        pytest.param({"standing_us": _QUEUE_US}, _drain_ratio(_QUEUE_US), id="a queue stands"),
        pytest.param({"standing_us": 100_000}, _drain_ratio(100_000), id="a longer queue takes more of the rate"),
        pytest.param({"standing_us": 900_000}, _DRAIN_RATIOS[0], id="however long it is, something is left to see"),
        pytest.param({"standing_us": LOW_US + 1, "usage": Usage.OVER}, _DRAIN_RATIOS[1], id="a queue grows steadily"),
        pytest.param(
            {"standing_us": _QUEUE_US, "newest_us": 100_000 + _FRAME_US},
            _drain_ratio(100_000),
            id="the newest packets show that it is longer by now",
        ),
        pytest.param(
            {"standing_us": _QUEUE_US, "acked_bps": _RATE_BPS // 2},
            _drain_ratio(_QUEUE_US) / 2,
            id="what arrives counts",
        ),
        pytest.param(
            {"standing_us": _QUEUE_US, "busy": _busy(0.5)}, _drain_ratio(_QUEUE_US) / 2, id="or what has arrived since"
        ),
        pytest.param(
            {"newest_us": 60_000, "slow_bps": _RATE_BPS // 4},
            _drain_ratio(60_000 - _FRAME_US) / 4,
            id="one train passes much slower",
        ),
        pytest.param(
            {"standing_us": _QUEUE_US, "acked_bps": 1000, "is_application_limited": True},
            _drain_ratio(_QUEUE_US) * _LIMITED_CUT_RATIO,
            id="who sends little did not make it alone",
        ),
        pytest.param(
            {
                "newest_us": 60_000,
                "slow_bps": _RATE_BPS // 4,
                "acked_bps": 1000,
                "is_application_limited": True,
            },
            _drain_ratio(60_000 - _FRAME_US) / 4,
            id="one slow train of who sends little",
        ),
        pytest.param({"standing_us": _QUEUE_US, "acked_bps": 9 * _RATE_BPS}, 1.0, id="never upwards"),
    ],
)
def test_rate_is_cut_at_once(changes, ratio):
    control = _Control()

    control.hear(**changes)

    assert control.phase is Phase.DRAIN
    assert control.reason is Reason.QUEUE
    assert control.rate_bps == pytest.approx(ratio * _RATE_BPS, rel=1e-3)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"standing_us": HIGH_US}, id="as much as frames make"),
        pytest.param({"standing_us": HIGH_US + 5000, "jitter_us": 5000}, id="as much as jitter makes"),
        pytest.param({"standing_us": HIGH_US + 5000, "habit_us": 5000}, id="as much as always stands"),
        pytest.param(
            {"standing_us": HIGH_US + _MAX_HABIT_US, "habit_us": 9 * _MAX_HABIT_US}, id="as much as others' frames make"
        ),
        pytest.param({"slow_bps": round(_SLOW_RATIO * _RATE_BPS)}, id="a train that is a little slower"),
    ],
)
def test_rate_is_not_cut_for(changes):
    control = _Control()

    control.hear(**changes)

    assert control.phase is Phase.FOLLOW
    assert control.rate_bps >= _RATE_BPS


def _drained(capacity_ratio=0.5):
    """Return a rate that has just drained a queue of a path that carries so much."""
    control = _Control()
    control.hear(standing_us=_QUEUE_US, busy=_busy(capacity_ratio))
    control.hear()
    return control


@pytest.mark.parametrize("capacity_ratio", [0.9, 0.5])
def test_rate_returns_to_what_the_path_carries_when_the_queue_is_gone(capacity_ratio):
    control = _drained(capacity_ratio)

    assert control.phase is Phase.FOLLOW
    assert control.reason is Reason.DRAINED
    assert control.rate_bps == pytest.approx(SAFE_RATIO * capacity_ratio * _RATE_BPS, rel=1e-3)
    assert control.has_dropped is (SAFE_RATIO * capacity_ratio < _DROP_RATIO)
    control.hear()
    assert not control.has_dropped


def test_rate_does_not_return_above_where_it_was():
    control = _Control()
    control.hear(standing_us=_QUEUE_US, acked_bps=9 * _RATE_BPS)

    control.hear()

    assert control.rate_bps == _RATE_BPS


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"is_answered": False}, id="the report is of packets sent before the cut"),
        pytest.param({"newest_us": LOW_US + _FRAME_US}, id="the newest packets still wait"),
        pytest.param({"standing_us": LOW_US}, id="a little still stands"),
    ],
)
def test_rate_stays_low_while(changes):
    control = _Control()
    control.hear(standing_us=_QUEUE_US)
    before_bps = control.rate_bps

    control.hear(**changes)

    assert control.phase is Phase.DRAIN
    assert control.rate_bps <= before_bps


def test_rate_measures_the_path_anew_while_it_drains():
    control = _Control()
    control.hear(standing_us=_QUEUE_US, busy=_busy(0.5))

    control.hear(standing_us=_QUEUE_US, busy=_busy(0.25))

    assert control.capacity_bps == pytest.approx(0.25 * _RATE_BPS, rel=1e-3)
    assert control.rate_bps == pytest.approx(_drain_ratio(_QUEUE_US) * 0.25 * _RATE_BPS, rel=1e-3)


def test_rate_learns_nothing_from_a_queue_that_stays_as_long():
    control = _Control()
    control.hear(standing_us=_QUEUE_US, busy=_busy(0.5))

    control.hear(standing_us=_QUEUE_US, busy=_busy(0.25, stretch_ratio=1.0))

    assert control.capacity_bps == pytest.approx(0.5 * _RATE_BPS, rel=1e-3)


def test_ways_that_stay_as_long_although_less_is_sent_are_a_longer_route():
    control = _Control()
    control.hear(standing_us=60_000)

    control.hear_for(FLAT_US + _REPORT_US, standing_us=60_000, flat_us=FLAT_US + 1)

    assert control.is_rebased
    assert control.phase is Phase.FOLLOW
    assert control.rate_bps == pytest.approx(SAFE_RATIO * _RATE_BPS)
    control.hear()
    assert not control.is_rebased


@pytest.mark.parametrize(
    ("changes", "queue_ratio", "phase"),
    [
        pytest.param({}, 1.0, Phase.COMPETE, id="it stays although we gave way: others fill it"),
        pytest.param({}, 0.8 * _DRAINED_RATIO, Phase.DRAIN, id="a long queue of our own takes longer"),
        pytest.param({"train": _trains(0.5), "busy": _busy(0.5)}, 1.0, Phase.DRAIN, id="trains say that we are alone"),
    ],
)
def test_queue_that_has_not_drained_after_two_seconds(changes, queue_ratio, phase):
    control = _Control()
    control.hear(standing_us=100_000, **changes)
    control.hear_for(_COMPETE_AFTER_US // 2 + _REPORT_US, standing_us=100_000, **changes)

    control.hear_for(_COMPETE_AFTER_US // 2, standing_us=round(queue_ratio * 100_000), **changes)

    assert control.phase is phase


# Others on the path


def _beside_another(reports, *, share=0.4):
    """Return a rate whose queue somebody else fills: trains pass at full speed, and we are served a part of it."""
    control = _Control()
    for _ in range(reports):
        control.hear(standing_us=100_000, train=_trains(1.0), busy=_busy(share))
    return control


def test_trains_are_trusted_as_far_as_we_are_served():
    control = _beside_another(1)
    assert control.trust == pytest.approx(0.4, rel=1e-3)

    control.hear()

    # Who has more gives way more.
    assert control.rate_bps == pytest.approx((1 - _SHARED_CUT * 0.4) * 0.4 * _RATE_BPS, rel=0.01)


@pytest.mark.parametrize(
    ("share", "trust"),
    [
        pytest.param(0.95, 1.0, id="as far as trains may be off"),
        pytest.param(0.01, _TRUST_RANGE[0], id="never less than a little"),
    ],
)
def test_trust_in_trains(share, trust):
    assert _beside_another(1, share=share).trust == trust


def test_trust_in_trains_comes_back():
    control = _beside_another(1)

    control.hear_for(120_000_000, standing_us=LOW_US + 1)

    assert control.trust > 0.95


def test_rate_gives_way_by_half_to_a_queue_that_others_make():
    control = _beside_another(_YIELD_REPORTS - 1)
    assert control.rate_bps < _YIELD_RATIO * _RATE_BPS

    control.hear(standing_us=100_000, train=_trains(1.0), busy=_busy(0.4))

    assert control.rate_bps == pytest.approx(_YIELD_RATIO * _RATE_BPS)


def _competing():
    control = _beside_another((_COMPETE_AFTER_US + 2 * _REPORT_US) // _REPORT_US)
    assert control.phase is Phase.COMPETE
    return control


def test_rate_holds_its_part_beside_a_sender_that_keeps_the_queue_full():
    control = _competing()

    control.hear_for(60_000_000, standing_us=100_000)

    assert control.phase is Phase.COMPETE
    assert control.reason is Reason.COMPETITION
    assert control.rate_bps == pytest.approx(_FAIR_RATIO * _RATE_BPS, rel=0.01)


@pytest.mark.parametrize(
    ("rate_ratio", "changes", "grown_ratio"),
    [
        pytest.param(0.4, {}, 0.4, id="by what we have"),
        pytest.param(0.1, {}, 0.4, id="or by what is missing, where that is more"),
        pytest.param(0.1, {"train": _trains(0.4)}, 0.1, id="to the half of what passes by now"),
    ],
)
def test_rate_grows_towards_its_part_slowly(rate_ratio, changes, grown_ratio):
    control = _competing()
    control.set_rate(rate_ratio * _RATE_BPS, Reason.COMPETITION)

    control.hear(standing_us=100_000, **changes)

    grown = rate_ratio + grown_ratio * _COMPETE_GROWTH_PER_S * _REPORT_S
    assert control.rate_bps == pytest.approx(grown * _RATE_BPS, rel=1e-4)


def test_rate_grows_beside_another_until_trains_tell():
    control = _competing()
    control.hear(standing_us=100_000, train=_trains(0.01))
    control.set_rate(_FLOOR_BPS, Reason.COMPETITION)

    control.hear_for(60_000_000, standing_us=100_000)

    assert control.rate_bps == pytest.approx(_TELLING_BPS, rel=0.01)


def test_rate_gives_way_to_loss_once_in_a_while_beside_another():
    control = _competing()
    control.hear(after_us=_COMPETE_CUT_US, standing_us=100_000)
    control.set_rate(_RATE_BPS, Reason.COMPETITION)

    control.hear(standing_us=100_000, lost_packets=3)
    assert control.rate_bps == pytest.approx(_COMPETE_CUT_RATIO * _RATE_BPS)
    control.hear(standing_us=100_000, lost_packets=3)

    assert control.rate_bps == pytest.approx(_COMPETE_CUT_RATIO * _RATE_BPS)


def test_rate_follows_again_when_the_other_sender_has_gone():
    control = _competing()

    control.hear_for(_COMPETE_CALM_US)
    control.hear(standing_us=LOW_US + 1)
    control.hear_for(_COMPETE_CALM_US)
    assert control.phase is Phase.COMPETE
    control.hear_for(3 * _REPORT_US)

    assert control.phase is Phase.FOLLOW
