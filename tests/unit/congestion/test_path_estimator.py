"""The estimator and all that it joins, on paths in simulated time."""

from statistics import median

import pytest

from streamer.congestion.decision import RateLimits, Reason
from tests.fakes.path import LIMITS, PACKET_BYTES, FakePath

_MBPS = 1_000_000
# Each simulated packet takes 9 us: paths are no wider than what they show needs.
_WIDE_BPS = 12 * _MBPS
_NARROW_BPS = _WIDE_BPS // 4


def test_estimator_finds_what_the_path_carries_within_a_second():
    path = FakePath(_WIDE_BPS).run(1)

    assert path.estimate_bps > 0.85 * _WIDE_BPS


def test_estimator_holds_a_full_path_without_a_queue():
    path = FakePath(_WIDE_BPS).run(6)

    assert 0.92 * _WIDE_BPS < path.estimate_bps < _WIDE_BPS
    assert path.queue_percentile_us(2_000_000) < 18_000


@pytest.mark.parametrize("rtt_ms", [10, 40, 150])
@pytest.mark.parametrize("mbps", [2, 8, 30])
def test_estimator_uses_most_of_every_path(rtt_ms, mbps):
    path = FakePath(mbps * _MBPS, delay_us=rtt_ms * 500).run(4)

    assert 0.85 * mbps * _MBPS < path.estimate_bps <= 1.02 * mbps * _MBPS


def test_estimator_drains_a_step_down_in_half_a_second():
    path = FakePath(_WIDE_BPS).run(4)

    path.capacity_bps = _NARROW_BPS
    path.run(4)

    assert path.queue_percentile_us(4_600_000, 99) < 40_000
    assert 0.8 * _NARROW_BPS < path.estimate_bps < _NARROW_BPS


@pytest.mark.parametrize("fps", [30.0, 60.0])
@pytest.mark.parametrize("rtt_ms", [40, 300])
def test_estimator_drains_a_step_down_at_any_frame_rate_and_distance(fps, rtt_ms):
    path = FakePath(3 * _MBPS, delay_us=rtt_ms * 500, queue_us=1_000_000, fps=fps)
    path.jitter_us = 15_000
    path.run(6)

    path.capacity_bps = 1_200_000
    path.run(6)

    assert path.queue_percentile_us(9_000_000, 95) < 60_000
    assert Reason.COMPETITION not in {decision.reason for decision in path.decisions}


def test_estimator_returns_with_the_capacity_within_a_second():
    path = FakePath(_WIDE_BPS).run(3)
    path.capacity_bps = _NARROW_BPS
    path.run(4)

    path.capacity_bps = _WIDE_BPS
    path.run(1)

    assert path.estimate_bps > 0.85 * _WIDE_BPS


def test_estimator_does_not_cut_without_loss_or_queue():
    path = FakePath(_WIDE_BPS).run(2)
    path.decisions.clear()
    path.decisions.append(path.flow.decision)

    path.run(6)

    estimates = [decision.estimate_bps for decision in path.decisions]
    assert min(estimates) > 0.93 * max(estimates)
    assert not {Reason.LOSS, Reason.SILENCE} & {decision.reason for decision in path.decisions}


def test_estimator_tolerates_two_percent_of_random_loss():
    path = FakePath(_WIDE_BPS)
    path.loss_ratio = 0.02
    path.run(8)

    assert path.estimate_bps > 0.9 * _WIDE_BPS


@pytest.mark.parametrize("delay_us", [10_000, 150_000])
def test_estimator_uses_a_path_that_loses_eight_percent_whatever_is_sent(delay_us):
    path = FakePath(_WIDE_BPS, delay_us=delay_us).run(3)

    path.loss_ratio = 0.08
    path.run(14)

    estimates = [decision.estimate_bps for decision in path.decisions if decision.at_us > 7_000_000]
    assert sum(estimates) / len(estimates) > 0.85 * _WIDE_BPS


def test_estimator_cuts_for_twelve_percent_of_loss():
    path = FakePath(_WIDE_BPS).run(3)

    path.loss_ratio = 0.12
    path.run(10)

    assert path.estimate_bps < 0.6 * _WIDE_BPS
    assert Reason.LOSS in {decision.reason for decision in path.decisions}


def test_estimator_cuts_when_everything_is_lost():
    # Somebody else's estimator did nothing when no packet of a report had arrived.
    path = FakePath(_WIDE_BPS).run(3)

    path.loss_ratio = 1.0
    path.run(2)

    assert path.flow.decision.reason is Reason.SILENCE
    assert path.estimate_bps < 0.1 * _WIDE_BPS


