import pytest

from streamer.rtp.history import SendHistory, SentPacket


def _packet(sequence, sent_at_us=0, payload=b"p"):
    return SentPacket(sequence & 0xFFFF, payload, 0, marker=False, sent_at_us=sent_at_us, size_bytes=1200)


def _fill(history, count, *, first=0, interval_us=1000):
    for number in range(count):
        history.add(_packet(first + number, number * interval_us))


def test_history_gives_back_the_very_payload():
    history = SendHistory()
    payload = b"payload"
    history.add(_packet(7, payload=payload))

    packet = history.get(7)

    assert packet is not None
    assert packet.payload is payload
    assert packet.retransmitted_at_us is None


def test_history_does_not_know_what_was_not_sent():
    history = SendHistory(capacity=4)
    history.add(_packet(7))

    assert history.get(6) is None
    # The same place in the ring, another packet.
    assert history.get(3) is None
    assert history.get(7 + 4) is None


def test_history_counts_on_across_the_wrap():
    history = SendHistory(capacity=8)

    _fill(history, 6, first=65533)

    assert [history.get(sequence) is not None for sequence in (65533, 65535, 0, 2)] == [True] * 4
    assert history.newest_index == 65538


def test_history_holds_a_second_at_50_mbit_per_s():
    history = SendHistory()
    pps = 5300

    _fill(history, 3 * pps, interval_us=1_000_000 // pps)

    newest = 3 * pps - 1
    assert all(history.get(sequence) is not None for sequence in range(newest - pps, newest + 1))


def test_history_keeps_its_capacity_while_packets_are_old_enough():
    history = SendHistory(capacity=16)

    _fill(history, 100, interval_us=1_000_000 // 16)

    assert history.capacity == 16
    assert history.get(99 - 15) is not None
    assert history.get(99 - 16) is None


def test_history_grows_up_to_its_cap_and_then_forgets_the_oldest():
    history = SendHistory(capacity=4, max_capacity=16)

    _fill(history, 100, interval_us=1)

    assert history.capacity == 16
    assert [history.get(sequence) is not None for sequence in (83, 84, 99)] == [False, True, True]


def test_history_grows_across_a_gap_in_the_sequence():
    history = SendHistory(capacity=4)
    for sequence in (0, 2, 4):
        history.add(_packet(sequence))

    assert history.capacity == 8
    assert [history.get(sequence) is not None for sequence in range(5)] == [True, False, True, False, True]


@pytest.mark.parametrize(
    ("newest", "sequence", "index"),
    [
        (10, 9, 9),
        (10, 11, 11),
        (65535, 0, 65536),
        (0, 65535, -1),
        (0x8000, 0, 0),
        (0x8000, 1, 1),
    ],
)
def test_history_reads_a_sequence_as_the_nearest_to_the_newest(newest, sequence, index):
    history = SendHistory()
    history.add(_packet(newest))

    assert history.index(sequence) == index


def test_history_starts_indices_with_the_first_sequence():
    history = SendHistory()

    assert history.newest_index is None
    assert history.index(4711) == 4711


def test_history_numbers_more_packets_than_there_are_sequences():
    history = SendHistory(capacity=4)

    _fill(history, 70_000, interval_us=1_000_000)

    assert history.newest_index == 69_999
    assert history.index(69_990 & 0xFFFF) == 69_990


@pytest.mark.parametrize(("capacity", "maximum"), [(0, 16), (3, 16), (32, 16), (16, 65536)])
def test_history_refuses_a_capacity_that_its_ring_cannot_have(capacity, maximum):
    with pytest.raises(ValueError, match="a history of"):
        SendHistory(capacity=capacity, max_capacity=maximum)


@pytest.mark.parametrize(("count", "expected"), [(0, []), (2, [65537, 65536]), (9, [65537, 65536, 65535, 65534])])
def test_history_gives_the_newest_packets_first(count, expected):
    history = SendHistory(min_duration_us=0, capacity=4)
    for index in range(65530, 65538):
        history.add(_packet(index))

    assert [packet.sequence for packet in history.newest(count)] == [index % 65536 for index in expected]


def test_history_that_is_empty_has_no_newest_packets():
    assert SendHistory().newest(3) == []


def test_history_leaves_out_what_was_never_sent():
    history = SendHistory(capacity=8)
    history.add(_packet(3))

    assert [packet.sequence for packet in history.newest(5)] == [3]
