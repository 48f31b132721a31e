import pytest

from streamer.congestion.aimd import (
    _COMPETE_AFTER_US,
    _DRAIN_RATIOS,
    _DRAIN_US,
    _DRAINED_RATIO,
    _DROP_RATIO,
    _LIMITED_CUT_RATIO,
    _MAX_HABIT_US,
    _SLOW_RATIO,
    _STEADY_US,
    FLAT_US,
    HIGH_US,
    LOW_US,
    SAFE_RATIO,
    Phase,
)
from streamer.congestion.decision import Reason, Usage
from tests.fakes.rate_reports import FRAME_US, QUEUE_US, RATE_BPS, REPORT_US, Control, busy, trains


def _drain_ratio(queue_us):
    low, high = _DRAIN_RATIOS
    return min(max(1 - queue_us / _DRAIN_US, low), high)


@pytest.mark.parametrize(
    ("changes", "ratio"),
    [
        pytest.param({"standing_us": QUEUE_US}, _drain_ratio(QUEUE_US), id="a queue stands"),
        pytest.param({"standing_us": 100_000}, _drain_ratio(100_000), id="a longer queue takes more of the rate"),
        pytest.param({"standing_us": 900_000}, _DRAIN_RATIOS[0], id="however long it is, something is left to see"),
        pytest.param({"standing_us": LOW_US + 1, "usage": Usage.OVER}, _DRAIN_RATIOS[1], id="a queue grows steadily"),
        pytest.param(
            {"standing_us": QUEUE_US, "newest_us": 100_000 + FRAME_US},
            _drain_ratio(100_000),
            id="the newest packets show that it is longer by now",
        ),
        pytest.param(
            {"standing_us": QUEUE_US, "acked_bps": RATE_BPS // 2},
            _drain_ratio(QUEUE_US) / 2,
            id="what arrives counts",
        ),
        pytest.param(
            {"standing_us": QUEUE_US, "acked_bps": RATE_BPS // 20, "steady_bps": RATE_BPS},
            _drain_ratio(QUEUE_US),
            id="a short stop is no narrow path",
        ),
        pytest.param(
            {"standing_us": QUEUE_US, "busy": busy(0.5)}, _drain_ratio(QUEUE_US) / 2, id="or what has arrived since"
        ),
        pytest.param(
            {"newest_us": 60_000, "slow_bps": RATE_BPS // 4},
            _drain_ratio(60_000 - FRAME_US) / 4,
            id="one train passes much slower",
        ),
        pytest.param(
            {"standing_us": QUEUE_US, "acked_bps": 1000, "is_application_limited": True},
            _drain_ratio(QUEUE_US) * _LIMITED_CUT_RATIO,
            id="who sends little did not make it alone",
        ),
        pytest.param(
            {"standing_us": QUEUE_US, "acked_bps": 1000, "is_application_limited": True, "rough_train": trains(0.3)},
            _drain_ratio(QUEUE_US) * 0.3,
            id="unless trains of who sends little pass no faster",
        ),
        pytest.param(
            {
                "newest_us": 60_000,
                "slow_bps": RATE_BPS // 4,
                "acked_bps": 1000,
                "is_application_limited": True,
            },
            _drain_ratio(60_000 - FRAME_US) / 4,
            id="one slow train of who sends little",
        ),
        pytest.param({"standing_us": QUEUE_US, "acked_bps": 9 * RATE_BPS}, 1.0, id="never upwards"),
    ],
)
def test_rate_is_cut_at_once(changes, ratio):
    control = Control()

    control.hear(**changes)

    assert control.phase is Phase.DRAIN
    assert control.reason is Reason.QUEUE
    assert control.rate_bps == pytest.approx(ratio * RATE_BPS, rel=1e-3)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"standing_us": HIGH_US}, id="as much as frames make"),
        pytest.param({"standing_us": HIGH_US + 5000, "jitter_us": 5000}, id="as much as jitter makes"),
        pytest.param({"standing_us": HIGH_US + 5000, "habit_us": 5000}, id="as much as always stands"),
        pytest.param(
            {"standing_us": HIGH_US + _MAX_HABIT_US, "habit_us": 9 * _MAX_HABIT_US}, id="as much as others' frames make"
        ),
        pytest.param({"slow_bps": round(_SLOW_RATIO * RATE_BPS)}, id="a train that is a little slower"),
    ],
)
def test_rate_is_not_cut_for(changes):
    control = Control()

    control.hear(**changes)

    assert control.phase is Phase.FOLLOW
    assert control.rate_bps >= RATE_BPS


def _drained(capacity_ratio=0.5):
    """Return a rate that has just drained a queue of a path that carries so much."""
    control = Control()
    control.hear(standing_us=QUEUE_US, busy=busy(capacity_ratio))
    control.hear()
    return control


