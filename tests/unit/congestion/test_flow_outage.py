"""A viewer that is away for seconds, as one that changes its wireless network is, and comes back."""

from itertools import pairwise

import pytest

from streamer.congestion.decision import Reason
from streamer.congestion.flow import _KNOCK_US
from tests.fakes.path import FEEDBACK_US, FakePath

_MBPS = 1_000_000
_FRAME_US = 16_667


@pytest.fixture
def away():
    """Return a path on which nothing has arrived for three seconds, and what was sent on it."""
    path = FakePath(20 * _MBPS).run(5)
    path.loss_ratio = 1.0
    return path.run(3)


def _sent(path, since_us):
    """Return (when, bytes) of what has left since then."""
    return [(at_us, size_bytes) for at_us, size_bytes in path.sent if at_us >= since_us]


def test_flow_knocks_on_a_silent_path_as_often_as_it_may(away):
    since_us = away.now_us - 1_000_000

    sent = _sent(away, since_us)

    assert away.flow.decision.reason is Reason.SILENCE
    assert len(sent) >= 1_000_000 // (_KNOCK_US + _FRAME_US)
    assert max(later - earlier for (earlier, _), (later, _) in pairwise(sent)) <= 2 * _KNOCK_US


def test_viewer_that_comes_back_gets_whole_frames_at_once(away):
    back_at_us = away.now_us
    before_bps = next(one.estimate_bps for one in reversed(away.decisions) if one.reason is not Reason.SILENCE)
    away.loss_ratio = 0.0

    away.run(0.3)

    first_at_us = _sent(away, back_at_us)[0][0]
    assert first_at_us - back_at_us <= _KNOCK_US
    # A report of the first packet that got through, the round trip of both, and a frame is made.
    known_at_us = first_at_us + 2 * away.delay_us + FEEDBACK_US
    frame_bytes = before_bps * _FRAME_US // 8_000_000
    assert sum(size for at_us, size in _sent(away, back_at_us) if at_us <= known_at_us + _FRAME_US) > frame_bytes / 2
    assert away.estimate_bps > 0.8 * before_bps
    assert away.lost


def test_viewer_that_comes_back_to_a_still_screen_misses_no_end_of_a_frame():
    path = FakePath(20 * _MBPS).run(5)
    path.loss_ratio = 1.0
    path.run(_FRAME_US / 1_000_000)
    path.share = None
    path.run(3)
    last = path.overdue[-1].packet
    assert _sent(path, path.now_us - 1_000_000) == []

    # The cadence sends a picture that stays once a second: the first one that arrives tells what has not.
    path.loss_ratio = 0.0
    path.share = 0.01
    path.run((2 * path.delay_us + FEEDBACK_US + 2 * _FRAME_US) / 1_000_000)

    assert last in [copy.packet for copy in path.lost]
