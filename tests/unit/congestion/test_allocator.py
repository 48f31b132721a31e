import pytest

from streamer.congestion.allocator import (
    _AVERAGE_US,
    _FRAME_QUEUE_US,
    _MIN_FRAME_RATIO,
    _RISE_RATIO,
    OVERHEAD_BYTES,
    Allocator,
    Allowance,
)
from streamer.congestion.decision import Decision, RateLimits, Reason
from streamer.congestion.ladder import (
    DECODE_BACKLOG_US,
    DOWN_AFTER_US,
    SCALE_STEPS,
    SLOW_REPORTS,
    UP_AFTER_US,
    Decoding,
    Prefer,
)
from streamer.congestion.pacer import Priority

_LIMITS = RateLimits(300_000, 3_000_000, 20_000_000)
_FPS = 50
_INTERVAL_US = 1_000_000 // _FPS


def _allocator(prefer=Prefer.FPS):
    return Allocator(_LIMITS, fps=_FPS, prefer=prefer, now_us=0)


def _decision(estimate_bps, at_us=0, *, reason=Reason.GROWTH, queue_us=0, is_limited=False):
    return Decision(
        at_us=at_us,
        estimate_bps=estimate_bps,
        target_bps=estimate_bps,
        pacing_bps=2 * estimate_bps,
        in_flight_cap_bytes=None,
        queue_us=queue_us,
        is_application_limited=is_limited,
        reason=reason,
    )


def _send(allocator, size_bytes, priority, estimate_bps, *, duration_us=4 * _AVERAGE_US):
    """Send a packet each 10 ms, and decide each 50 ms; return the target."""
    for now_us in range(10_000, duration_us + 1, 10_000):
        allocator.sent(1, size_bytes, priority)
        if now_us % 50_000 == 0:
            allocator.update(_decision(estimate_bps, now_us))
    return allocator.target_bps


def test_allocator_begins_with_the_start_rate():
    assert _allocator().target_bps == _LIMITS.start_bps


@pytest.mark.parametrize(
    ("estimate_bps", "target_bps"),
    [
        pytest.param(8_000_000, 8_000_000, id="all of the estimate"),
        pytest.param(90_000_000, _LIMITS.max_bps, id="never above the highest rate"),
        pytest.param(100_000, _LIMITS.min_bps, id="never below the lowest"),
    ],
)
def test_allocator_gives_the_encoder_what_the_estimate_leaves(estimate_bps, target_bps):
    assert _allocator().update(_decision(estimate_bps)) == target_bps


@pytest.mark.parametrize(
    ("before_bps", "after_bps", "target_bps"),
    [
        pytest.param(8_000_000, 7_999_000, 7_999_000, id="any fall is told"),
        pytest.param(8_000_000, round(8_000_000 * _RISE_RATIO) - 1, 8_000_000, id="a small rise is not"),
        pytest.param(8_000_000, round(8_000_000 * _RISE_RATIO), 8_240_000, id="a larger rise is"),
        pytest.param(19_900_000, 20_500_000, _LIMITS.max_bps, id="the highest rate is reached"),
    ],
)
def test_allocator_changes_the_target_when_it_is_worth_it(before_bps, after_bps, target_bps):
    allocator = _allocator()
    allocator.update(_decision(before_bps))

    assert allocator.update(_decision(after_bps)) == target_bps


@pytest.mark.parametrize(
    ("priority", "taken_bytes"),
    [
        pytest.param(Priority.VIDEO, OVERHEAD_BYTES, id="headers of video"),
        pytest.param(Priority.RETRANSMISSION, 1200, id="all of what is sent again"),
        pytest.param(Priority.AUDIO, 1200, id="all of audio"),
        pytest.param(Priority.PADDING, 0, id="nothing of a probe"),
    ],
)
def test_allocator_takes_off_what_is_not_video(priority, taken_bytes):
    target_bps = _send(_allocator(), 1200, priority, 8_000_000)

    assert target_bps == pytest.approx(8_000_000 - taken_bytes * 8 * 100, rel=0.03)


