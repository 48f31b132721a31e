import pytest

from streamer.congestion.decision import PACING_RATIO, RateLimits, Reason
from streamer.congestion.fixed_rate import FixedRate
from streamer.congestion.flow import Flow
from streamer.congestion.ladder import DOWN_AFTER_US, SCALE_STEPS
from streamer.congestion.pacer import BURST_PACKETS, Priority

_LIMITS = RateLimits(300_000, 8_000_000, 8_000_000)
_SIZE_BYTES = 1200
_INTERVAL_US = 16_667
_PACKETS = 14


class _Packet:
    size_bytes = _SIZE_BYTES


def _flow():
    return Flow(_LIMITS, fps=60, has_feedback=True, now_us=0, estimator=FixedRate)


def test_fixed_rate_is_the_one_that_a_stream_starts_with():
    decision = _flow().decision

    assert decision.target_bps == _LIMITS.start_bps
    # What headers and resends need comes on top.
    assert decision.estimate_bps > _LIMITS.start_bps
    assert decision.pacing_bps == round(PACING_RATIO * decision.estimate_bps)
    assert decision.reason is Reason.FIXED


def test_fixed_rate_stays_whatever_the_receiver_says():
    flow = _flow()
    before = flow.decision

    # Half of the packets are lost, and a queue grows.
    for frame in range(120):
        now_us = frame * _INTERVAL_US
        indices = range(frame * _PACKETS, (frame + 1) * _PACKETS)
        for index in indices:
            flow.sent(index, (_SIZE_BYTES,), now_us, Priority.VIDEO)
        flow.feedback([(index, index * 10_000 if index % 2 else None) for index in indices], now_us)
        flow.tick(now_us)
    flow.report(loss_ratio=0.5, rtt_us=900_000, now_us=now_us)
    flow.remb(100_000, now_us)

    assert flow.decision.estimate_bps == before.estimate_bps
    assert flow.decision.reason is Reason.FIXED


@pytest.mark.parametrize(
    ("passing_us", "waits"), [pytest.param(10, False, id="a wide path"), pytest.param(1_000, True, id="a narrow one")]
)
def test_fixed_rate_lets_a_frame_leave_as_fast_as_the_path_is_wide(passing_us, waits):
    flow = _flow()
    for frame in range(20):
        now_us = frame * _INTERVAL_US
        indices = range(frame * _PACKETS, (frame + 1) * _PACKETS)
        for index in indices:
            flow.sent(index, (_SIZE_BYTES,), now_us, Priority.VIDEO)
        flow.feedback([(index, now_us + passing_us * place) for place, index in enumerate(indices)], now_us)

    flow.enqueue([_Packet()] * (3 * BURST_PACKETS), Priority.VIDEO, now_us)
    flow.release(now_us)

    assert (flow.waiting_bytes > 0) is waits
    assert flow.decision.target_bps == _LIMITS.start_bps


def test_fixed_rate_gives_way_in_pixels_where_it_is_too_low_for_the_picture():
    flow = _flow()
    flow.describe(3840, 2160)

    flow.tick(0)
    flow.tick(DOWN_AFTER_US)

    assert flow.decision.at_us == DOWN_AFTER_US
    assert flow.wish_rate(DOWN_AFTER_US).scale_ratio == SCALE_STEPS[1]


def test_fixed_rate_holds_nothing_back_and_waits_for_nothing():
    flow = _flow()
    for index in range(10_000):
        flow.sent(index, (_SIZE_BYTES,), 0, Priority.VIDEO)

    assert flow.decision.in_flight_cap_bytes is None
    assert flow.next_wake_us() is None
    assert flow.backlog_us(0) == 0
