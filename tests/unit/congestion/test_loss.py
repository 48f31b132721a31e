import random

import pytest

from streamer.congestion.loss import (
    _GIVEN_UP_RATIO,
    _HEAVY_RATIO,
    _HOPELESS_RATIO,
    _LEAST_CUT_RATIO,
    _MAX_WINDOW_US,
    _MIN_PACKETS,
    _NATURE_PACKETS,
    _NATURE_US,
    _TELLING_WINDOW_US,
    _TOLERANCE_RATIO,
    _WINDOW_US,
    Loss,
    LossVerdict,
)

_PACKETS = 10 * _MIN_PACKETS
_SUSPICIOUS_RATIO = (_TOLERANCE_RATIO + _HEAVY_RATIO) / 2


class _Path:
    """Windows of one path, one behind the other."""

    def __init__(self):
        self.now_us = 0
        self.loss = Loss(self.now_us)

    def window(self, ratio, packets=_PACKETS, *, duration_us=_WINDOW_US):
        self.now_us += duration_us
        lost = round(ratio * packets)
        return self.loss.add(packets - lost, lost, 0, self.now_us)

    def try_out(self, ratio):
        """Lose as much for two windows: in the first of them it may only have begun."""
        assert self.window(ratio).cut_ratio == 1
        return self.window(ratio)


@pytest.mark.parametrize(
    ("ratio", "cut_ratio"),
    [
        pytest.param(0.0, 1.0, id="no loss never cuts"),
        pytest.param(_TOLERANCE_RATIO, 1.0, id="what a radio loses does not cut"),
        pytest.param(_SUSPICIOUS_RATIO, 1.0, id="more may have begun only now"),
        pytest.param(0.12, 1 - 0.12 / 2, id="heavy loss cuts by half of it"),
        pytest.param(1.0, 0.5, id="total loss halves"),
    ],
)
def test_loss_of_the_first_window(ratio, cut_ratio):
    path = _Path()

    verdict = path.window(ratio)

    assert path.loss.ratio == pytest.approx(ratio)
    assert verdict.cut_ratio == pytest.approx(cut_ratio)
    assert verdict.is_first is (ratio > _HEAVY_RATIO)


def test_loss_that_a_cut_does_not_change_is_the_nature_of_the_path():
    path = _Path()
    assert path.try_out(_SUSPICIOUS_RATIO).cut_ratio == 1 - _LEAST_CUT_RATIO
    assert path.loss.is_suspicious

    verdict = path.window(_SUSPICIOUS_RATIO)

    assert (verdict.cut_ratio, verdict.is_natural) == (1, True)
    assert not path.loss.is_suspicious
    assert path.try_out(_SUSPICIOUS_RATIO).cut_ratio == 1


def test_loss_that_grows_although_the_rate_was_cut_is_tried_out_again():
    path = _Path()
    path.try_out(_TOLERANCE_RATIO + 0.01)

    assert path.window(2 * _TOLERANCE_RATIO + 0.02).cut_ratio == 1 - (2 * _TOLERANCE_RATIO + 0.02)


def test_loss_that_grows_to_be_heavy_counts_as_the_first():
    path = _Path()
    path.try_out(_TOLERANCE_RATIO + 0.01)

    assert path.window(0.2).is_first
    assert not path.window(0.4).is_first


def test_loss_that_a_cut_ends_was_made_by_the_rate():
    path = _Path()
    path.try_out(_SUSPICIOUS_RATIO)

    verdict = path.window(_SUSPICIOUS_RATIO / 4)

    assert (verdict.cut_ratio, verdict.is_natural) == (1, False)
    assert not path.loss.is_suspicious
    assert path.try_out(_SUSPICIOUS_RATIO).cut_ratio < 1


def test_loss_that_ends_later_is_not_the_nature_of_the_path():
    path = _Path()
    path.window(0.2)
    path.window(0.2)

    assert not path.window(0.0).is_natural
    assert path.try_out(_SUSPICIOUS_RATIO).cut_ratio < 1


