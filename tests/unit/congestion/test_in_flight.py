import pytest

from streamer.congestion.in_flight import _AWAITED_PACKETS, _AWAITED_US, _FORGET_PACKETS, InFlight, Sent
from streamer.congestion.pacer import Priority

_SIZE_BYTES = 1200
# What the receiver's clock shows at the first arrival.
_ARRIVAL_US = 9_000_000_000


def _sent(count, *, first=0, interval_us=1000):
    in_flight = InFlight()
    _send(in_flight, count, first=first, interval_us=interval_us)
    return in_flight


def _send(in_flight, count, *, first=0, interval_us=1000):
    for index in range(first, first + count):
        in_flight.add([Sent(index, _SIZE_BYTES, index * interval_us, Priority.VIDEO)])


def _arrived(*indices):
    return [(index, _ARRIVAL_US + index) for index in indices]


def _lost(*indices):
    return [(index, None) for index in indices]


def _indices(packets):
    return [packet.index for packet in packets]


def test_in_flight_counts_what_has_not_been_spoken_of():
    in_flight = _sent(10)
    assert in_flight.size_bytes == 10 * _SIZE_BYTES

    report = in_flight.report(_arrived(0, 1) + _lost(2) + _arrived(3))

    assert in_flight.size_bytes == 6 * _SIZE_BYTES
    assert _indices(report.arrived) == [0, 1, 3]
    assert _indices(report.lost) == [2]
    assert [packet.arrived_at_us for packet in report.arrived] == [at_us for _, at_us in _arrived(0, 1, 3)]


def test_in_flight_takes_an_empty_report():
    in_flight = _sent(2)

    report = in_flight.report([])

    assert (report.arrived, report.lost, report.skipped_bytes) == ([], [], 0)
    assert in_flight.size_bytes == 2 * _SIZE_BYTES


def test_in_flight_takes_a_repeated_report_once():
    in_flight = _sent(4)
    arrivals = _arrived(0) + _lost(1)
    in_flight.report(arrivals)

    report = in_flight.report(arrivals)

    assert (report.arrived, report.lost) == ([], [])
    assert in_flight.size_bytes == 2 * _SIZE_BYTES


def test_in_flight_recovers_a_packet_that_was_only_late():
    in_flight = _sent(4)
    in_flight.report(_lost(0) + _arrived(1))

    report = in_flight.report(_arrived(0) + _arrived(2))

    assert report.recovered == 1
    assert _indices(report.arrived) == [0, 2]
    assert in_flight.size_bytes == _SIZE_BYTES


def test_in_flight_ignores_packets_that_it_does_not_know():
    in_flight = _sent(2, first=5)

    report = in_flight.report(_arrived(3, 4, 5))

    assert _indices(report.arrived) == [5]
    assert in_flight.size_bytes == _SIZE_BYTES


def test_in_flight_skips_what_a_lost_report_had_spoken_of():
    in_flight = _sent(10)
    in_flight.report(_arrived(0, 1))

    report = in_flight.report(_arrived(5, 6))

    assert report.skipped_bytes == 3 * _SIZE_BYTES
    assert (report.lost, _indices(report.arrived)) == ([], [5, 6])
    assert in_flight.size_bytes == 3 * _SIZE_BYTES


def test_in_flight_takes_a_report_that_was_overtaken():
    in_flight = _sent(10)
    in_flight.report(_arrived(5, 6))

    report = in_flight.report(_arrived(0, 1))

    assert _indices(report.arrived) == [0, 1]
    # Both were skipped already.
    assert in_flight.size_bytes == 3 * _SIZE_BYTES
    assert in_flight.report(_arrived(7)).skipped_bytes == 0


def test_in_flight_skips_what_has_expired_without_counting_it_twice():
    in_flight = _sent(10)
    in_flight.expire(2000)
    assert in_flight.size_bytes == 8 * _SIZE_BYTES

    report = in_flight.report(_arrived(5))

    assert report.skipped_bytes == 5 * _SIZE_BYTES
    assert in_flight.size_bytes == 4 * _SIZE_BYTES


