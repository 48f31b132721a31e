import pytest

from streamer.congestion.aimd import (
    _COMPETE_AFTER_US,
    _COMPETE_CALM_US,
    _COMPETE_CUT_RATIO,
    _COMPETE_CUT_US,
    _COMPETE_GROWTH_PER_S,
    _DRAIN_US,
    _FAIR_RATIO,
    _SHARED_CUT,
    _TELLING_BPS,
    _TRUST_RANGE,
    _YIELD_RATIO,
    _YIELD_REPORTS,
    LOW_US,
    Phase,
)
from streamer.congestion.decision import Reason
from tests.fakes.rate_reports import FLOOR_BPS, RATE_BPS, REPORT_S, REPORT_US, Control, busy, trains


def _beside_another(reports, *, share=0.4):
    """Return a rate whose queue somebody else fills: trains pass at full speed, and we are served a part of it."""
    control = Control()
    for _ in range(reports):
        control.hear(standing_us=100_000, train=trains(1.0), busy=busy(share))
    return control


def test_trains_are_trusted_as_far_as_we_are_served():
    control = _beside_another(1)
    assert control.trust == pytest.approx(0.4, rel=1e-3)

    control.hear()

    # Who has more gives way more.
    assert control.rate_bps == pytest.approx((1 - _SHARED_CUT * 0.4) * 0.4 * RATE_BPS, rel=0.01)


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
    assert control.rate_bps < _YIELD_RATIO * RATE_BPS

    control.hear(standing_us=100_000, train=trains(1.0), busy=busy(0.4))

    assert control.rate_bps == pytest.approx(_YIELD_RATIO * RATE_BPS)


def test_rate_gives_way_by_half_although_trains_tell_only_roughly():
    control = Control()
    control.hear(standing_us=100_000, busy=busy(0.9))

    for _ in range(_YIELD_REPORTS):
        control.hear(standing_us=100_000, rough_train=trains(1.0, error_ratio=0.25), busy=busy(0.2))

    assert control.rate_bps == pytest.approx(_YIELD_RATIO * RATE_BPS)


def test_rate_gives_way_further_where_trains_may_be_off_by_as_much():
    control = Control()

    for _ in range(2 * _YIELD_REPORTS):
        control.hear(standing_us=100_000, rough_train=trains(1.0, error_ratio=0.3), busy=busy(0.6))

    assert control.rate_bps == pytest.approx((1 - 100_000 / _DRAIN_US) * 0.6 * RATE_BPS, rel=0.01)


def _competing():
    control = _beside_another((_COMPETE_AFTER_US + 2 * REPORT_US) // REPORT_US)
    assert control.phase is Phase.COMPETE
    return control


def test_rate_holds_its_part_beside_a_sender_that_keeps_the_queue_full():
    control = _competing()

    control.hear_for(60_000_000, standing_us=100_000)

    assert control.phase is Phase.COMPETE
    assert control.reason is Reason.COMPETITION
    assert control.rate_bps == pytest.approx(_FAIR_RATIO * RATE_BPS, rel=0.01)


@pytest.mark.parametrize(
    ("rate_ratio", "changes", "grown_ratio"),
    [
        pytest.param(0.4, {}, 0.4, id="by what we have"),
        pytest.param(0.1, {}, 0.4, id="or by what is missing, where that is more"),
        pytest.param(0.1, {"train": trains(0.4)}, 0.1, id="to the half of what passes by now"),
    ],
)
def test_rate_grows_towards_its_part_slowly(rate_ratio, changes, grown_ratio):
    control = _competing()
    control.set_rate(rate_ratio * RATE_BPS, Reason.COMPETITION)

    control.hear(standing_us=100_000, **changes)

    grown = rate_ratio + grown_ratio * _COMPETE_GROWTH_PER_S * REPORT_S
    assert control.rate_bps == pytest.approx(grown * RATE_BPS, rel=1e-4)


def test_rate_grows_beside_another_until_trains_tell():
    control = _competing()
    control.hear(standing_us=100_000, train=trains(0.01))
    control.set_rate(FLOOR_BPS, Reason.COMPETITION)

    control.hear_for(60_000_000, standing_us=100_000)

    assert control.rate_bps == pytest.approx(_TELLING_BPS, rel=0.01)


def test_rate_gives_way_to_loss_once_in_a_while_beside_another():
    control = _competing()
    control.hear(after_us=_COMPETE_CUT_US, standing_us=100_000)
    control.set_rate(RATE_BPS, Reason.COMPETITION)

    control.hear(standing_us=100_000, lost_packets=3)
    assert control.rate_bps == pytest.approx(_COMPETE_CUT_RATIO * RATE_BPS)
    control.hear(standing_us=100_000, lost_packets=3)

    assert control.rate_bps == pytest.approx(_COMPETE_CUT_RATIO * RATE_BPS)


def test_rate_drains_a_queue_that_turns_out_to_be_its_own():
    control = _competing()
    own = {"standing_us": 100_000, "train": trains(0.4), "busy": busy(0.4)}
    for _ in range(_YIELD_REPORTS - 1):
        control.hear(**own)
    assert control.phase is Phase.COMPETE

    control.hear(**own)

    assert control.phase is Phase.DRAIN
    assert control.rate_bps == pytest.approx((1 - 100_000 / _DRAIN_US) * 0.4 * RATE_BPS, rel=0.01)


def test_rate_goes_on_beside_another_that_pauses_now_and_then():
    control = _competing()
    for _ in range(3 * _YIELD_REPORTS):
        control.hear(standing_us=100_000, train=trains(1.0), busy=busy(1.0))
        control.hear(standing_us=100_000, train=trains(1.0), busy=busy(0.4))

    assert control.phase is Phase.COMPETE


def test_rate_follows_again_when_the_other_sender_has_gone():
    control = _competing()

    control.hear_for(_COMPETE_CALM_US)
    control.hear(standing_us=LOW_US + 1)
    control.hear_for(_COMPETE_CALM_US)
    assert control.phase is Phase.COMPETE
    control.hear_for(3 * REPORT_US)

    assert control.phase is Phase.FOLLOW