def test_estimator_goes_on_after_a_burst_loss():
    # Somebody else's state froze after one.
    path = FakePath(_WIDE_BPS).run(3)
    path.loss_ratio = 1.0
    path.run(1)

    path.loss_ratio = 0.0
    path.run(1)

    assert path.estimate_bps > 0.75 * _WIDE_BPS


def test_estimator_reads_no_loss_rate_from_one_small_window():
    # Somebody else read 20 packets as 22 % loss and applied that again and again.
    path = FakePath(2 * _MBPS).run(5)
    before_bps = path.estimate_bps

    path.loss_ratio = 0.25
    path.run(0.1)
    path.loss_ratio = 0.0
    path.run(3)

    assert path.estimate_bps > 0.85 * before_bps


def test_estimator_finds_a_policer_and_loses_little_to_it():
    path = FakePath(1_000 * _MBPS)
    path.policed_bps = 10 * _MBPS
    path.run(5)
    lost = len(path.lost)

    path.run(20)

    # Usually: a probe finds more, for the moment that the bucket lasts.
    estimates_bps = [decision.estimate_bps for decision in path.decisions if decision.at_us > 5_000_000]
    assert 6 * _MBPS < median(estimates_bps) < 13 * _MBPS
    lost_bytes = (len(path.lost) - lost) * PACKET_BYTES
    # Its bucket is no larger than a frame, so a large one loses packets below the rate as well.
    assert lost_bytes < 0.07 * 20 * path.policed_bps / 8
    assert path.estimate_bps > 8.5 * _MBPS


def test_estimator_stops_growing_as_soon_as_a_policer_shows():
    path = FakePath(1_000 * _MBPS)
    path.policed_bps = 10 * _MBPS
    path.run(1)

    # A path of this width is found within half a second where nothing is lost.
    assert max(decision.estimate_bps for decision in path.decisions) < 0.7 * LIMITS.max_bps


def test_estimator_does_not_blame_a_cut_for_what_was_lost_before_it():
    path = FakePath(20 * _MBPS, delay_us=100_000).run(4)
    path.loss_ratio = 0.3
    path.run(0.6)
    path.loss_ratio = 0.0
    path.run(3)

    cuts = [decision for decision in path.decisions if decision.reason is Reason.LOSS and decision.loss_ratio > 0]
    assert len({decision.estimate_bps for decision in cuts}) <= 2


def test_estimator_does_not_take_a_short_stop_for_a_narrow_path():
    path = FakePath(20 * _MBPS).run(4)
    path.stall(190_000)
    path.run(0.6)

    assert path.estimate_bps > 15 * _MBPS


def test_estimator_halves_and_returns_when_nothing_is_reported():
    path = FakePath(_WIDE_BPS).run(3)
    before_bps = path.estimate_bps

    path.feeds_back = False
    path.run(1)
    silent = path.flow.decision
    path.feeds_back = True
    path.run(0.5)

    assert silent.reason is Reason.SILENCE
    assert silent.estimate_bps < before_bps / 4
    assert path.estimate_bps > 0.7 * before_bps


def test_estimator_never_falls_below_the_floor():
    path = FakePath(_WIDE_BPS).run(2)

    path.feeds_back = False
    path.run(20)

    assert path.estimate_bps == LIMITS.min_bps


@pytest.mark.parametrize("seed", range(6))
def test_estimator_takes_a_longer_route_for_what_it_is(seed):
    path = FakePath(_WIDE_BPS, seed=seed).run(2.5)

    path.delay_us += 60_000
    path.run(2)

    # It looks like a queue until ways have been flat for half a second, which is known a round trip later.
    estimates_bps = [decision.estimate_bps for decision in path.decisions if decision.at_us > 3_700_000]
    assert min(estimates_bps) > 0.85 * _WIDE_BPS


@pytest.mark.parametrize("seed", range(6))
def test_estimator_takes_a_longer_route_for_what_it_is_although_it_jitters(seed):
    path = FakePath(_WIDE_BPS, seed=seed)
    path.jitter_us = 8_000
    path.run(4)

    path.delay_us += 60_000
    path.run(4)

    assert path.estimate_bps > 0.8 * _WIDE_BPS


def test_estimator_is_not_exploded_or_eroded_by_a_still_screen():
    path = FakePath(_WIDE_BPS).run(5)
    before_bps = path.estimate_bps

    path.share = 0.02
    path.run(20)

    assert path.flow.decision.is_application_limited
    assert 0.8 * before_bps < path.estimate_bps < 1.15 * before_bps