@pytest.mark.parametrize("capacity_ratio", [0.9, 0.5])
def test_rate_returns_to_what_the_path_carries_when_the_queue_is_gone(capacity_ratio):
    control = _drained(capacity_ratio)

    assert control.phase is Phase.FOLLOW
    assert control.reason is Reason.DRAINED
    assert control.rate_bps == pytest.approx(SAFE_RATIO * capacity_ratio * RATE_BPS, rel=1e-3)
    assert control.has_dropped is (SAFE_RATIO * capacity_ratio < _DROP_RATIO)
    control.hear()
    assert not control.has_dropped


def test_rate_does_not_return_above_where_it_was():
    control = Control()
    control.hear(standing_us=QUEUE_US, acked_bps=9 * RATE_BPS)

    control.hear()

    assert control.rate_bps == RATE_BPS


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"is_answered": False}, id="the report is of packets sent before the cut"),
        pytest.param({"newest_us": LOW_US + FRAME_US}, id="the newest packets still wait"),
        pytest.param({"standing_us": LOW_US}, id="a little still stands"),
    ],
)
def test_rate_stays_low_while(changes):
    control = Control()
    control.hear(standing_us=QUEUE_US)
    before_bps = control.rate_bps

    control.hear(**changes)

    assert control.phase is Phase.DRAIN
    assert control.rate_bps <= before_bps


def test_rate_returns_although_the_last_packet_of_a_long_frame_waits_for_those_before_it():
    control = Control(frame_us=2 * FRAME_US)
    control.hear(standing_us=QUEUE_US)

    control.hear(newest_us=2 * FRAME_US)

    assert control.phase is Phase.FOLLOW


def test_rate_measures_the_path_anew_while_it_drains():
    control = Control()
    control.hear(standing_us=QUEUE_US, busy=busy(0.5))

    control.hear(standing_us=QUEUE_US, busy=busy(0.25))

    assert control.capacity_bps == pytest.approx(0.25 * RATE_BPS, rel=1e-3)
    assert control.rate_bps == pytest.approx(_drain_ratio(QUEUE_US) * 0.25 * RATE_BPS, rel=1e-3)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"busy": busy(0.25, stretch_ratio=1.0)}, id="packets arrive as they were sent"),
        pytest.param({"busy": busy(0.25), "flat_us": _STEADY_US + 1}, id="ways are flat"),
    ],
)
def test_rate_learns_nothing_from_a_queue_that_stays_as_long(changes):
    control = Control()
    control.hear(standing_us=QUEUE_US, busy=busy(0.5))

    control.hear(standing_us=QUEUE_US, **changes)

    assert control.capacity_bps == pytest.approx(0.5 * RATE_BPS, rel=1e-3)


def test_ways_that_stay_as_long_although_less_is_sent_are_a_longer_route():
    control = Control()
    control.hear(standing_us=60_000)

    control.hear_for(FLAT_US + REPORT_US, standing_us=60_000, flat_us=FLAT_US + 1)

    assert control.is_rebased
    assert control.phase is Phase.FOLLOW
    assert control.rate_bps == pytest.approx(SAFE_RATIO * RATE_BPS)
    control.hear()
    assert not control.is_rebased


@pytest.mark.parametrize(
    ("train_ratio", "rate_ratio"),
    [
        pytest.param(1.0, SAFE_RATIO, id="trains pass as before"),
        pytest.param(0.6, SAFE_RATIO * 0.6, id="the longer route is narrower"),
        pytest.param(3.0, 1.0, id="the longer route is wider: not at once"),
    ],
)
def test_rate_on_a_longer_route_is_what_trains_say_and_not_what_seemed_a_queue(train_ratio, rate_ratio):
    control = Control()
    control.hear(standing_us=60_000, busy=busy(0.3), train=trains(train_ratio))

    control.hear_for(FLAT_US + REPORT_US, standing_us=60_000, flat_us=FLAT_US + 1, train=trains(train_ratio))

    assert control.is_rebased
    assert control.trust == 1
    assert control.rate_bps == pytest.approx(rate_ratio * RATE_BPS, rel=1e-3)


@pytest.mark.parametrize(
    ("changes", "queue_ratio", "phase"),
    [
        pytest.param({}, 1.0, Phase.COMPETE, id="it stays although we gave way: others fill it"),
        pytest.param({}, 0.8 * _DRAINED_RATIO, Phase.DRAIN, id="a long queue of our own takes longer"),
        pytest.param({"train": trains(0.5), "busy": busy(0.5)}, 1.0, Phase.DRAIN, id="trains say that we are alone"),
        pytest.param({"habit_us": HIGH_US + _MAX_HABIT_US}, 1.0, Phase.DRAIN, id="our own kind leaves as much"),
    ],
)
def test_queue_that_has_not_drained_after_two_seconds(changes, queue_ratio, phase):
    control = Control()
    control.hear(standing_us=100_000, **changes)
    control.hear_for(_COMPETE_AFTER_US // 2 + REPORT_US, standing_us=100_000, **changes)

    control.hear_for(_COMPETE_AFTER_US // 2, standing_us=round(queue_ratio * 100_000), **changes)

    assert control.phase is phase