def test_loss_is_tried_out_until_it_is_known_to_be_harmless():
    path = _Path()
    path.try_out(0.08)

    few = path.window(0.08, packets=_MIN_PACKETS)
    assert (few.cut_ratio, few.is_natural) == (1, False)
    assert path.loss.is_suspicious
    assert path.window(0.08, packets=_MIN_PACKETS).is_natural


def test_nature_of_a_path_is_known_better_with_each_window():
    path, other = _Path(), _Path()
    for each in (path, other):
        each.try_out(0.08)
        assert each.window(0.08, packets=2 * _MIN_PACKETS).is_natural
    for _ in range(_NATURE_PACKETS // _MIN_PACKETS):
        path.window(0.08, packets=_MIN_PACKETS)

    assert path.window(0.12).cut_ratio < 1
    assert other.window(0.12).cut_ratio == 1


def _random_verdicts(ratio, *, packets_per_s, seconds, seed):
    """Lose packets by chance, reported every 50 ms; return the verdicts."""
    loss, rng, verdicts = Loss(0), random.Random(seed), []
    packets = packets_per_s // 20
    for report in range(1, 20 * seconds + 1):
        lost = sum(rng.random() < ratio for _ in range(packets))
        verdict = loss.add(packets - lost, lost, 0, report * 50_000)
        verdicts += [] if verdict is None else [verdict]
    return verdicts


def _kept_ratio(verdicts):
    """Return what cuts have left of a rate that grows again as soon as it may."""
    kept_ratio = 1.0
    for verdict in verdicts:
        kept_ratio = 1.0 if verdict.is_natural else kept_ratio * verdict.cut_ratio
    return kept_ratio


def test_random_loss_of_eight_percent_is_soon_found_to_be_natural():
    runs = [_random_verdicts(0.08, packets_per_s=400, seconds=6, seed=seed) for seed in range(40)]

    assert sum(_kept_ratio(run) == 1 for run in runs) >= 36


def test_random_loss_of_an_eighth_is_cut_for_in_spite_of_being_natural():
    runs = [_random_verdicts(0.125, packets_per_s=400, seconds=4, seed=seed) for seed in range(40)]

    assert sum(_kept_ratio(run) < 0.8 for run in runs) >= 36


def test_loss_above_the_nature_of_the_path_is_tried_out_again():
    path = _Path()
    nature_ratio = _TOLERANCE_RATIO + 0.01
    path.try_out(nature_ratio)
    path.window(nature_ratio)

    assert path.window(nature_ratio + _TOLERANCE_RATIO - 0.01).cut_ratio == 1
    assert path.try_out(nature_ratio + _TOLERANCE_RATIO + 0.01).cut_ratio < 1


def test_loss_looks_again_at_the_nature_of_a_path_after_a_while():
    path = _Path()
    path.try_out(_SUSPICIOUS_RATIO)
    path.window(_SUSPICIOUS_RATIO)

    path.window(0.0, duration_us=_NATURE_US + 1)

    assert path.try_out(_SUSPICIOUS_RATIO).cut_ratio < 1


def test_heavy_loss_cuts_until_half_of_the_rate_has_changed_nothing():
    path = _Path()
    kept_ratio = 1.0
    while (verdict := path.window(0.15)).cut_ratio < 1:
        assert verdict.is_first is (kept_ratio == 1)
        kept_ratio *= verdict.cut_ratio

    assert _GIVEN_UP_RATIO * (1 - 0.15 / 2) < kept_ratio < _GIVEN_UP_RATIO


def test_hopeless_loss_cuts_for_ever():
    path = _Path()

    cut_ratios = [path.window(2 * _HOPELESS_RATIO).cut_ratio for _ in range(20)]

    assert max(cut_ratios) == pytest.approx(1 - _HOPELESS_RATIO, abs=0.01)


@pytest.mark.parametrize(
    ("packets", "cut_ratio"),
    [
        pytest.param(_MIN_PACKETS, 1.0, id="as near as a short window can tell"),
        pytest.param(_PACKETS, 1 - 0.12 / 2, id="more than that, as a long window can"),
    ],
)
def test_heavy_loss_is_not_what_the_nature_of_the_path_is_near_to(packets, cut_ratio):
    path = _Path()
    path.try_out(0.08)
    path.window(0.08)

    assert path.window(0.12, packets).cut_ratio == pytest.approx(cut_ratio)


def test_heavy_loss_counts_as_the_first_again_after_it_was_over():
    path = _Path()
    path.window(0.2)

    assert not path.window(0.2).is_first
    path.window(0.0)
    assert path.window(0.2).is_first


# A window of 9 packets of which 2 are lost reads as 22 %, and a controller applied that with every report.
def test_loss_does_not_take_a_few_packets_for_a_rate():
    path = _Path()

    assert path.window(2 / 9, packets=9) is None
    assert path.window(0.0, packets=0, duration_us=_MAX_WINDOW_US) is None


@pytest.mark.parametrize(
    ("ratio", "packets_per_s", "within_s"),
    [
        pytest.param(0.12, 30, 4, id="just too much of a few"),
        pytest.param(0.12, 12, 9, id="just too much of very few"),
        pytest.param(0.5, 30, 1, id="half of a few"),
        pytest.param(1.0, 12, 1, id="all of very few"),
    ],
)
def test_heavy_loss_is_found_where_few_packets_flow(ratio, packets_per_s, within_s):
    loss, lost = Loss(0), 0.0
    for packet in range(1, within_s * packets_per_s + 1):
        lost += ratio
        is_lost = lost >= 1
        lost -= is_lost
        verdict = loss.add(not is_lost, is_lost, 0, packet * 1_000_000 // packets_per_s)
        if verdict is not None and verdict.cut_ratio < 1:
            break

    assert verdict is not None
    assert verdict.cut_ratio < 1
    assert verdict.is_first


def test_loss_of_few_packets_is_told_before_it_is_judged():
    path = _Path()

    assert path.window(2 / 9, packets=9, duration_us=_TELLING_WINDOW_US) is None
    assert path.loss.ratio == pytest.approx(2 / 9)


def test_loss_of_few_packets_is_forgotten_after_a_while():
    path = _Path()
    path.window(2 / 9, packets=9, duration_us=_MAX_WINDOW_US)

    path.window(0.0, packets=_MIN_PACKETS)

    assert path.loss.ratio == 0


def test_loss_is_suspicious_before_a_window_is_complete():
    loss = Loss(0)

    loss.add(_MIN_PACKETS, round(_HEAVY_RATIO * _MIN_PACKETS), 0, 1)
    assert not loss.is_suspicious
    loss.add(0, _MIN_PACKETS // 2, 0, 2)

    assert loss.is_suspicious


def test_loss_is_judged_once():
    path = _Path()
    assert path.window(0.2).cut_ratio < 1

    assert [path.window(0.0, packets=0) for _ in range(3)] == [None] * 3
    assert path.window(0.0).cut_ratio == 1


def test_loss_waits_until_a_burst_is_part_of_a_window():
    assert _Path().window(0.2, duration_us=_WINDOW_US - 1) is None


def test_loss_takes_back_packets_that_were_only_late():
    loss = Loss(0)
    loss.add(_PACKETS, 100, 0, 1)

    verdict = loss.add(0, 0, 100, _WINDOW_US)

    assert loss.ratio == 0
    assert verdict.cut_ratio == 1


@pytest.mark.parametrize(
    ("arrived", "verdict"),
    [
        pytest.param(0, None, id="nothing but late ones says nothing"),
        pytest.param(_PACKETS, LossVerdict(), id="more came back than was missed"),
    ],
)
def test_loss_is_never_negative(arrived, verdict):
    loss = Loss(0)

    assert loss.add(arrived, 0, 5, _MAX_WINDOW_US) == verdict
    assert loss.ratio == 0


def test_loss_with_a_cause_of_its_own_is_forgotten():
    path = _Path()
    path.loss.add(_PACKETS, _PACKETS, 0, 1)

    path.loss.forget(2)
    path.now_us = 2
    path.window(0.0)

    assert path.loss.ratio == 0
