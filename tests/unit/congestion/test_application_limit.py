import pytest

from streamer.congestion.application_limit import (
    _ENTER_LEVEL,
    _LEAVE_LEVEL,
    _SHARE,
    _WINDOW_US,
    ApplicationLimit,
)

_ESTIMATE_BPS = 8_000_000
_STEP_US = 10_000
_START_US = 5_000_000
_STEP_BYTES = _ESTIMATE_BPS * _STEP_US // 8_000_000


def _send(limit, ratio, duration_us, from_us=_START_US):
    """Send so much of the estimate for a while; return when the verdict changed, or None."""
    before = limit.is_limited
    changed_at_us = None
    for now_us in range(from_us + _STEP_US, from_us + duration_us + 1, _STEP_US):
        limit.update(round(ratio * _STEP_BYTES), _ESTIMATE_BPS, now_us)
        if changed_at_us is None and limit.is_limited != before:
            changed_at_us = now_us
    return changed_at_us


@pytest.mark.parametrize(
    ("ratio", "is_limited"),
    [
        pytest.param(0.0, True, id="silence is limited"),
        pytest.param(_SHARE - 0.1, True, id="less than the share is limited"),
        pytest.param(_SHARE, False, id="the share is enough"),
        pytest.param(1.0, False, id="all of the estimate is not limited"),
        pytest.param(1.5, False, id="more than the estimate is not limited"),
    ],
)
def test_application_limit_judges_by_the_share_that_is_sent(ratio, is_limited):
    limit = ApplicationLimit(_START_US)

    _send(limit, ratio, 20 * _WINDOW_US)

    assert limit.is_limited is is_limited


def test_application_limit_begins_when_most_of_the_budget_is_left():
    limit = ApplicationLimit(_START_US)

    changed_at_us = _send(limit, 0.0, 2 * _WINDOW_US)

    waited_us = changed_at_us - _START_US
    assert _ENTER_LEVEL * _WINDOW_US < waited_us <= _ENTER_LEVEL * _WINDOW_US + _STEP_US


def test_application_limit_ends_within_a_moment_of_sending_although_it_lasted_long():
    limit = ApplicationLimit(_START_US)
    _send(limit, 0.0, 60_000_000)
    moved_at_us = _START_US + 60_000_000

    changed_at_us = _send(limit, 1.0, 2 * _WINDOW_US, moved_at_us)

    # The budget holds a window's worth, of which all beyond the level is spent at what exceeds the share.
    expected_us = (1 - _LEAVE_LEVEL) * _WINDOW_US * _SHARE / (1 - _SHARE)
    assert expected_us < changed_at_us - moved_at_us <= expected_us + 2 * _STEP_US
    assert not limit.is_limited


def test_application_limit_does_not_flap_between_its_levels():
    limit = ApplicationLimit(_START_US)
    _send(limit, 0.0, _WINDOW_US)

    # At the share the budget stays where it is, above the level of leaving.
    assert _send(limit, _SHARE, 10 * _WINDOW_US, _START_US + _WINDOW_US) is None
