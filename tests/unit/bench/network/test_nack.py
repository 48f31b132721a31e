from streamer.bench.network.nack import DEFAULT_RTT_US, NackRequester


def _after_gap(now_us=1_000):
    """Make a requester that misses 1, 2 and 3."""
    nacks = NackRequester()
    nacks.arrived(0, 0)
    assert nacks.arrived(4, now_us) == [1, 2, 3]
    return nacks


def test_gap_is_asked_for_at_once_and_once():
    nacks = _after_gap()

    assert nacks.arrived(5, 1_100) == []
    assert nacks.due(1_000 + DEFAULT_RTT_US - 1) == []


def test_what_does_not_come_is_asked_for_again():
    nacks = _after_gap()
    nacks.arrived(2, 50_000)

    assert nacks.due(1_000 + DEFAULT_RTT_US) == [1, 3]
    assert nacks.due(1_000 + DEFAULT_RTT_US + 20_000) == []


def test_nothing_is_asked_for_before_the_first_packet():
    nacks = NackRequester()

    assert nacks.arrived(1_000, 0) == []
    assert not nacks.is_waiting


def test_packet_that_never_comes_is_given_up():
    nacks = _after_gap()

    asked = sum(bool(nacks.due(at_us)) for at_us in range(0, 3_000_000, 20_000))

    # The first time was at once.
    assert asked == 9
    assert not nacks.is_waiting


def test_what_nobody_needs_is_forgotten():
    nacks = _after_gap()

    nacks.forget_before(3)

    assert nacks.due(1_000_000) == [3]


def test_more_than_a_thousand_packets_are_not_worth_asking_for():
    nacks = NackRequester()
    nacks.arrived(0, 0)
    nacks.arrived(1_001, 0)
    assert not nacks.take_overflow()

    nacks.arrived(1_003, 0)

    assert nacks.take_overflow()
    assert not nacks.is_waiting
