import pytest

from streamer.congestion.decision import OVERHEAD_RATIO, RateLimits
from streamer.congestion.estimator import make_estimator
from streamer.congestion.fallback import FallbackEstimator
from streamer.congestion.receiver_estimate import ReceiverEstimate

_LIMITS = RateLimits(300_000, 3_000_000, 20_000_000)


@pytest.mark.parametrize(("has_feedback", "kind"), [(True, FallbackEstimator), (False, ReceiverEstimate)])
def test_estimator_is_chosen_by_what_the_viewer_reports(has_feedback, kind):
    estimator = make_estimator(_LIMITS, fps=60, has_feedback=has_feedback, now_us=7)

    assert isinstance(estimator, kind)
    assert estimator.decision.at_us == 7
    assert estimator.decision.estimate_bps == _LIMITS.start_bps


def test_estimate_never_exceeds_what_the_highest_target_needs():
    estimator = make_estimator(_LIMITS, fps=60, has_feedback=False, now_us=0)

    decision = estimator.remb_received(10 * _LIMITS.max_bps, 1)

    assert decision.estimate_bps == round(_LIMITS.max_bps * OVERHEAD_RATIO)
