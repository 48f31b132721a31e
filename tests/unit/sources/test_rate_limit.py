import pytest

from streamer.sources._rate_limit import RateLimit

START_US = 1_000_000


def passed(limit: RateLimit, frames_us: list[int]) -> list[int]:
    """When frames of these times pass, each as soon as it may."""
    passed_us = []
    for frame_us in frames_us:
        passed_us.append(max(frame_us, limit.earliest_us))
        limit.count(passed_us[-1])
    return passed_us


def test_rate_limit_holds_over_time_for_a_faster_producer():
    limit = RateLimit(60)
    count = 0
    for now_us in range(START_US, START_US + 10_000_000, 1_000):
        if now_us >= limit.earliest_us:
            limit.count(now_us)
            count += 1

    assert count == pytest.approx(600, abs=2)


def test_rate_limit_lets_jitter_of_the_same_rate_pass():
    frames_us = [START_US + turn * 10_000 + (4_000 if turn % 2 else 0) for turn in range(50)]

    assert passed(RateLimit(100), frames_us) == frames_us


def test_rate_limit_lets_a_frame_out_of_turn_pass_and_those_after_it_keep_their_turns():
    frames_us = [START_US + turn * 10_000 for turn in range(10)]
    frames_us.insert(5, frames_us[4] + 3_000)

    assert passed(RateLimit(100), frames_us) == frames_us


def test_rate_limit_keeps_frames_out_of_turn_a_quarter_interval_apart():
    frames_us = [START_US, START_US + 1_000]

    assert passed(RateLimit(100), frames_us) == [START_US, START_US + 2_500]


def test_rate_limit_has_room_for_one_frame_out_of_turn_until_the_producer_pauses():
    turns_us = [START_US + turn * 10_000 for turn in range(4)]
    limit = RateLimit(100)
    passed(limit, [*turns_us[:2], turns_us[1] + 5_000, *turns_us[2:]])

    in_a_row = passed(limit, [turns_us[3] + 5_000])
    after_a_pause = passed(limit, [turns_us[3] + 30_000, turns_us[3] + 35_000])

    assert in_a_row == [turns_us[3] + 10_000]
    assert after_a_pause == [turns_us[3] + 30_000, turns_us[3] + 35_000]
