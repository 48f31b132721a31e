import pytest

from streamer.congestion.in_flight import Sent
from streamer.congestion.pacer import Priority
from streamer.congestion.trains import GAP_RATIO, LONG_PACKETS, MAX_PACKETS, Trains

_INTERVAL_US = 16_000
_GAP_US = round(_INTERVAL_US * GAP_RATIO)
_SIZE_BYTES = 1250
_WAY_US = 20_000


def _packet(sent_at_us, arrived_at_us=None, index=0):
    packet = Sent(index, _SIZE_BYTES, sent_at_us, Priority.VIDEO)
    packet.arrived_at_us = sent_at_us + _WAY_US if arrived_at_us is None else arrived_at_us
    return packet


def _train(packets):
    trains = Trains(_INTERVAL_US)
    assert trains.add(packets) == []
    assert trains.open is not None
    return trains.open


def _passing(count, interval_us=1000, *, sent_at_us=0):
    """Packets that left at once and pass a bottleneck one by one."""
    return [_packet(sent_at_us, sent_at_us + _WAY_US + number * interval_us) for number in range(count)]


def test_trains_without_packets_are_none():
    trains = Trains(_INTERVAL_US)

    assert trains.add([]) == []
    assert trains.open is None


def test_trains_keep_a_frame_together_across_reports():
    trains = Trains(_INTERVAL_US)

    assert trains.add([_packet(0), _packet(_GAP_US)]) == []
    assert trains.add([_packet(2 * _GAP_US)]) == []
    assert trains.open.send_span_us == 2 * _GAP_US


def test_trains_end_where_the_next_frame_begins():
    trains = Trains(_INTERVAL_US)

    complete = trains.add([_packet(0), _packet(1000), _packet(1000 + _GAP_US + 1), _packet(_INTERVAL_US * 2)])

    assert [len(train.arrivals_us) for train in complete] == [2, 1]
    assert trains.open.first_sent_us == 2 * _INTERVAL_US


def test_trains_end_when_they_are_long_enough_to_measure():
    trains = Trains(_INTERVAL_US)

    complete = trains.add(_passing(2 * MAX_PACKETS + 1))

    assert [len(train.arrivals_us) for train in complete] == [MAX_PACKETS, MAX_PACKETS]
    assert len(trains.open.arrivals_us) == 1


def test_train_low_is_the_shortest_way_of_any_packet():
    train = _train([_packet(0, 30_000), _packet(2000, 24_000), _packet(3000, 33_000)])

    assert train.low_us == 22_000
    assert train.newest_way_us == 30_000


def test_train_takes_a_packet_that_was_late_in_the_reports():
    train = _train([_packet(2000), _packet(1000), _packet(0)])

    assert train.last_sent_us == 2000
    assert len(train.arrivals_us) == 3


def test_train_knows_how_many_packets_left_at_once():
    train = _train([_packet(0), _packet(0), _packet(0), _packet(1000), _packet(0)])

    assert train.burst_packets == 3


@pytest.mark.parametrize(
    ("count", "counted"),
    [
        pytest.param(4, 3, id="a short one counts from its first packet on"),
        pytest.param(LONG_PACKETS - 1, LONG_PACKETS - 2, id="a short one at most"),
        pytest.param(LONG_PACKETS, LONG_PACKETS // 2 - 1, id="a long one counts from its middle on"),
    ],
)
def test_train_passage_leaves_out_the_packet_it_counts_from(count, counted):
    size_bytes, span_us = _train(_passing(count)).passage()

    assert size_bytes == counted * _SIZE_BYTES
    assert span_us == counted * 1000


def test_train_passage_does_not_care_for_the_order_of_arrival():
    packets = _passing(6)
    packets[2].arrived_at_us, packets[5].arrived_at_us = packets[5].arrived_at_us, packets[2].arrived_at_us

    assert _train(packets).passage() == _train(_passing(6)).passage()


def test_train_rate_without_its_longest_pause_is_that_of_the_rest():
    packets = _passing(10)
    for packet in packets[5:]:
        packet.arrived_at_us += 50_000

    # A packet in a millisecond.
    assert _train(packets).steady_bps() == _SIZE_BYTES * 8 * 1000


def test_train_that_arrived_at_once_has_a_rate_without_its_longest_pause():
    assert _train(_passing(4, 0)).steady_bps() == 2 * _SIZE_BYTES * 8_000_000
