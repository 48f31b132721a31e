from itertools import pairwise

import pytest

from streamer.congestion.fold import (
    KEYFRAME_BURST,
    LEAST_REFINEMENT_BYTES,
    SPARED_INTERVAL_US,
    STALLED_US,
    SUSTAINED_KEYFRAME_INTERVAL_US,
    Fold,
    fold_backlog_us,
    fold_target_bps,
)
from streamer.congestion.recovery import MIN_KEYFRAME_INTERVAL_US
from streamer.errors import LocalProtocolError
from streamer.media.frame import Capabilities, EncodeOrder, MemoryKind, PixelFormat, Resolution, Wish

_HD = Resolution(1280, 720)
_MBPS = 1_000_000


def _wish(target_bps=9 * _MBPS, fps=60.0, **others):
    return Wish(target_bps=target_bps, fps=fps, max_resolution=_HD, **others)


def _fold(*, rate_change_needs_keyframe=False, max_rate_changes_per_s=None):
    capabilities = Capabilities(
        codecs=("h264",),
        formats=(PixelFormat.I420,),
        memory=(MemoryKind.HOST,),
        max_resolution=_HD,
        is_hardware=False,
        rate_change_needs_keyframe=rate_change_needs_keyframe,
        max_rate_changes_per_s=max_rate_changes_per_s,
    )
    return Fold(capabilities)


@pytest.mark.parametrize(
    ("targets", "folded"),
    [
        pytest.param([9], 9, id="one-wish-is-the-order"),
        pytest.param([9, 6], 6, id="the-lowest-governs"),
        pytest.param([8, 4], 4, id="half-of-the-highest-still-governs"),
        pytest.param([8, 1], 4, id="below-half-takes-nothing-more-away"),
        pytest.param([8, 8, 5, 7], 5, id="order-does-not-matter"),
    ],
)
def test_fold_takes_the_lowest_target_down_to_half_of_the_highest(targets, folded):
    assert fold_target_bps([target * _MBPS for target in targets]) == folded * _MBPS


@pytest.mark.parametrize(
    ("wishes", "expected"),
    [
        pytest.param([_wish()], EncodeOrder(9 * _MBPS, 60.0), id="plain"),
        pytest.param([_wish(fps=30.0), _wish()], EncodeOrder(9 * _MBPS, 30.0), id="lowest-frame-rate"),
        pytest.param([_wish(), _wish(keyframe=True)], EncodeOrder(9 * _MBPS, 60.0, keyframe=True), id="any-keyframe"),
        pytest.param(
            [_wish(max_frame_bytes=5), _wish(), _wish(max_frame_bytes=3)],
            EncodeOrder(9 * _MBPS, 60.0, max_frame_bytes=3),
            id="smallest-frame",
        ),
        pytest.param(
            [_wish(lost_capture_us=50), _wish(lost_capture_us=40), _wish()],
            EncodeOrder(9 * _MBPS, 60.0, lost_capture_us=40),
            id="oldest-loss",
        ),
    ],
)
def test_fold_makes_one_order_of_all_wishes(wishes, expected):
    assert _fold().order(wishes, now_us=0) == expected


def test_fold_passes_on_that_a_frame_is_a_refinement():
    assert _fold().order([_wish()], 0, is_refinement=True).is_refinement


@pytest.mark.parametrize(("target_bps", "fps"), [(9 * _MBPS, 60.0), (480_000, 10.0)])
def test_fold_makes_refinements_at_low_targets_larger_and_fewer(target_bps, fps):
    order = _fold().order([_wish(target_bps, max_frame_bytes=2_000)], 0, is_refinement=True)

    assert order.fps == fps
    assert order.max_frame_bytes == 2 * LEAST_REFINEMENT_BYTES


def test_fold_keeps_the_size_of_refinements_where_another_size_needs_a_keyframe():
    order = _fold(rate_change_needs_keyframe=True).order([_wish(480_000)], 0, is_refinement=True)

    assert order.fps == 60


def test_fold_refuses_to_order_for_nobody():
    with pytest.raises(LocalProtocolError, match="without a wish"):
        _fold().order([], 0)


def test_fold_passes_every_change_on_to_an_encoder_that_can_follow():
    fold = _fold()
    targets = [9_000_000, 9_000_001, 8_999_999, 3_000_000, 3_000_000]

    ordered = [fold.order([_wish(target)], now_us).target_bps for now_us, target in enumerate(targets)]

    assert ordered == targets


