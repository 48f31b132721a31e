import pytest

from streamer.congestion.recovery import (
    LEAST_LIMIT_BYTES,
    MAX_KEYFRAME_INTERVAL_US,
    MAX_NAMED_PACKETS,
    MIN_RESEND_INTERVAL_US,
    RESEND_LIMIT_IN_KEYFRAMES,
    RESENT_SHARE,
    RESENT_WINDOW_US,
    SMALL_KEYFRAMES_LIMIT_BYTES,
    TWICE_LIMIT_PACKETS,
    TWICE_LOSS_RATIO,
    Recovery,
)
from streamer.rtp.history import SendHistory, SentPacket

_RTT_US = 40_000
_NOW_US = 10_000_000
_WIDE_BPS = 10_000_000
# As large as packets are.
FEW_PACKETS = LEAST_LIMIT_BYTES // 1200


def _history(sequences=range(10), *, capacity=1024, max_capacity=1024, size_bytes=1200):
    history = SendHistory(capacity=capacity, max_capacity=max_capacity)
    _send(history, sequences, size_bytes=size_bytes)
    return history


def _send(history, sequences, *, size_bytes=1200):
    for sequence in sequences:
        history.add(SentPacket(sequence & 0xFFFF, b"", 0, marker=False, sent_at_us=0, size_bytes=size_bytes))


def _resent(repair):
    return [packet.sequence for packet in repair.resend]


def _keyframe(recovery, at_us, first_sequence=0, size_bytes=0):
    recovery.keyframe_offered(at_us, first_sequence=first_sequence, size_bytes=size_bytes, now_us=at_us)


def test_recovery_resends_what_is_missing_in_the_order_named():
    repair = Recovery(_history()).nack([3, 4, 7, 3], _NOW_US, _RTT_US, target_bps=_WIDE_BPS)

    assert _resent(repair) == [3, 4, 7]
    assert not repair.needs_keyframe


def test_recovery_marks_what_it_resends():
    history = _history()

    Recovery(history).nack([3], _NOW_US, _RTT_US, target_bps=_WIDE_BPS)

    assert history.get(3).retransmitted_at_us == _NOW_US
    assert history.get(4).retransmitted_at_us is None


