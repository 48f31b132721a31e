import pytest

from streamer.sources._rate_limit import RateLimit


def test_rate_limit_holds_over_time_for_a_faster_producer():
    limit = RateLimit(60)
    passed = 0
    for now_us in range(1_000_000, 11_000_000, 1_000):
        if now_us >= limit.earliest_us:
            limit.count(now_us)
            passed += 1

    assert passed == pytest.approx(600, abs=2)


def test_rate_limit_lets_jitter_of_the_same_rate_pass():
    limit = RateLimit(100)

    for turn in range(50):
        now_us = 1_000_000 + turn * 10_000 + (4_000 if turn % 2 else 0)
        assert now_us >= limit.earliest_us, f"frame {turn} had to wait"
        limit.count(now_us)