@pytest.mark.parametrize(
    ("now_us", "wish", "ordered_bps"),
    [
        pytest.param(SPARED_INTERVAL_US, _wish(10_300_000), 9_000_000, id="14-percent-up-is-too-little"),
        pytest.param(SPARED_INTERVAL_US, _wish(7_700_000), 9_000_000, id="14-percent-down-is-too-little"),
        pytest.param(SPARED_INTERVAL_US, _wish(10_350_000), 10_350_000, id="15-percent-up-is-worth-it"),
        pytest.param(SPARED_INTERVAL_US, _wish(7_650_000), 7_650_000, id="15-percent-down-is-worth-it"),
        pytest.param(SPARED_INTERVAL_US - 1, _wish(18_000_000), 9_000_000, id="too-soon-up"),
        pytest.param(SPARED_INTERVAL_US - 1, _wish(4_500_000), 9_000_000, id="too-soon-down"),
        pytest.param(1, _wish(4_500_000, backlog_us=16_667), 4_500_000, id="down-at-once-with-a-frame-waiting"),
        pytest.param(1, _wish(4_500_000, backlog_us=16_666), 9_000_000, id="not-with-less-than-a-frame-waiting"),
        pytest.param(1, _wish(18_000_000, backlog_us=50_000), 9_000_000, id="never-up-for-a-backlog"),
        pytest.param(1, _wish(8_000_000, backlog_us=50_000), 9_000_000, id="not-for-a-little-less"),
        pytest.param(1, _wish(8_000_000, keyframe=True), 8_000_000, id="free-with-a-keyframe"),
    ],
)
def test_fold_spares_an_encoder_that_pays_with_keyframes(now_us, wish, ordered_bps):
    fold = _fold(rate_change_needs_keyframe=True)
    fold.order([_wish()], now_us=0)

    assert fold.order([wish], now_us).target_bps == ordered_bps


@pytest.mark.parametrize(
    ("wish", "ordered"),
    [
        pytest.param(_wish(fps=55.0), (60.0, None), id="little-less-often"),
        pytest.param(_wish(fps=30.0), (30.0, None), id="half-as-often"),
        pytest.param(_wish(max_frame_bytes=9_000), (60.0, None), id="limit-of-half-a-frame"),
    ],
)
def test_fold_spares_an_encoder_all_that_changes_what_a_frame_may_take(wish, ordered):
    fold = _fold(rate_change_needs_keyframe=True)
    fold.order([_wish()], now_us=0)

    order = fold.order([wish], SPARED_INTERVAL_US)

    assert (order.fps, order.max_frame_bytes) == ordered


def test_fold_changes_rates_only_so_often_where_an_encoder_bears_no_more():
    fold = _fold(max_rate_changes_per_s=5)
    wishes = [_wish(9_000_000 - number * 100_000, max_frame_bytes=50_000 - number) for number in range(61)]

    orders = [fold.order([wish], number * 16_667) for number, wish in enumerate(wishes)]

    rates = [(order.target_bps, order.max_frame_bytes) for order in orders]
    changed_at = [number for number in range(1, 61) if rates[number] != rates[number - 1]]
    assert changed_at == [12, 24, 36, 48, 60]
    assert [rates[number] for number in changed_at] == [
        (wishes[number].target_bps, wishes[number].max_frame_bytes) for number in changed_at
    ]


def test_fold_refines_less_often_where_an_encoder_bears_few_changes_and_goes_back_at_once():
    fold = _fold(max_rate_changes_per_s=5)
    moving, still = _wish(300_000), 12_000
    fold.order([moving], 0)

    early = fold.order([moving], 399_999, is_refinement=True)
    refinement = fold.order([moving], 400_000, is_refinement=True)
    after = fold.order([moving], 400_001)

    assert (early.fps, early.max_frame_bytes) == (60.0, None)
    assert (refinement.fps, refinement.max_frame_bytes) == (6.25, still)
    assert (after.fps, after.max_frame_bytes) == (60.0, None)


def test_fold_orders_keyframes_at_once_while_rates_are_held():
    fold = _fold(max_rate_changes_per_s=5)
    fold.order([_wish()], 0)

    order = fold.order([_wish(3_000_000, keyframe=True)], 1)

    assert order.keyframe
    assert order.target_bps == 9_000_000


def test_fold_spares_an_encoder_that_pays_with_keyframes_the_limits_of_single_frames():
    wish = _wish(max_frame_bytes=20_000)

    assert _fold().order([wish], 0).max_frame_bytes == 20_000
    assert _fold(rate_change_needs_keyframe=True).order([wish], 0).max_frame_bytes is None


def test_fold_counts_the_interval_from_the_last_change_and_not_from_the_last_order():
    fold = _fold(rate_change_needs_keyframe=True)
    fold.order([_wish()], 0)
    fold.order([_wish()], SPARED_INTERVAL_US - 1)

    assert fold.order([_wish(18_000_000)], SPARED_INTERVAL_US).target_bps == 18_000_000
    assert fold.order([_wish()], SPARED_INTERVAL_US + 1).target_bps == 18_000_000


