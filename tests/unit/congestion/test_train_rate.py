import random

from streamer.congestion.in_flight import Sent
from streamer.congestion.pacer import Priority
from streamer.congestion.train_rate import MAX_SPAN_US, MIN_PACKETS, TrainRate
from streamer.congestion.trains import MAX_PACKETS, Trains

_INTERVAL_US = 16_667
# 1250 bytes are 10 kbit.
_SIZE_BYTES = 1250


def _add(rate, bps, *, frames=12, packets=10, from_frame=0, jitter_us=0, rng=None):
    trains = Trains(_INTERVAL_US)
    every_us = _SIZE_BYTES * 8_000_000 // bps
    for frame in range(from_frame, from_frame + frames + 1):
        sent_us = frame * _INTERVAL_US
        arrived_us = 0
        burst = []
        for number in range(packets):
            packet = Sent(0, _SIZE_BYTES, sent_us, Priority.VIDEO)
            late_us = round(rng.random() * jitter_us) if rng else 0
            arrived_us = max(arrived_us, sent_us + 20_000 + number * every_us + late_us)
            packet.arrived_at_us = arrived_us
            burst.append(packet)
        for train in trains.add(burst):
            rate.add(train, jitter_us // 4)


def test_train_rate_reads_the_bottleneck_from_a_dozen_frames():
    rate = TrainRate()
    _add(rate, 20_000_000)

    assert abs(rate.measure(0).rate_bps - 20_000_000) < 100_000


def test_train_rate_says_nothing_of_single_packets():
    rate = TrainRate()
    _add(rate, 20_000_000, packets=MIN_PACKETS - 1)

    assert rate.measure(0) is None


def test_train_rate_says_nothing_where_jitter_is_as_long_as_a_train():
    rate = TrainRate()
    _add(rate, 20_000_000, packets=5)

    assert rate.measure(5_000) is None


def test_train_rate_is_not_far_off_under_jitter_that_keeps_the_order():
    rate = TrainRate()
    _add(rate, 20_000_000, frames=60, packets=33, jitter_us=6_000, rng=random.Random(1))

    assert abs(rate.measure(1_500).rate_bps - 20_000_000) < 1_500_000


def test_train_rate_follows_a_step_with_the_fast_pool():
    rate = TrainRate()
    _add(rate, 20_000_000, frames=60)
    _add(rate, 5_000_000, from_frame=61, frames=12)

    assert abs(rate.measure(0).rate_bps - 5_000_000) < 100_000
    assert 0 < rate.variation_ratio < 0.2


def test_train_rate_forgets_what_passed_before():
    rate = TrainRate()
    _add(rate, 20_000_000)

    rate.forget_before(10**9)

    assert rate.measure(0) is None


def test_train_rate_grows_old():
    rate = TrainRate()
    _add(rate, 20_000_000)

    rate.age(1_000_000)
    assert rate.measure(0) is not None
    rate.age(3_000_000)
    assert rate.measure(0) is None


def test_train_rate_does_not_count_trains_that_no_path_makes():
    rate = TrainRate()
    _add(rate, 20_000_000)
    before = rate.measure(0)

    _add(rate, _SIZE_BYTES * 9 * 8_000_000 // MAX_SPAN_US - 1000, from_frame=13)

    assert rate.measure(0) == before


def test_train_rate_counts_trains_of_a_slow_path():
    rate = TrainRate()
    _add(rate, 500_000, packets=MAX_PACKETS, frames=3)

    assert abs(rate.measure(0).rate_bps - 500_000) < 1000
