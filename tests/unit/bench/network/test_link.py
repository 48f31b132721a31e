import random
from itertools import pairwise

import pytest

from streamer.bench.network.capacity import Steps, Trace, constant
from streamer.bench.network.link import BurstLoss, Fate, Link, LinkSettings, Policer

# 1250 bytes are 10 kbit: one leaves in a millisecond.
_RATE_BPS = 10_000_000
_SIZE_BYTES = 1250
_DELAY_US = 20_000


def _link(capacity=constant(_RATE_BPS), **settings):  # noqa: B008 - a frozen value
    return Link(LinkSettings(capacity=capacity, delay_us=_DELAY_US, **settings), random.Random(1))


def _fates(link, count, spacing_us=0):
    """Push so many packets and return what became of each."""
    fates = []
    for number in range(count):
        link.push(number * spacing_us, _SIZE_BYTES, number)
        fates.append(link.last_fate)
    return fates


def test_link_delivers_after_waiting_transmission_and_delay():
    link = _link()

    assert link.push(5_000, _SIZE_BYTES, "first")
    assert link.push(5_000, _SIZE_BYTES, "second")

    assert link.next_delivery_us() == 26_000
    assert link.pop(25_999) == []
    first, second = link.pop(27_000)
    assert (first.item, first.queue_us, first.arrived_at_us) == ("first", 1_000, 26_000)
    assert (second.item, second.queue_us, second.arrived_at_us) == ("second", 2_000, 27_000)
    assert link.next_delivery_us() is None


def test_link_without_capacity_only_delays():
    link = _link(capacity=None)

    _fates(link, 100)

    assert {delivery.arrived_at_us for delivery in link.pop(1_000_000)} == {_DELAY_US}


@pytest.mark.parametrize("rate_bps", [1_000_000, 7_000_000, 50_000_000])
def test_link_carries_its_rate(rate_bps):
    link = _link(constant(rate_bps))

    for at_us in range(0, 10_000_000, 100):
        link.push(at_us, 1236, None)

    carried_bytes = sum(delivery.size_bytes for delivery in link.pop(10_000_000 + _DELAY_US))
    assert carried_bytes == pytest.approx(rate_bps / 8 * 10, rel=0.001)


def test_queue_is_limited_in_time():
    link = _link(queue_us=10_000)

    fates = _fates(link, 20)

    # One is being sent, ten ms of them wait.
    assert fates == [Fate.CARRIED] * 11 + [Fate.QUEUE_FULL] * 9


def test_queue_is_limited_in_bytes():
    link = _link(queue_us=None, queue_bytes=5 * _SIZE_BYTES)

    assert _fates(link, 8) == [Fate.CARRIED] * 5 + [Fate.QUEUE_FULL] * 3
    assert link.backlog_bytes(2_500) == 3 * _SIZE_BYTES
    assert link.push(2_500, _SIZE_BYTES, None)


def test_queue_in_time_follows_a_drop_of_the_rate():
    link = _link(Steps(((0, 10_000_000), (5_000, 1_000_000))), queue_us=20_000)

    # Five leave before the drop, each later one takes 10 ms from then on.
    assert _fates(link, 9) == [Fate.CARRIED] * 7 + [Fate.QUEUE_FULL] * 2
    assert link.backlog_us(0) == 25_000


def test_link_loses_at_random():
    link = _link(loss_ratio=0.02)

    _fates(link, 20_000, spacing_us=1_000)

    assert link.fates[Fate.LOST] == pytest.approx(400, rel=0.15)


def test_link_loses_in_bursts():
    link = _link(burst_loss=BurstLoss(loss_ratio=0.01, mean_packets=4))

    lost = [fate is Fate.LOST for fate in _fates(link, 100_000, spacing_us=1_000)]

    bursts = sum(now and not before for before, now in pairwise(lost))
    assert sum(lost) == pytest.approx(1_000, rel=0.2)
    assert sum(lost) / bursts == pytest.approx(4, rel=0.15)


def test_jitter_delays_and_keeps_order():
    link = _link(jitter_us=8_000)
    _fates(link, 1_000, spacing_us=2_000)

    deliveries = link.pop(10_000_000)

    assert [delivery.item for delivery in deliveries] == list(range(1_000))
    delays_us = [delivery.arrived_at_us - delivery.departed_at_us for delivery in deliveries]
    assert min(delays_us) >= _DELAY_US
    assert 27_000 < max(delays_us) <= 28_000


def test_jitter_reorders_where_it_may():
    link = _link(jitter_us=8_000, reorders=True)
    _fates(link, 1_000, spacing_us=2_000)

    deliveries = link.pop(10_000_000)

    arrivals = [delivery.arrived_at_us for delivery in deliveries]
    assert arrivals == sorted(arrivals)
    assert [delivery.item for delivery in deliveries] != list(range(1_000))


def test_policer_drops_what_exceeds_rate_and_burst():
    link = _link(capacity=None, policer=Policer(_RATE_BPS, burst_bytes=3 * _SIZE_BYTES))

    assert _fates(link, 5) == [Fate.CARRIED] * 3 + [Fate.POLICED] * 2
    assert link.push(1_000, _SIZE_BYTES, None)
    assert not link.push(1_500, _SIZE_BYTES, None)


def test_outage_loses_everything():
    link = _link(outages=((2_000, 4_000),))

    assert _fates(link, 5, spacing_us=1_000) == [Fate.CARRIED] * 2 + [Fate.LOST] * 2 + [Fate.CARRIED]


def test_delay_changes_with_the_route():
    link = _link(delay_steps=((3_000, 80_000),))
    _fates(link, 3, spacing_us=1_500)

    assert [delivery.arrived_at_us for delivery in link.pop(1_000_000)] == [21_000, 22_500, 84_000]


def test_packets_keep_their_order_when_the_route_gets_shorter():
    link = _link(delay_steps=((3_000, 5_000),))
    _fates(link, 3, spacing_us=1_500)

    assert [delivery.arrived_at_us for delivery in link.pop(1_000_000)] == [21_000, 22_500, 22_500]


def test_trace_delivers_in_its_opportunities():
    link = _link(Trace((10, 20, 30)))
    _fates(link, 3)

    assert [delivery.departed_at_us for delivery in link.pop(1_000_000)] == [10_000, 20_000, 30_000]


def test_same_seed_makes_the_same_losses():
    assert _fates(_link(loss_ratio=0.1), 1_000) == _fates(_link(loss_ratio=0.1), 1_000)