@pytest.mark.parametrize(
    ("rtt_us", "quiet_us"),
    [(_RTT_US, _RTT_US // 2), (2 * MIN_RESEND_INTERVAL_US - 2, MIN_RESEND_INTERVAL_US), (None, MIN_RESEND_INTERVAL_US)],
)
def test_recovery_resends_a_packet_once_in_half_a_round_trip(rtt_us, quiet_us):
    recovery = Recovery(_history())
    recovery.nack([3], _NOW_US, rtt_us, target_bps=_WIDE_BPS)
    recovery.resend_left(3, _NOW_US)

    assert _resent(recovery.nack([3, 4], _NOW_US + quiet_us - 1, rtt_us, target_bps=_WIDE_BPS)) == [4]
    assert _resent(recovery.nack([3], _NOW_US + quiet_us, rtt_us, target_bps=_WIDE_BPS)) == [3]


def test_recovery_does_not_believe_in_a_round_trip_of_seconds():
    recovery = Recovery(_history())
    recovery.nack([3], _NOW_US, 60_000_000, target_bps=_WIDE_BPS)
    recovery.resend_left(3, _NOW_US)

    assert _resent(recovery.nack([3], _NOW_US + MAX_KEYFRAME_INTERVAL_US // 2, 60_000_000, target_bps=_WIDE_BPS)) == [3]


def test_recovery_makes_no_second_copy_while_the_first_waits_to_leave():
    recovery = Recovery(_history())
    recovery.nack([3], _NOW_US, _RTT_US, target_bps=_WIDE_BPS)

    for repeated_us in range(5_000, 200_000, 5_000):
        assert _resent(recovery.nack([3], _NOW_US + repeated_us, _RTT_US, target_bps=_WIDE_BPS)) == []
    recovery.resend_left(3, _NOW_US + 200_000)

    # It counts from when it left.
    assert _resent(recovery.nack([3], _NOW_US + 200_000 + _RTT_US // 2 - 1, _RTT_US, target_bps=_WIDE_BPS)) == []
    assert _resent(recovery.nack([3], _NOW_US + 200_000 + _RTT_US // 2, _RTT_US, target_bps=_WIDE_BPS)) == [3]


def test_recovery_does_not_wait_for_ever_for_a_copy_to_leave():
    recovery = Recovery(_history())
    recovery.nack([3], _NOW_US, _RTT_US, target_bps=_WIDE_BPS)

    assert _resent(recovery.nack([3], _NOW_US + MAX_KEYFRAME_INTERVAL_US, _RTT_US, target_bps=_WIDE_BPS)) == []
    assert _resent(recovery.nack([3], _NOW_US + MAX_KEYFRAME_INTERVAL_US + 1, _RTT_US, target_bps=_WIDE_BPS)) == [3]


def test_recovery_takes_note_of_copies_that_it_does_not_wait_for():
    history = _history()

    Recovery(history).resend_left(3, _NOW_US)

    assert history.get(3).retransmitted_at_us is None


def test_recovery_looks_at_a_bounded_part_of_what_a_message_names():
    recovery = Recovery(_history(range(4), capacity=4, max_capacity=4))
    named = [*[0x8000] * MAX_NAMED_PACKETS, 3]

    assert _resent(recovery.nack(named, _NOW_US, _RTT_US, target_bps=_WIDE_BPS)) == []
    assert _resent(recovery.nack(named[1:], _NOW_US, _RTT_US, target_bps=_WIDE_BPS)) == [3]


def test_recovery_asks_for_a_keyframe_when_a_packet_is_no_longer_held():
    recovery = Recovery(_history(range(20), capacity=4, max_capacity=4))

    repair = recovery.nack([2, 19], _NOW_US, _RTT_US, target_bps=_WIDE_BPS)

    assert repair.needs_keyframe
    assert not repair.resend
    assert recovery.keyframe_wanted(_NOW_US)


@pytest.mark.parametrize("sequence", [10, 500, 0x8000])
def test_recovery_ignores_a_packet_that_was_never_sent(sequence):
    recovery = Recovery(_history())

    repair = recovery.nack([sequence], _NOW_US, _RTT_US, target_bps=_WIDE_BPS)

    assert not repair.resend
    assert not repair.needs_keyframe
    assert not recovery.keyframe_wanted(_NOW_US)


def test_recovery_ignores_a_nack_before_anything_was_sent():
    repair = Recovery(SendHistory()).nack([1], _NOW_US, _RTT_US, target_bps=_WIDE_BPS)

    assert not repair.resend
    assert not repair.needs_keyframe


def test_recovery_does_not_resend_what_the_newest_keyframe_makes_useless():
    history = _history(range(5))
    recovery = Recovery(history)
    _keyframe(recovery, _NOW_US, first_sequence=5)
    _send(history, range(5, 10))

    repair = recovery.nack([3, 4, 5, 6], _NOW_US + _RTT_US, _RTT_US, target_bps=_WIDE_BPS)

    assert _resent(repair) == [5, 6]


def test_recovery_needs_no_keyframe_for_a_forgotten_packet_from_before_one():
    history = _history(range(20), capacity=4, max_capacity=4)
    recovery = Recovery(history)
    _keyframe(recovery, _NOW_US, first_sequence=20)
    _send(history, [20])

    repair = recovery.nack([2, 3], _NOW_US + _RTT_US, _RTT_US, target_bps=_WIDE_BPS)

    assert not repair.needs_keyframe
    assert not recovery.keyframe_wanted(_NOW_US + MAX_KEYFRAME_INTERVAL_US)


@pytest.mark.parametrize("packets_since", [100, 40_000, 65_536, 100_000])
def test_recovery_resends_however_long_ago_the_keyframe_was(packets_since):
    history = SendHistory()
    recovery = Recovery(history)
    _keyframe(recovery, 0, first_sequence=65_000)
    _send(history, range(65_000, 65_000 + packets_since))
    lost = (65_000 + packets_since - 5) & 0xFFFF

    assert _resent(recovery.nack([lost], _NOW_US, _RTT_US, target_bps=_WIDE_BPS)) == [lost]


def test_recovery_prefers_a_keyframe_when_the_resends_cost_more():
    recovery = Recovery(_history(range(500)))
    _keyframe(recovery, 0, size_bytes=100 * 1200)
    limit = RESEND_LIMIT_IN_KEYFRAMES * 100

    assert len(recovery.nack(range(limit), _NOW_US, _RTT_US, target_bps=4 * _WIDE_BPS).resend) == limit
    repair = recovery.nack(range(limit, 2 * limit + 1), _NOW_US + _RTT_US, _RTT_US, target_bps=4 * _WIDE_BPS)

    assert repair.needs_keyframe
    assert not repair.resend


def test_recovery_resends_a_small_loss_however_small_the_keyframe_was():
    recovery = Recovery(_history(range(500)))
    _keyframe(recovery, 0, size_bytes=1000)
    limit = SMALL_KEYFRAMES_LIMIT_BYTES // 1200

    assert len(recovery.nack(range(limit), _NOW_US, _RTT_US, target_bps=_WIDE_BPS).resend) == limit
    assert recovery.nack([limit], _NOW_US + 1, _RTT_US, target_bps=_WIDE_BPS).needs_keyframe


def test_recovery_counts_what_waits_to_leave_against_the_limit():
    recovery = Recovery(_history(range(500)))
    _keyframe(recovery, 0, size_bytes=1000)
    limit = SMALL_KEYFRAMES_LIMIT_BYTES // 1200
    recovery.nack(range(limit), _NOW_US, _RTT_US, target_bps=_WIDE_BPS)
    for sequence in range(limit // 2):
        recovery.resend_left(sequence, _NOW_US + 1)
    more = range(limit, limit + limit // 2)

    assert len(recovery.nack(more, _NOW_US + 2, _RTT_US, target_bps=_WIDE_BPS).resend) == limit // 2
    assert recovery.nack([2 * limit], _NOW_US + 3, _RTT_US, target_bps=_WIDE_BPS).needs_keyframe


def test_recovery_prefers_a_keyframe_where_resends_take_long():
    resent, refused = Recovery(_history(range(64))), Recovery(_history(range(64)))
    for recovery in (resent, refused):
        _keyframe(recovery, 0, size_bytes=60_000)

    assert len(resent.nack(range(40), _NOW_US, _RTT_US, target_bps=8_000_000).resend) == 40
    assert refused.nack(range(40), _NOW_US, _RTT_US, target_bps=2_000_000).needs_keyframe


@pytest.mark.parametrize(
    ("target_bps", "limit_bytes"),
    [
        pytest.param(0, LEAST_LIMIT_BYTES, id="at least what may be resent at once"),
        pytest.param(_WIDE_BPS, RESENT_SHARE * _WIDE_BPS / 8, id="a share of the target"),
    ],
)
def test_recovery_resends_no_more_than_a_share_of_what_is_sent(target_bps, limit_bytes):
    recovery = Recovery(_history(range(FEW_PACKETS)))
    resent_bytes, now_us = 0, _NOW_US
    while not (repair := recovery.nack(range(FEW_PACKETS), now_us, 0, target_bps=target_bps)).needs_keyframe:
        for packet in repair.resend:
            recovery.resend_left(packet.sequence, now_us)
            resent_bytes += packet.size_bytes
        now_us += MIN_RESEND_INTERVAL_US

    assert limit_bytes - LEAST_LIMIT_BYTES < resent_bytes <= limit_bytes
    # A second after the first of them there is room again.
    copies = [(sequence, now_us) for sequence in range(FEW_PACKETS)]
    assert recovery.lost(copies, _NOW_US + RESENT_WINDOW_US - 1, 0, target_bps=target_bps).needs_keyframe
    assert _resent(recovery.lost(copies, _NOW_US + RESENT_WINDOW_US, 0, target_bps=target_bps)) == [*range(FEW_PACKETS)]


def test_recovery_asks_for_no_keyframe_when_nothing_is_left_to_resend():
    recovery = Recovery(_history(range(500)))
    _keyframe(recovery, _NOW_US)
    # More than the limit, because the keyframe is fresh.
    assert len(recovery.nack(range(100), _NOW_US, _RTT_US, target_bps=0).resend) == 100
    for sequence in range(100):
        recovery.resend_left(sequence, _NOW_US + 1)

    assert not recovery.nack([3], _NOW_US + 2, 0, target_bps=0).needs_keyframe


def test_recovery_waits_no_longer_for_copies_from_before_a_keyframe():
    history = _history(range(100))
    recovery = Recovery(history)
    recovery.nack(range(SMALL_KEYFRAMES_LIMIT_BYTES // 1200), _NOW_US, _RTT_US, target_bps=_WIDE_BPS)
    _keyframe(recovery, _NOW_US + 1, first_sequence=100)
    _send(history, [100])

    assert _resent(recovery.nack([100], _NOW_US + 2, _RTT_US, target_bps=_WIDE_BPS)) == [100]


def test_recovery_resends_a_large_loss_while_the_keyframe_it_belongs_to_is_fresh():
    recovery = Recovery(_history(range(500)))
    _keyframe(recovery, _NOW_US)

    repair = recovery.nack(range(100), _NOW_US + _RTT_US - 1, _RTT_US, target_bps=_WIDE_BPS)

    # The request would be answered by that same keyframe, so nothing else can help.
    assert len(repair.resend) == 100
    assert not repair.needs_keyframe


@pytest.mark.parametrize(
    ("packets", "loss_ratio", "copies"),
    [
        pytest.param(1, 0.0, 1, id="a path that loses nothing"),
        pytest.param(1, TWICE_LOSS_RATIO, 1, id="a path that loses little"),
        pytest.param(1, 0.02, 2, id="a path that loses more"),
        pytest.param(TWICE_LIMIT_PACKETS, 0.02, 2, id="a few packets"),
        pytest.param(TWICE_LIMIT_PACKETS + 1, 0.02, 1, id="many packets"),
    ],
)
def test_recovery_resends_a_little_twice_where_the_copy_may_be_lost_too(packets, loss_ratio, copies):
    repair = Recovery(_history()).nack(range(packets), _NOW_US, _RTT_US, loss_ratio=loss_ratio, target_bps=_WIDE_BPS)

    assert _resent(repair) == [*range(packets)] * copies


def test_recovery_resends_a_copy_that_is_known_to_be_lost():
    recovery = Recovery(_history())
    recovery.nack([3], _NOW_US, _RTT_US, target_bps=_WIDE_BPS)

    repair = recovery.lost([(3, _NOW_US)], _NOW_US + _RTT_US, _RTT_US, target_bps=_WIDE_BPS)

    assert _resent(repair) == [3]


def test_recovery_resends_what_nothing_follows_before_anybody_misses_it():
    recovery = Recovery(_history())

    assert _resent(recovery.lost([(8, 0), (9, 0)], _NOW_US, _RTT_US, target_bps=_WIDE_BPS)) == [8, 9]


def test_recovery_makes_no_second_copy_while_a_newer_one_is_under_way():
    recovery = Recovery(_history())
    recovery.nack([3], _NOW_US, _RTT_US, target_bps=_WIDE_BPS)

    repair = recovery.lost([(3, 0), (4, 0)], _NOW_US + _RTT_US, _RTT_US, target_bps=_WIDE_BPS)

    assert _resent(repair) == [4]


def test_recovery_does_nothing_about_lost_copies_that_it_does_not_hold():
    recovery = Recovery(_history(range(20), capacity=4, max_capacity=4))

    repair = recovery.lost([(2, 0)], _NOW_US, _RTT_US, target_bps=_WIDE_BPS)

    assert not repair.resend
    assert not repair.needs_keyframe
    assert not recovery.keyframe_wanted(_NOW_US)