def test_fold_does_not_count_a_keyframe_at_the_same_target_as_a_change():
    fold = _fold(rate_change_needs_keyframe=True)
    fold.order([_wish()], 0)
    fold.order([_wish(keyframe=True)], SPARED_INTERVAL_US - 1)

    assert fold.order([_wish(18_000_000)], SPARED_INTERVAL_US).target_bps == 18_000_000


def _keyframes_us(fold, until_us):
    """Return when keyframes are ordered for a viewer that never stops wishing for one, at 100 frames a second."""
    made = []
    for now_us in range(0, until_us, 10_000):
        if fold.order([_wish(), _wish(keyframe=True)], now_us).keyframe:
            fold.keyframe_made(now_us)
            made.append(now_us)
    return made


def test_fold_keeps_a_distance_between_keyframes_whoever_wishes_for_them():
    made = _keyframes_us(_fold(), KEYFRAME_BURST * MIN_KEYFRAME_INTERVAL_US)

    assert made == [number * MIN_KEYFRAME_INTERVAL_US for number in range(KEYFRAME_BURST)]


def test_fold_orders_one_keyframe_a_second_when_wishes_go_on():
    made = _keyframes_us(_fold(), 60_000_000)

    assert len(made) <= KEYFRAME_BURST + 60
    assert all(after - before == SUSTAINED_KEYFRAME_INTERVAL_US for before, after in pairwise(made[-30:]))


def test_fold_counts_keyframes_that_nobody_wished_for():
    fold = _fold()
    fold.keyframe_made(0)

    assert not fold.order([_wish(keyframe=True)], MIN_KEYFRAME_INTERVAL_US - 1).keyframe
    assert fold.order([_wish(keyframe=True)], MIN_KEYFRAME_INTERVAL_US).keyframe


def test_fold_forgets_keyframes_of_long_ago():
    fold = _fold()
    _keyframes_us(fold, 3_000_000)
    calm_us = KEYFRAME_BURST * SUSTAINED_KEYFRAME_INTERVAL_US
    fold.keyframe_made(3_000_000 + calm_us)

    assert fold.keyframe_due_us([_wish(keyframe=True)]) == 3_000_000 + calm_us + MIN_KEYFRAME_INTERVAL_US


def test_fold_says_from_when_on_a_keyframe_is_due():
    fold = _fold()
    due_us = [fold.keyframe_due_us([_wish(), _wish(keyframe=True)])]
    fold.keyframe_made(50)
    due_us.append(fold.keyframe_due_us([_wish(keyframe=True)]))

    assert due_us == [0, 50 + MIN_KEYFRAME_INTERVAL_US]
    assert fold.keyframe_due_us([_wish()]) is None


def test_fold_heeds_rate_and_size_of_frames_of_those_within_a_factor_of_two():
    slow = _wish(1 * _MBPS, fps=30.0, max_frame_bytes=187)
    others = [_wish(20 * _MBPS, max_frame_bytes=90_000), _wish(12 * _MBPS, fps=50.0, max_frame_bytes=60_000)]

    order = _fold().order([slow, *others], 0)

    assert order.fps == 50.0
    assert order.max_frame_bytes == 60_000


def test_fold_makes_frames_at_least_half_as_large_as_the_widest_path_takes():
    wishes = [_wish(max_frame_bytes=90_000), _wish(max_frame_bytes=187)]

    assert _fold().order(wishes, 0).max_frame_bytes == 45_000


@pytest.mark.parametrize(
    ("backlogs", "folded"),
    [
        pytest.param([5_000], 5_000, id="one-viewer"),
        pytest.param([5_000, 40_000], 40_000, id="the-longest"),
        pytest.param([5_000, STALLED_US], 5_000, id="a-path-that-has-stopped-holds-up-nobody-else"),
        pytest.param([2 * STALLED_US], 2 * STALLED_US, id="unless-it-is-alone"),
        pytest.param([2 * STALLED_US, STALLED_US], 2 * STALLED_US, id="or-all-have-stopped"),
    ],
)
def test_fold_waits_for_backlogs_that_waiting_helps(backlogs, folded):
    assert fold_backlog_us([_wish(backlog_us=backlog_us) for backlog_us in backlogs]) == folded


def test_fold_does_not_wait_for_a_path_far_below_the_others():
    assert fold_backlog_us([_wish(20 * _MBPS), _wish(2 * _MBPS, backlog_us=100_000)]) == 0
