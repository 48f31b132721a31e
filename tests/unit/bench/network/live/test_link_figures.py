import pytest

from streamer.bench.network.capacity import Steps, constant
from streamer.bench.network.link import Fate
from streamer.bench.network.live.link_figures import Usage
from streamer.bench.network.live.packet_log import DOWN, Packet, PacketLog

_BEGAN_US = 3_000_000
_S = 1_000_000
# A packet each 10 ms uses a megabit per second.
_SPACING_US, _SIZE_BYTES = 10_000, 1_250
_CAPACITY = constant(1_000_000)


def _carried(at_us, queue_us=1_000):
    at_us += _BEGAN_US
    departed_us = at_us + queue_us
    return Packet(DOWN, at_us, departed_us, departed_us, departed_us, _SIZE_BYTES, Fate.CARRIED, True)


def _dropped(at_us, fate=Fate.QUEUE_FULL):
    return Packet(DOWN, _BEGAN_US + at_us, None, None, None, _SIZE_BYTES, fate, True)


def _stream(from_us, until_us, queue_us=1_000):
    return [_carried(at_us, queue_us) for at_us in range(from_us, until_us, _SPACING_US)]


def _usage(packets, duration_us, capacity=_CAPACITY):
    return Usage(PacketLog(_BEGAN_US, packets, []), capacity, duration_us)


def test_utilisation_is_what_left_the_bottleneck_of_what_could_have():
    usage = _usage([*_stream(5 * _S, 8 * _S), _dropped(9 * _S)], 11 * _S)

    assert usage.utilisation_percent(5 * _S) == pytest.approx(50.0)
    assert usage.utilisation_percent() == pytest.approx(100 * 3 / 11, abs=0.01)


def test_rate_is_reached_at_the_end_of_the_first_full_half_second():
    usage = _usage(_stream(2 * _S, 6 * _S), 6 * _S)

    # The window that begins at 2.0 s is used up; that of 1.9 s lacks a fifth.
    assert usage.reach_s(0) == pytest.approx(2.5)
    assert usage.reach_s(3 * _S) == pytest.approx(0.5)


def test_rate_that_is_never_reached_is_none():
    assert _usage(_stream(0, _S), 4 * _S, constant(2_000_000)).reach_s(0) is None


def test_rate_is_compared_with_the_capacity_of_its_window():
    stairs = Steps(((0, 1_000_000), (2 * _S, 4_000_000)))
    fast = [packet for packet in _stream(3 * _S, 5 * _S) for _ in range(4)]

    usage = _usage(_stream(0, 3 * _S) + fast, 5 * _S, stairs)

    # From 2.9 to 3.4 s: a fifth at a quarter of the capacity, and the rest at all of it, are 85 %.
    assert usage.reach_s(2 * _S) == pytest.approx(1.4)


def test_queue_has_drained_when_it_stays_short_for_a_second():
    packets = _stream(_S, 2 * _S, 100_000) + _stream(2 * _S, 2 * _S + 500_000) + _stream(2_500_000, 3 * _S, 40_000)
    usage = _usage(packets + _stream(3 * _S, 6 * _S) + _stream(6 * _S, 7 * _S, 90_000), 9 * _S)

    assert usage.drain_s(_S, 9 * _S) == pytest.approx(1.99)


def test_packet_that_finds_the_queue_full_counts_as_a_long_queue():
    usage = _usage([*_stream(0, _S // 2), _dropped(700_000), *_stream(_S, 4 * _S)], 5 * _S)

    assert usage.drain_s(0, 5 * _S) == pytest.approx(0.7)


def test_queue_that_stays_long_has_not_drained():
    assert _usage(_stream(0, 5 * _S, 50_000), 5 * _S).drain_s(0, 5 * _S) is None


def test_queue_that_was_never_long_has_drained_at_once():
    assert _usage(_stream(0, 5 * _S), 5 * _S).drain_s(0, 5 * _S) == 0


def test_waiting_is_that_of_packets_that_were_carried():
    usage = _usage([*_stream(0, _S, 2_000), *_stream(_S, 2 * _S, 10_000), _dropped(_S)], 2 * _S)

    assert usage.queue_ms(50) == 2
    assert usage.queue_ms(95) == 10
    assert _usage([], _S).queue_ms(50) is None


def test_drops_and_losses_are_told_apart_and_end_with_the_run():
    usage = _usage([_dropped(0), _dropped(1, Fate.LOST), _dropped(2, Fate.LOST), _dropped(3 * _S)], 2 * _S)

    assert usage.dropped(Fate.QUEUE_FULL) == 1
    assert usage.dropped(Fate.LOST) == 2
