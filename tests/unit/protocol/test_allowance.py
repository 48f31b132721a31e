from streamer.protocol.allowance import Allowance


def test_allowance_grants_a_burst_at_once_and_no_more() -> None:
    allowance = Allowance(2, burst_messages=5, now_us=0)

    assert [allowance.take(0) for _ in range(6)] == [True] * 5 + [False]


def test_allowance_comes_back_with_time() -> None:
    allowance = Allowance(5, burst_messages=5, now_us=0)
    for _ in range(5):
        allowance.take(0)

    assert not allowance.take(199_999)
    assert allowance.take(200_000)
    assert not allowance.take(200_000)


def test_allowance_does_not_grow_beyond_its_burst() -> None:
    allowance = Allowance(5, burst_messages=5, now_us=0)

    granted = [allowance.take(3_600_000_000) for _ in range(6)]

    assert granted == [True] * 5 + [False]


def test_allowance_keeps_its_rate_over_time() -> None:
    allowance = Allowance(50, burst_messages=50, now_us=0)

    granted = sum(allowance.take(now_us) for now_us in range(0, 10_000_000, 1000))

    # The burst at the start, then the rate.
    assert granted == 50 + 10 * 50 - 1
