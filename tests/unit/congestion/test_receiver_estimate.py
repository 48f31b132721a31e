import pytest

from streamer.congestion.decision import PACING_RATIO, RateLimits, Reason
from streamer.congestion.in_flight import Report, Sent
from streamer.congestion.pacer import Priority
from streamer.congestion.receiver_estimate import (
    _GROWTH_INTERVAL_US,
    _GROWTH_RATIO,
    _HIGH_RATIO,
    _LOSS_INTERVAL_US,
    _LOW_RATIO,
    _MAX_RTT_US,
    ReceiverEstimate,
)

_LIMITS = RateLimits(300_000, 3_000_000, 20_000_000)
_CEILING_BPS = 22_000_000
_START_US = 1_000_000
_LATER_US = _START_US + _GROWTH_INTERVAL_US
_RTT_US = 40_000


def _estimate(*, sent_bps=_LIMITS.start_bps):
    """Return an estimate whose rate has been used for a second."""
    estimate = ReceiverEstimate(_LIMITS, ceiling_bps=_CEILING_BPS, now_us=_START_US)
    _send(estimate, sent_bps)
    return estimate


def _send(estimate, rate_bps):
    estimate.packets_sent([Sent(0, rate_bps // 8, _START_US, Priority.VIDEO)])


def test_receiver_estimate_begins_with_the_start_rate():
    decision = _estimate().decision

    assert decision.estimate_bps == decision.target_bps == _LIMITS.start_bps
    assert decision.pacing_bps == round(PACING_RATIO * _LIMITS.start_bps)
    assert decision.in_flight_cap_bytes is None


@pytest.mark.parametrize(
    ("loss_ratio", "expected_ratio", "reason"),
    [
        pytest.param(0.0, _GROWTH_RATIO, Reason.GROWTH, id="no loss lets it grow"),
        pytest.param(_LOW_RATIO, 1.0, Reason.START, id="a little loss holds it"),
        pytest.param(_HIGH_RATIO, 1.0, Reason.START, id="some loss holds it"),
        pytest.param(0.2, 0.9, Reason.LOSS, id="much loss cuts by half of it"),
        pytest.param(1.0, 0.5, Reason.LOSS, id="total loss halves it"),
    ],
)
def test_receiver_estimate_answers_loss(loss_ratio, expected_ratio, reason):
    decision = _estimate().report_received(loss_ratio, _RTT_US, _LATER_US)

    assert decision.estimate_bps == round(_LIMITS.start_bps * expected_ratio)
    assert decision.reason is reason
    assert (decision.loss_ratio, decision.rtt_us, decision.at_us) == (loss_ratio, _RTT_US, _LATER_US)


@pytest.mark.parametrize(
    ("rtt_us", "heeded_us"),
    [
        pytest.param(None, 0, id="not known"),
        pytest.param(_RTT_US, _RTT_US, id="usual"),
        pytest.param(30_000_000_000, _MAX_RTT_US, id="beyond belief"),
    ],
)
def test_receiver_estimate_cuts_once_in_a_round_trip(rtt_us, heeded_us):
    estimate = _estimate()
    first_us = _LATER_US + _MAX_RTT_US
    first_bps = estimate.report_received(0.2, rtt_us, first_us).estimate_bps
    next_us = first_us + _LOSS_INTERVAL_US + heeded_us

    assert estimate.report_received(0.2, rtt_us, next_us - 1).estimate_bps == first_bps
    assert estimate.report_received(0.2, rtt_us, next_us).estimate_bps == round(0.9 * first_bps)


def test_receiver_estimate_grows_once_in_a_second():
    estimate = _estimate()
    grown_bps = estimate.report_received(0.0, _RTT_US, _LATER_US).estimate_bps

    assert estimate.report_received(0.0, _RTT_US, _LATER_US + _GROWTH_INTERVAL_US - 1).estimate_bps == grown_bps


@pytest.mark.parametrize(
    ("told_bps", "estimate_bps"),
    [
        pytest.param(5_000_000, 5_000_000, id="followed upwards"),
        pytest.param(1_000_000, 1_000_000, id="followed downwards"),
        pytest.param(100_000_000, _CEILING_BPS, id="never above the ceiling"),
        pytest.param(1, _LIMITS.min_bps, id="never below the floor"),
    ],
)
def test_receiver_estimate_follows_what_the_receiver_says(told_bps, estimate_bps):
    decision = _estimate().remb_received(told_bps, _LATER_US)

    assert decision.estimate_bps == decision.target_bps == estimate_bps
    assert decision.reason is Reason.REMB


def test_receiver_estimate_does_not_grow_beyond_what_the_receiver_says():
    estimate = _estimate()
    estimate.remb_received(5_000_000, _START_US)

    assert estimate.report_received(0.0, _RTT_US, _LATER_US).estimate_bps == 5_000_000


def test_receiver_estimate_is_not_raised_while_much_is_lost():
    estimate = _estimate()
    cut_bps = estimate.report_received(0.2, _RTT_US, _LATER_US).estimate_bps

    assert estimate.remb_received(20_000_000, _LATER_US + 1).estimate_bps == cut_bps


def test_receiver_estimate_does_not_grow_by_what_has_not_been_sent():
    estimate = _estimate(sent_bps=_LIMITS.start_bps // 10)

    decision = estimate.report_received(0.0, _RTT_US, _LATER_US)

    assert decision.estimate_bps == _LIMITS.start_bps
    assert decision.is_application_limited
    assert decision.reason is Reason.APPLICATION_LIMITED
    _send(estimate, _LIMITS.start_bps)
    assert estimate.report_received(0.0, _RTT_US, _LATER_US + _GROWTH_INTERVAL_US).estimate_bps > _LIMITS.start_bps


def test_receiver_estimate_learns_nothing_from_packet_reports_and_time():
    estimate = _estimate()
    before = estimate.decision

    assert estimate.feedback_received(Report(), 0, _LATER_US) is before
    assert estimate.tick(_LATER_US) is before
    assert estimate.next_tick_us() is None
