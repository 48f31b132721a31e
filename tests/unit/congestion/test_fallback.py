import pytest

from streamer.congestion.decision import RateLimits, Reason
from streamer.congestion.fallback import PATIENCE_US
from streamer.congestion.flow import Flow
from streamer.congestion.pacer import Priority
from tests.fakes.path import FakePath

_LIMITS = RateLimits(300_000, 3_000_000, 20_000_000)
_PACKET_BYTES = 1200
_FRAME_US = 16_667


class _Viewer:
    """A flow whose viewer agreed to report each packet, and reports once a second instead."""

    def __init__(self):
        self.flow = Flow(_LIMITS, fps=60, has_feedback=True, now_us=0)
        self.now_us = 0
        self.sent = 0

    def run(self, seconds, *, loss_ratio=0.0, remb_bps=None, share=1.0):
        for frame in range(1, round(seconds * 60) + 1):
            self.now_us += _FRAME_US
            self.flow.tick(self.now_us)
            frame_bytes = share * self.flow.decision.estimate_bps / 60 / 8
            for _ in range(round(frame_bytes / _PACKET_BYTES)):
                self.flow.sent(self.sent, (_PACKET_BYTES,), self.now_us, Priority.VIDEO)
                self.sent += 1
            if frame % 60 == 0:
                self.flow.report(loss_ratio=loss_ratio, rtt_us=40_000, now_us=self.now_us)
                if remb_bps is not None:
                    self.flow.remb(remb_bps, self.now_us)
        return self


def test_viewer_that_never_reports_packets_is_sent_what_its_own_reports_allow():
    viewer = _Viewer().run(2)
    assert viewer.flow.decision.reason is Reason.SILENCE
    assert viewer.flow.decision.estimate_bps == _LIMITS.min_bps

    viewer.run(2)

    assert viewer.flow.decision.reason is Reason.NO_FEEDBACK
    assert _LIMITS.start_bps <= viewer.flow.decision.estimate_bps < 1.1 * _LIMITS.start_bps
    viewer.run(5)
    assert 1.3 * _LIMITS.start_bps < viewer.flow.decision.estimate_bps < 1.6 * _LIMITS.start_bps


def test_viewer_that_never_reports_packets_may_estimate_itself():
    viewer = _Viewer().run(6, remb_bps=5_000_000)

    assert viewer.flow.decision.estimate_bps == 5_000_000
    assert viewer.flow.decision.reason is Reason.NO_FEEDBACK


def test_viewer_that_never_reports_packets_is_sent_less_when_it_loses_some():
    viewer = _Viewer().run(4)

    viewer.run(5, loss_ratio=0.2)

    assert viewer.flow.decision.estimate_bps < 0.7 * _LIMITS.start_bps


def test_silence_goes_on_where_the_viewer_says_nothing_at_all():
    viewer = _Viewer()
    viewer.flow.sent(0, (_PACKET_BYTES,), 0, Priority.VIDEO)

    viewer.flow.tick(10 * PATIENCE_US)

    assert viewer.flow.decision.reason is Reason.SILENCE


def test_viewer_is_not_given_up_while_nothing_has_been_sent_to_it():
    viewer = _Viewer()

    viewer.flow.report(loss_ratio=0.0, rtt_us=None, now_us=10 * PATIENCE_US)

    assert viewer.flow.decision.reason is Reason.START


def test_feedback_that_comes_after_all_counts_from_then_on():
    viewer = _Viewer().run(4)
    assert viewer.flow.decision.reason is Reason.NO_FEEDBACK

    viewer.flow.feedback([(viewer.sent - 1, viewer.now_us + 20_000)], viewer.now_us + 40_000)

    assert viewer.flow.decision.reason is not Reason.NO_FEEDBACK
    # And whatever else the viewer says counts no more.
    before = viewer.flow.decision
    viewer.flow.report(loss_ratio=0.5, rtt_us=40_000, now_us=viewer.now_us + 40_000)
    viewer.flow.remb(1_000, viewer.now_us + 40_000)
    assert viewer.flow.decision == before


@pytest.mark.parametrize("arrivals", [[], [(0, None)]])
def test_feedback_without_any_arrival_is_none(arrivals):
    viewer = _Viewer().run(4)

    viewer.flow.feedback(arrivals, viewer.now_us)

    assert viewer.flow.decision.reason is Reason.NO_FEEDBACK


def test_flow_has_nothing_to_wait_for_when_it_has_fallen_back():
    estimator = _Viewer().run(4).flow._estimator

    assert estimator.next_tick_us() is None


def test_path_whose_feedback_stops_is_silent_and_not_given_up():
    path = FakePath(20_000_000).run(4)
    path.feeds_back = False
    path.run(4)

    path.flow.report(loss_ratio=0.0, rtt_us=40_000, now_us=path.now_us)

    assert path.flow.decision.reason is Reason.SILENCE
