import pytest

from streamer.congestion.burst_rate import _BURSTS, _MIN_BURSTS, _MIN_PACKETS, _QUANTILE, _TICK_US, BurstRate
from streamer.congestion.in_flight import Sent
from streamer.congestion.pacer import Priority
from streamer.congestion.trains import Train, Trains

_INTERVAL_US = 16_000
_SIZE_BYTES = 1250
# A packet in a millisecond.
_RATE_BPS = 10_000_000


def _train(interval_us=1000, *, packets=8, burst_packets=None, order=1) -> Train:
    """Return a train of which so many packets left at one instant, and pass at one per interval."""
    burst = packets if burst_packets is None else burst_packets
    trains = Trains(_INTERVAL_US)
    sent = [Sent(0, _SIZE_BYTES, 0 if number < burst else 1000, Priority.VIDEO) for number in range(packets)]
    for number, packet in enumerate(sent[::order]):
        packet.arrived_at_us = 20_000 + number * interval_us
    trains.add(sent)
    return trains.open


def _rate_bps(trains):
    rate = BurstRate()
    for train in trains:
        rate.add(train)
    return rate.rate_bps


# One less of slow bursts than would count.
_FEW = round(_QUANTILE * _BURSTS) - 1


@pytest.mark.parametrize(
    ("trains", "rate_bps"),
    [
        pytest.param([], None, id="nothing has passed"),
        pytest.param([_train()] * (_MIN_BURSTS - 1), None, id="too few bursts to tell"),
        pytest.param([_train()] * _MIN_BURSTS, _RATE_BPS, id="as fast as packets pass that left at once"),
        pytest.param([_train(packets=_MIN_PACKETS - 1)] * 99, None, id="too few packets to be a burst"),
        pytest.param([_train(burst_packets=_MIN_PACKETS - 1)] * 99, None, id="packets that left later are no burst"),
        pytest.param([_train(order=-1)] * _MIN_BURSTS, _RATE_BPS, id="packets that overtake each other"),
        pytest.param(
            [_train(0)] * _MIN_BURSTS, 7 * _SIZE_BYTES * 8_000_000 // _TICK_US, id="within one tick of the clock"
        ),
        pytest.param(
            [_train(4000)] * round(_QUANTILE * _BURSTS - 1) + [_train()] * _BURSTS,
            _RATE_BPS,
            id="some met other packets",
        ),
        pytest.param([_train()] * _BURSTS + [_train(2000)] * _BURSTS, _RATE_BPS // 2, id="the path is another one now"),
    ],
)
def test_width_of_a_path(trains, rate_bps):
    assert _rate_bps(trains) == rate_bps


def test_width_is_cautious_where_bursts_differ():
    many = _FEW + 2

    assert _rate_bps([_train()] * (_BURSTS - many) + [_train(2000)] * many) == _RATE_BPS // 2


def test_width_is_forgotten_when_a_queue_stands():
    rate = BurstRate()
    for _ in range(_BURSTS):
        rate.add(_train())

    rate.forget()

    assert rate.rate_bps is None