def test_estimator_honours_its_probes():
    path = FakePath(_WIDE_BPS)
    path.share = 0.05
    path.run(0.6)

    assert path.estimate_bps > 0.6 * _WIDE_BPS
    assert path.padding_bytes > 0
    assert Reason.PROBE in {decision.reason for decision in path.decisions}


def test_estimator_learns_from_one_train_of_a_still_screen_that_there_is_less():
    path = FakePath(_WIDE_BPS).run(3)
    path.share = 0.02
    path.run(1)

    path.capacity_bps = _NARROW_BPS
    path.run(12)

    assert path.estimate_bps < 1.5 * _NARROW_BPS


def test_estimator_gives_up_probes_that_nobody_sends():
    path = FakePath(_WIDE_BPS)
    path.has_padding = False
    path.share = None
    path.run(5)

    path.flow.tick(path.now_us)

    assert path.flow.decision.probe is None
    assert path.padding_bytes == 0


@pytest.mark.parametrize(
    ("start_mbps", "probed_bps"),
    [
        pytest.param(1, {3_000_000, 4_400_000}, id="far below the maximum"),
        pytest.param(3, {4_400_000}, id="below the maximum"),
        pytest.param(4, set(), id="at the maximum"),
    ],
)
def test_estimator_probes_for_no_more_than_the_users_maximum_needs(start_mbps, probed_bps):
    limits = RateLimits(min_bps=300_000, start_bps=start_mbps * _MBPS, max_bps=4 * _MBPS)
    path = FakePath(50 * _MBPS, limits=limits).run(4)

    assert {decision.probe.rate_bps for decision in path.decisions if decision.probe is not None} == probed_bps


def test_estimator_never_exceeds_what_the_users_maximum_needs():
    limits = RateLimits(min_bps=300_000, start_bps=3_000_000, max_bps=8_000_000)
    path = FakePath(50 * _MBPS, limits=limits).run(6)

    assert path.estimate_bps <= 1.1 * 8_000_000
    assert max(decision.target_bps for decision in path.decisions) == 8_000_000


def test_estimator_grows_blindly_where_frames_are_single_packets():
    limits = RateLimits(min_bps=100_000, start_bps=200_000, max_bps=50_000_000)
    path = FakePath(2 * _MBPS, limits=limits)
    path.has_padding = False
    path.run(8)

    assert path.estimate_bps > 1.2 * _MBPS


def test_estimator_is_not_told_anything_by_rates():
    path = FakePath(_WIDE_BPS).run(1)
    before = path.flow.decision

    path.flow.report(loss_ratio=0.5, rtt_us=1, now_us=path.now_us)
    path.flow.remb(1_000, path.now_us)

    assert path.flow.decision == before


def test_estimator_uses_a_path_with_jitter():
    path = FakePath(_WIDE_BPS)
    path.jitter_us = 8_000
    path.run(10)

    assert path.estimate_bps > 0.85 * _WIDE_BPS


@pytest.mark.parametrize("at_us", [2_000_000, 2_020_000])
@pytest.mark.parametrize("step_us", [-3_600_000_000, -5_000_000, 5_000_000, 30_000_000_000])
def test_estimator_is_not_blinded_by_a_clock_that_is_set(step_us, at_us):
    path = FakePath(_WIDE_BPS)
    _set_clock(path, lambda arrived_at_us: arrived_at_us + step_us * (arrived_at_us >= at_us))
    path.run(2)
    before_bps = path.estimate_bps
    path.run(0.5)

    assert 0.9 * before_bps < path.estimate_bps < _WIDE_BPS
    # A queue is seen as soon as ever.
    path.capacity_bps = _NARROW_BPS
    path.run(2)
    assert path.queue_percentile_us(3_100_000, 99) < 40_000
    assert 0.8 * _NARROW_BPS < path.estimate_bps < _NARROW_BPS


def test_estimator_is_not_blinded_by_a_clock_that_is_wrong_for_a_moment():
    path = FakePath(_WIDE_BPS)
    _set_clock(path, lambda arrived_at_us: arrived_at_us + 30_000_000_000 * (2_000_000 <= arrived_at_us < 2_100_000))
    path.run(3)

    path.capacity_bps = _NARROW_BPS
    path.run(2)

    assert path.queue_percentile_us(3_600_000, 99) < 40_000
    assert 0.8 * _NARROW_BPS < path.estimate_bps < _NARROW_BPS


def _set_clock(path, show):
    """Let the receiver's clock show something else than the path's."""
    take = path.flow.feedback

    def feedback(arrivals, now_us):
        return take([(index, at_us if at_us is None else show(at_us)) for index, at_us in arrivals], now_us)

    path.flow.feedback = feedback