def test_in_flight_skips_around_packets_that_were_never_sent():
    in_flight = _sent(2)
    _send(in_flight, 2, first=4)

    assert in_flight.report(_arrived(5)).skipped_bytes == 3 * _SIZE_BYTES


def test_in_flight_counts_from_the_first_packet_although_indices_begin_anywhere():
    in_flight = _sent(4, first=70_000)

    assert in_flight.report(_arrived(70_002)).skipped_bytes == 2 * _SIZE_BYTES


@pytest.mark.parametrize(("before_us", "left"), [(0, 10), (1, 9), (5000, 5), (60_000_000, 0)])
def test_in_flight_counts_no_longer_what_left_long_ago(before_us, left):
    in_flight = _sent(10)

    in_flight.expire(before_us)
    in_flight.expire(before_us)

    assert in_flight.size_bytes == left * _SIZE_BYTES


def test_in_flight_expires_around_packets_that_were_never_sent():
    in_flight = _sent(2)
    _send(in_flight, 2, first=4)

    in_flight.expire(60_000_000)

    assert in_flight.size_bytes == 0


def test_in_flight_without_packets_has_nothing_to_expire_or_miss():
    in_flight = InFlight()

    in_flight.expire(60_000_000)

    assert in_flight.size_bytes == 0
    assert in_flight.overdue(60_000_000, 16) == []


def test_in_flight_misses_the_last_packets_when_the_newest_is_old_enough():
    in_flight = _sent(10)
    in_flight.report(_arrived(0, 1, 2))
    newest_us = 9 * 1000

    assert in_flight.overdue(newest_us - 1, 16) == []
    assert _indices(in_flight.overdue(newest_us, 16)) == [3, 4, 5, 6, 7, 8, 9]
    assert _indices(in_flight.overdue(newest_us, 4)) == [6, 7, 8, 9]


def test_in_flight_misses_nothing_that_has_been_spoken_of():
    in_flight = _sent(3)
    in_flight.report(_arrived(0) + _lost(1) + _arrived(2))

    assert in_flight.overdue(60_000_000, 16) == []


def test_in_flight_forgets_packets_that_nobody_will_speak_of():
    in_flight = _sent(_FORGET_PACKETS + 100)
    in_flight.report(_lost(0, 1))

    in_flight.report(_arrived(_FORGET_PACKETS + 50))

    assert in_flight.report(_arrived(0, 49)).arrived == []
    assert _indices(in_flight.report(_arrived(60)).arrived) == [60]


def test_in_flight_remembers_so_many_packets_although_no_report_comes():
    in_flight = _sent(_AWAITED_PACKETS + 100, interval_us=1)

    assert in_flight.size_bytes == _AWAITED_PACKETS * _SIZE_BYTES
    report = in_flight.report(_arrived(99, _AWAITED_PACKETS + 99))
    assert _indices(report.arrived) == [_AWAITED_PACKETS + 99]
    # What was given up is not skipped as well.
    assert report.skipped_bytes == 0


def test_in_flight_remembers_packets_for_so_long_although_no_report_comes():
    in_flight = _sent(3, interval_us=_AWAITED_US // 2)
    assert in_flight.size_bytes == 3 * _SIZE_BYTES

    _send(in_flight, 1, first=3, interval_us=_AWAITED_US // 2)

    assert in_flight.size_bytes == 3 * _SIZE_BYTES
    assert _indices(in_flight.report(_arrived(0, 1)).arrived) == [1]


def test_in_flight_gives_up_nothing_twice():
    in_flight = _sent(4)
    in_flight.report(_arrived(0) + _lost(1) + _arrived(2))
    in_flight.expire(60_000_000)

    in_flight.add([Sent(4, _SIZE_BYTES, 60_000_000, Priority.VIDEO)])

    assert in_flight.size_bytes == _SIZE_BYTES
    assert _indices(in_flight.report(_arrived(1, 3, 4)).arrived) == [4]
