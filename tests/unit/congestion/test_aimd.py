import pytest

from streamer.congestion.aimd import (
    _BLIND_GROWTH_PER_S,
    _CAREFUL_GROWTH_PER_S,
    _CAREFUL_RANGE,
    _CAREFUL_US,
    _EDGE_GROWTH_PER_S,
    _EDGE_RATIO,
    _GROWTH_PER_ROUND,
    _MAX_ELAPSED_US,
    _NARROW_REPORTS,
    _NEAR_GROWTH_PER_S,
    _SINK_PER_S,
    _VARIATION_COST,
    LOW_US,
    SAFE_RATIO,
    Phase,
)
from streamer.congestion.decision import Reason, Usage
from streamer.congestion.loss import LossVerdict
from tests.fakes.rate_reports import CEILING_BPS, FLOOR_BPS, QUEUE_US, RATE_BPS, REPORT_S, REPORT_US, Control, trains


@pytest.mark.parametrize(
    ("changes", "ratio", "reason"),
    [
        pytest.param({}, 1 + _BLIND_GROWTH_PER_S * REPORT_S, Reason.GROWTH, id="nothing tells: grow blindly"),
        pytest.param({"acked_bps": RATE_BPS // 2}, 1, Reason.GROWTH, id="nothing tests more: no growth"),
        pytest.param(
            {"train": trains(9), "acked_bps": RATE_BPS // 2}, _GROWTH_PER_ROUND, Reason.GROWTH, id="trains do"
        ),
        pytest.param({"train": trains(9)}, _GROWTH_PER_ROUND, Reason.GROWTH, id="trains pass much faster: jump"),
        pytest.param(
            {"train": trains(1.3)}, SAFE_RATIO * 1.3, Reason.GROWTH, id="trains pass faster: what they say and no more"
        ),
        pytest.param(
            {"train": trains(9), "is_answered": False},
            1,
            Reason.START,
            id="no second jump before the first is answered",
        ),
        pytest.param(
            {"train": trains(1.05)}, 1 + _NEAR_GROWTH_PER_S * REPORT_S, Reason.GROWTH, id="near the aim: slowly"
        ),
        pytest.param(
            {"train": trains(1.25, error_ratio=0.1)},
            1 + _NEAR_GROWTH_PER_S * REPORT_S,
            Reason.GROWTH,
            id="trains that may be far off are not jumped after",
        ),
        pytest.param({"train": trains(1.001 / SAFE_RATIO)}, 1.001, Reason.GROWTH, id="the aim is not passed"),
        pytest.param({"train": trains(0.5)}, 1 - _SINK_PER_S * REPORT_S, Reason.HOLD, id="trains pass slower: sink"),
        pytest.param(
            {"train": trains(1 / SAFE_RATIO - 0.005, error_ratio=0.02)},
            1,
            Reason.HOLD,
            id="as near as trains can tell",
        ),
        pytest.param(
            {"train": trains(1.3), "variation_ratio": 0.1},
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
    control = Control()

    control.hear(**changes)

    assert control.rate_bps == pytest.approx(ratio * RATE_BPS, rel=1e-4)
    assert control.reason is reason
    assert control.phase is Phase.FOLLOW


@pytest.mark.parametrize(
    ("train", "ratio"),
    [
        pytest.param(trains(0.2), SAFE_RATIO * 0.2, id="far less"),
        pytest.param(trains(0.2, error_ratio=0.1), SAFE_RATIO * 0.2 * 1.3, id="far less, as far as they can tell"),
        pytest.param(trains(0.6, error_ratio=0.1), 1, id="not for sure"),
        pytest.param(trains(0.8), 1, id="a little less"),
        pytest.param(None, 1, id="nothing"),
    ],
)
def test_rate_is_held_while_little_is_sent_unless_trains_say_several_times_that_there_is_less(train, ratio):
    control = Control()

    control.hear_for(2 * REPORT_US, train=train, is_application_limited=True)
    control.hear(is_application_limited=True)
    control.hear_for((_NARROW_REPORTS - 1) * REPORT_US, train=train, is_application_limited=True)
    assert control.rate_bps == RATE_BPS
    control.hear(train=train, is_application_limited=True)

    assert control.rate_bps == pytest.approx(ratio * RATE_BPS)
    assert control.has_dropped is (ratio < 1)
    assert control.reason is (Reason.HOLD if ratio < 1 else Reason.APPLICATION_LIMITED)


@pytest.mark.parametrize(("asked_bps", "rate_bps"), [(1, FLOOR_BPS), (10**12, CEILING_BPS), (5_000_000, 5_000_000)])
def test_rate_stays_between_floor_and_ceiling(asked_bps, rate_bps):
    control = Control()

    control.set_rate(asked_bps, Reason.PROBE)

    assert (control.rate_bps, control.reason) == (rate_bps, Reason.PROBE)


@pytest.mark.parametrize(
    ("after_us", "growth_per_s"), [(REPORT_US, _CAREFUL_GROWTH_PER_S), (_CAREFUL_US + REPORT_US, _BLIND_GROWTH_PER_S)]
)
def test_rate_grows_carefully_where_a_queue_stood_a_few_seconds_ago(after_us, growth_per_s):
    control = Control()
    control.hear(standing_us=QUEUE_US)
    control.hear()
    before_bps = control.rate_bps

    control.hear(after_us=after_us)

    elapsed_s = min(after_us, _MAX_ELAPSED_US) / 1_000_000
    assert control.rate_bps == pytest.approx(before_bps * (1 + growth_per_s * elapsed_s), rel=1e-4)


def test_rate_grows_fast_where_no_queue_has_stood():
    control = Control()
    control.hear(standing_us=QUEUE_US, acked_bps=4 * RATE_BPS)
    control.hear()
    control.set_rate(RATE_BPS, Reason.PROBE)

    control.hear()

    assert control.rate_bps == pytest.approx(RATE_BPS * (1 + _BLIND_GROWTH_PER_S * REPORT_S), rel=1e-4)


@pytest.mark.parametrize(
    ("verdict", "ratio"),
    [
        pytest.param(LossVerdict(0.9), 0.9, id="by what the verdict says"),
        pytest.param(LossVerdict(0.9, is_first=True), SAFE_RATIO * 0.8, id="to what arrives if it is heavy at once"),
    ],
)
def test_rate_is_cut_for_loss(verdict, ratio):
    control = Control()

    control.lose(verdict, round(0.8 * RATE_BPS), control.now_us)

    assert control.rate_bps == pytest.approx(ratio * RATE_BPS)
    assert control.reason is Reason.LOSS


def test_rate_grows_carefully_until_it_is_above_where_packets_were_lost():
    control = Control()
    control.lose(LossVerdict(0.9), RATE_BPS, control.now_us)
    before_bps = control.rate_bps

    control.hear(train=trains(9))

    assert control.rate_bps == pytest.approx(before_bps * (1 + _CAREFUL_GROWTH_PER_S * REPORT_S), rel=1e-4)

    # A policer does not become wider by itself.
    control.hear(after_us=_CAREFUL_US)
    for _ in range(3):
        control.hear(train=trains(9))
    assert control.rate_bps == pytest.approx(_EDGE_RATIO * RATE_BPS)
    control.set_rate(_CAREFUL_RANGE[1] * RATE_BPS + 2, Reason.GROWTH)
    control.hear(train=trains(9))

    assert control.rate_bps > 1.4 * _CAREFUL_RANGE[1] * RATE_BPS


def test_rate_grows_as_ever_once_it_is_known_that_it_did_not_make_the_loss():
    control = Control()
    control.lose(LossVerdict(0.9), RATE_BPS, control.now_us)
    before_bps = control.rate_bps

    control.forgive()
    control.hear(train=trains(9))

    assert control.rate_bps == pytest.approx(_GROWTH_PER_ROUND * before_bps)


def test_rate_remembers_the_most_that_arrived_while_packets_were_lost():
    control = Control()
    control.lose(LossVerdict(0.85, is_first=True), RATE_BPS, control.now_us)
    control.lose(LossVerdict(0.9), RATE_BPS // 2, control.now_us)
    control.set_rate(RATE_BPS, Reason.GROWTH)

    control.hear(train=trains(9))
    assert control.rate_bps == pytest.approx(RATE_BPS * (1 + _EDGE_GROWTH_PER_S * REPORT_S), rel=1e-4)

    # What is lost much later is another matter.
    control.hear(after_us=_CAREFUL_US)
    control.lose(LossVerdict(0.9), RATE_BPS // 2, control.now_us)
    control.set_rate(RATE_BPS, Reason.GROWTH)
    control.hear(train=trains(9))

    assert control.rate_bps == pytest.approx(_GROWTH_PER_ROUND * RATE_BPS)


@pytest.mark.parametrize("changes", [{}, {"train": trains(9)}])
def test_rate_grows_no_faster_than_loss_is_tolerated_where_packets_were_lost_a_moment_ago(changes):
    control = Control()
    control.lose(LossVerdict(0.98), RATE_BPS, control.now_us)
    before_bps = control.rate_bps

    control.hear(**changes)

    assert control.rate_bps == pytest.approx(before_bps * (1 + _EDGE_GROWTH_PER_S * REPORT_S), rel=1e-4)