def test_allocator_leaves_half_to_video_however_much_is_sent_again():
    assert _send(_allocator(), 60_000, Priority.RETRANSMISSION, 8_000_000) == 4_000_000


def _limit_bytes(allocator, decision, backlog_us=0):
    return allocator.allowance(decision, backlog_us).max_frame_bytes


@pytest.mark.parametrize(
    ("queue_us", "backlog_us", "reason", "room_us"),
    [
        pytest.param(0, 0, Reason.GROWTH, _INTERVAL_US + _FRAME_QUEUE_US, id="an empty path"),
        pytest.param(20_000, 0, Reason.QUEUE, _INTERVAL_US + _FRAME_QUEUE_US - 20_000, id="a queue takes room"),
        pytest.param(0, 20_000, Reason.HOLD, _INTERVAL_US + _FRAME_QUEUE_US - 20_000, id="so does what waits here"),
        pytest.param(90_000, 0, Reason.COMPETITION, _INTERVAL_US + _FRAME_QUEUE_US, id="a queue of others does not"),
    ],
)
def test_frame_makes_no_queue_longer_than_a_frame_may(queue_us, backlog_us, reason, room_us):
    allocator = _allocator()
    decision = _decision(8_000_000, queue_us=queue_us, reason=reason)
    allocator.update(decision)

    assert _limit_bytes(allocator, decision, backlog_us) == room_us * 8_000_000 // 8_000_000


@pytest.mark.parametrize(("queue_us", "backlog_us"), [(90_000, 0), (0, 90_000), (500_000, 500_000)])
def test_frame_is_recognisable_however_long_the_queue(queue_us, backlog_us):
    allocator = _allocator()
    decision = _decision(8_000_000, queue_us=queue_us, reason=Reason.QUEUE)
    allocator.update(decision)

    frame_bytes = 8_000_000 * _INTERVAL_US // 8_000_000
    assert _limit_bytes(allocator, decision, backlog_us) == round(_MIN_FRAME_RATIO * frame_bytes)


def _starve(allocator, *, reason=Reason.HOLD, is_limited=False):
    """Give much less than a picture needs for a while; return the allowance."""
    for now_us in range(0, DOWN_AFTER_US + 1, 50_000):
        decision = _decision(_LIMITS.min_bps, now_us, reason=reason, is_limited=is_limited)
        allocator.update(decision)
    return allocator.allowance(decision, 0)


@pytest.mark.parametrize(
    ("prefer", "scale_ratio", "fps"), [(Prefer.FPS, SCALE_STEPS[1], _FPS), (Prefer.SHARPNESS, 1.0, 0.8 * _FPS)]
)
def test_allocator_gives_way_as_preferred(prefer, scale_ratio, fps):
    allocator = _allocator(prefer)
    allocator.describe(1280 * 720)

    allowance = _starve(allocator)

    assert (allowance.scale_ratio, allowance.fps) == (scale_ratio, fps)


@pytest.mark.parametrize(("reason", "is_limited"), [(Reason.START, False), (Reason.HOLD, True)])
def test_allocator_does_not_give_way_before_the_path_has_been_tried(reason, is_limited):
    allocator = _allocator()
    allocator.describe(1280 * 720)

    assert _starve(allocator, reason=reason, is_limited=is_limited).scale_ratio == 1


def test_allocator_gives_way_to_a_slow_decoder():
    allocator = _allocator()
    for _ in range(SLOW_REPORTS):
        allocator.decodes(Decoding(_INTERVAL_US, DECODE_BACKLOG_US + 1, 0), 0)

    assert _starve(allocator).scale_ratio == SCALE_STEPS[1]


def test_allocator_returns_to_all_of_the_picture():
    allocator = _allocator()
    allocator.describe(1280 * 720)
    _starve(allocator)

    for now_us in range(DOWN_AFTER_US, DOWN_AFTER_US + UP_AFTER_US + 100_000, 50_000):
        decision = _decision(20_000_000, now_us)
        allocator.update(decision)

    assert allocator.allowance(decision, 0) == Allowance(
        20_000_000, _FPS, (_INTERVAL_US + _FRAME_QUEUE_US) * 20_000_000 // 8_000_000
    )
