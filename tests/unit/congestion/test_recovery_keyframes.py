from itertools import pairwise

import pytest

from streamer.congestion.recovery import (
    KEYFRAME_CALM_US,
    MAX_KEYFRAME_INTERVAL_US,
    MIN_KEYFRAME_INTERVAL_US,
    Recovery,
)
from streamer.rtp.history import SendHistory

_RTT_US = 40_000
_NOW_US = 10_000_000
_WIDE_BPS = 10_000_000


def _keyframe(recovery, at_us, first_sequence=0, size_bytes=0):
    recovery.keyframe_offered(at_us, first_sequence=first_sequence, size_bytes=size_bytes, now_us=at_us)


def test_recovery_keeps_one_request_open_until_a_keyframe_captured_after_it():
    recovery = Recovery(SendHistory())

    assert recovery.request_keyframe(_NOW_US, _RTT_US)
    assert not recovery.request_keyframe(_NOW_US + 1, _RTT_US)
    recovery.keyframe_offered(_NOW_US - 1, first_sequence=10, size_bytes=1, now_us=_NOW_US + 5)
    assert recovery.keyframe_wanted(_NOW_US + 5 + MIN_KEYFRAME_INTERVAL_US)
    recovery.keyframe_offered(_NOW_US, first_sequence=11, size_bytes=1, now_us=_NOW_US + 10)

    assert recovery.keyframe_due_us() is None
    assert not recovery.keyframe_wanted(_NOW_US + MAX_KEYFRAME_INTERVAL_US)


def test_recovery_wants_the_first_keyframe_at_once():
    recovery = Recovery(SendHistory())

    recovery.request_keyframe(_NOW_US, None)

    assert recovery.keyframe_due_us() == _NOW_US
    assert recovery.keyframe_wanted(_NOW_US)
    assert not recovery.keyframe_wanted(_NOW_US - 1)


def test_recovery_takes_a_keyframe_under_way_as_the_answer():
    recovery = Recovery(SendHistory())
    _keyframe(recovery, _NOW_US)

    assert not recovery.request_keyframe(_NOW_US + _RTT_US - 1, _RTT_US)
    assert recovery.request_keyframe(_NOW_US + _RTT_US, _RTT_US)


@pytest.mark.parametrize(
    ("rtt_us", "distance_us"),
    [
        (None, MIN_KEYFRAME_INTERVAL_US),
        (_RTT_US, MIN_KEYFRAME_INTERVAL_US),
        (300_000, 300_000),
        (9_000_000, MAX_KEYFRAME_INTERVAL_US),
    ],
)
def test_recovery_keeps_keyframes_on_request_a_round_trip_apart(rtt_us, distance_us):
    recovery = Recovery(SendHistory())
    _keyframe(recovery, _NOW_US)
    asked_us = _NOW_US + min(rtt_us or 0, MAX_KEYFRAME_INTERVAL_US)

    recovery.request_keyframe(asked_us, rtt_us)

    assert recovery.keyframe_due_us() == _NOW_US + distance_us


def test_recovery_backs_off_while_requests_go_on_and_starts_anew_after_a_calm():
    recovery = Recovery(SendHistory())
    now_us, answers = _NOW_US, []
    for _ in range(7):
        recovery.request_keyframe(now_us, 0)
        now_us = recovery.keyframe_due_us()
        answers.append(now_us)
        _keyframe(recovery, now_us)
        now_us += 1

    distances = [later - earlier for earlier, later in pairwise(answers)]
    assert distances == [100_000, 200_000, 400_000, 800_000, 1_000_000, 1_000_000]

    recovery.request_keyframe(now_us + KEYFRAME_CALM_US, 0)
    assert recovery.keyframe_due_us() == now_us + KEYFRAME_CALM_US
    _keyframe(recovery, now_us + KEYFRAME_CALM_US)
    recovery.request_keyframe(now_us + KEYFRAME_CALM_US + 1, 0)
    assert recovery.keyframe_due_us() == now_us + KEYFRAME_CALM_US + MIN_KEYFRAME_INTERVAL_US


def test_recovery_does_not_hold_a_calm_viewer_to_an_old_back_off():
    recovery = Recovery(SendHistory())
    for at_us in (_NOW_US, _NOW_US + 100_000, _NOW_US + 300_000):
        recovery.request_keyframe(at_us, 0)
        _keyframe(recovery, at_us)
    much_later_us = _NOW_US + 300_000 + KEYFRAME_CALM_US
    # Somebody else's keyframe.
    _keyframe(recovery, much_later_us)

    recovery.request_keyframe(much_later_us + 1, 0)

    assert recovery.keyframe_due_us() == much_later_us + MIN_KEYFRAME_INTERVAL_US


def test_recovery_answers_a_full_intra_request_once_per_number():
    recovery = Recovery(SendHistory())

    assert recovery.full_intra_request(1, 7, _NOW_US, _RTT_US)
    _keyframe(recovery, _NOW_US)
    assert not recovery.full_intra_request(1, 7, _NOW_US + 1_000_000, _RTT_US)
    assert recovery.full_intra_request(1, 8, _NOW_US + 1_000_000, _RTT_US)


def test_recovery_takes_the_same_number_of_another_requester_as_new():
    recovery = Recovery(SendHistory())
    recovery.full_intra_request(1, 7, _NOW_US, _RTT_US)
    _keyframe(recovery, _NOW_US)

    assert recovery.full_intra_request(2, 7, _NOW_US + _RTT_US, _RTT_US)
