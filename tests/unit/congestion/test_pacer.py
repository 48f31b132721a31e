import pytest

from streamer.congestion.pacer import (
    BURST_PACKETS,
    BURST_US,
    MAX_LATE_US,
    RESENT_COST,
    RESENT_PACKETS,
    WAITING_COST,
    Pacer,
    Priority,
)

# 1250 bytes are 10 kbit: at 10 Mbit/s one leaves in a millisecond.
_SIZE_BYTES = 1250
_PACKET_US = 1000
_PACING_BPS = 10_000_000
_START_US = 5_000_000


class _Packet:
    def __init__(self, name, size_bytes=_SIZE_BYTES):
        self.name = name
        self.size_bytes = size_bytes


def _frame(count, name="v", size_bytes=_SIZE_BYTES):
    return [_Packet(f"{name}{number}", size_bytes) for number in range(count)]


def _names(packets):
    return [packet.name for packet in packets]


def _drain(pacer, late_us=0):
    """Release until nothing waits; return (instant, packets) per wake-up, each `late_us` after it was asked for."""
    schedule = []
    while (wake_us := pacer.next_wake_us()) is not None:
        released = pacer.release(wake_us + late_us)
        assert released
        schedule.append((wake_us + late_us, len(released)))
    return schedule


@pytest.mark.parametrize("count", [1, BURST_PACKETS])
def test_pacer_releases_a_short_frame_at_once(count):
    pacer = Pacer(_PACING_BPS)

    pacer.enqueue(_frame(count), Priority.VIDEO, _START_US)

    assert pacer.next_wake_us() == _START_US
    assert len(pacer.release(_START_US)) == count
    assert pacer.next_wake_us() is None


def test_pacer_releases_a_short_frame_at_once_right_after_another():
    pacer = Pacer(_PACING_BPS)
    pacer.enqueue(_frame(BURST_PACKETS), Priority.VIDEO, 0)
    pacer.release(0)

    pacer.enqueue(_frame(BURST_PACKETS), Priority.VIDEO, 1)

    assert len(pacer.release(1)) == BURST_PACKETS


def test_pacer_spreads_a_long_frame_evenly_in_as_few_bursts_as_may_be():
    pacer = Pacer(_PACING_BPS)
    count = 3 * BURST_PACKETS

    pacer.enqueue(_frame(count), Priority.VIDEO, 0)

    # The last burst leaves when the whole frame has been paid for.
    half_us = count * _PACKET_US // 2
    assert _drain(pacer) == [(0, BURST_PACKETS), (half_us, BURST_PACKETS), (2 * half_us, BURST_PACKETS)]


def test_pacer_makes_bursts_of_one_frame_equal():
    pacer = Pacer(_PACING_BPS)

    pacer.enqueue(_frame(2 * BURST_PACKETS + 1), Priority.VIDEO, 0)

    assert [count for _, count in _drain(pacer)] == [BURST_PACKETS // 3 * 2 + 1] * 3


def test_pacer_makes_longer_bursts_where_they_take_no_longer():
    pacing_bps = 100_000_000
    longest = pacing_bps * BURST_US // 8_000_000 // _SIZE_BYTES
    pacer = Pacer(pacing_bps)

    pacer.enqueue(_frame(2 * longest), Priority.VIDEO, 0)

    assert longest > BURST_PACKETS
    assert [count for _, count in _drain(pacer)] == [longest] * 2


@pytest.mark.parametrize(
    ("estimate_bps", "fps"),
    [(9_000_000, 60), (25_000_000, 60), (50_000_000, 60), (20_000_000, 30)],
)
def test_pacer_sends_a_frame_of_its_share_within_half_a_frame_interval(estimate_bps, fps):
    pacer = Pacer(2 * estimate_bps)
    packets = _frame(estimate_bps // fps // 8 // 1200, size_bytes=1200)

    pacer.enqueue(packets, Priority.VIDEO, 0)

    assert _drain(pacer)[-1][0] <= 1_000_000 // fps // 2


def test_pacer_does_not_fall_behind_when_timers_are_late():
    pacer = Pacer(_PACING_BPS)
    bursts = 6
    pacer.enqueue(_frame(bursts * BURST_PACKETS), Priority.VIDEO, 0)

    schedule = _drain(pacer, late_us=1000)

    # The first burst needs no timer; each later one is late by its own timer alone.
    distance_us = bursts * BURST_PACKETS * _PACKET_US // (bursts - 1)
    assert [at_us for at_us, _ in schedule] == [index * distance_us + 1000 for index in range(bursts)]


def test_pacer_earns_no_flood_from_a_long_stall():
    pacing_bps = 100_000_000
    pacer = Pacer(pacing_bps)
    pacer.enqueue(_frame(1000), Priority.VIDEO, 0)
    pacer.release(0)

    released = pacer.release(10_000_000)

    # One burst that was due, and what is earned in the time that a timer may be late, in whole bursts.
    longest = pacing_bps * BURST_US // 8_000_000 // _SIZE_BYTES
    earned = pacing_bps * MAX_LATE_US // 8_000_000 // _SIZE_BYTES
    assert len(released) <= longest + max(longest, earned)


def test_pacer_lets_audio_pass_before_everything():
    pacer = Pacer(_PACING_BPS)
    pacer.enqueue(_frame(2 * BURST_PACKETS), Priority.VIDEO, 0)
    pacer.release(0)

    pacer.enqueue(_frame(1, "a"), Priority.AUDIO, 10)

    assert pacer.next_wake_us() == 10
    assert _names(pacer.release(10)) == ["a0"]
    assert pacer.backlog_packets == BURST_PACKETS


def test_pacer_releases_retransmissions_before_video():
    pacer = Pacer(_PACING_BPS)
    pacer.enqueue(_frame(1, "first"), Priority.VIDEO, 0)
    pacer.enqueue(_frame(1, "v"), Priority.VIDEO, 0)
    pacer.enqueue(_frame(1, "r"), Priority.RETRANSMISSION, 0)
    pacer.enqueue(_frame(1, "a"), Priority.AUDIO, 0)

    released = pacer.release(0)
    while (wake_us := pacer.next_wake_us()) is not None:
        released += pacer.release(wake_us)

    assert _names(released) == ["a0", "r0", "first0", "v0"]


def test_pacer_lets_a_retransmission_out_at_once_while_a_frame_waits_for_its_turn():
    pacer = Pacer(_PACING_BPS)
    pacer.enqueue(_frame(2 * BURST_PACKETS), Priority.VIDEO, 0)
    pacer.release(0)
    due_at_us = pacer.next_wake_us()

    pacer.enqueue(_frame(1, "r"), Priority.RETRANSMISSION, _PACKET_US)

    assert pacer.next_wake_us() == _PACKET_US
    assert _names(pacer.release(_PACKET_US)) == ["r0"]
    # The video behind it pays for that packet.
    assert pacer.next_wake_us() == due_at_us + RESENT_COST * _PACKET_US


def test_pacer_spreads_many_retransmissions():
    pacer = Pacer(_PACING_BPS)

    pacer.enqueue(_frame(2 * RESENT_PACKETS + 1, "r"), Priority.RETRANSMISSION, 0)

    distance_us = RESENT_COST * RESENT_PACKETS * _PACKET_US
    assert _drain(pacer) == [(0, RESENT_PACKETS), (distance_us, RESENT_PACKETS), (2 * distance_us, 1)]


def test_pacer_adds_retransmissions_to_those_that_wait():
    pacer = Pacer(_PACING_BPS)
    pacer.enqueue(_frame(2 * RESENT_PACKETS, "r"), Priority.RETRANSMISSION, 0)
    pacer.release(0)
    due_at_us = pacer.next_wake_us()

    pacer.enqueue(_frame(1, "s"), Priority.RETRANSMISSION, 1)

    assert pacer.next_wake_us() == due_at_us
    assert pacer.release(due_at_us - 1) == []


def test_pacer_keeps_frames_in_order_and_apart():
    pacer = Pacer(_PACING_BPS)

    pacer.enqueue(_frame(BURST_PACKETS, "a"), Priority.VIDEO, 0)
    pacer.enqueue(_frame(2, "b"), Priority.VIDEO, 0)

    assert _names(pacer.release(0)) == _names(_frame(BURST_PACKETS, "a"))
    # A frame that another one waits behind makes no queue for it.
    assert pacer.next_wake_us() == WAITING_COST * BURST_PACKETS * _PACKET_US
    assert _names(pacer.release(pacer.next_wake_us())) == ["b0", "b1"]


def test_pacer_reports_its_backlog_as_bytes_packets_and_time():
    pacer = Pacer(_PACING_BPS)
    pacer.enqueue(_frame(2 * BURST_PACKETS), Priority.VIDEO, 0)
    all_us = 2 * BURST_PACKETS * _PACKET_US

    assert pacer.backlog_bytes == 2 * BURST_PACKETS * _SIZE_BYTES
    assert pacer.backlog_us(0) == all_us

    pacer.release(0)

    assert pacer.backlog_packets == BURST_PACKETS
    # The rest waits until the frame has been paid for, and then takes its own time.
    assert pacer.backlog_us(0) == all_us + BURST_PACKETS * _PACKET_US
    assert pacer.backlog_us(60_000_000) == BURST_PACKETS * _PACKET_US


def test_pacer_does_not_let_resends_count_as_frames_that_wait():
    pacer = Pacer(_PACING_BPS)
    pacer.enqueue(_frame(20, "r"), Priority.RETRANSMISSION, 0)
    assert (pacer.frame_bytes, pacer.backlog_us(0), pacer.backlog_packets) == (0, 0, 20)

    pacer.enqueue(_frame(4), Priority.VIDEO, 0)

    assert pacer.frame_bytes == 4 * _SIZE_BYTES
    assert pacer.backlog_us(0) == 4 * _PACKET_US


def test_pacer_does_not_let_resends_that_have_left_count_as_frames_that_wait():
    pacer = Pacer(_PACING_BPS)
    pacer.enqueue(_frame(2 * BURST_PACKETS), Priority.VIDEO, 0)
    pacer.release(0)
    backlog_us, due_at_us = pacer.backlog_us(0), pacer.next_wake_us()

    pacer.enqueue(_frame(RESENT_PACKETS, "r"), Priority.RETRANSMISSION, 0)
    pacer.release(0)

    assert pacer.backlog_us(0) == backlog_us
    # What the path carries is paid for all the same.
    assert pacer.next_wake_us() == due_at_us + RESENT_COST * RESENT_PACKETS * _PACKET_US


def test_pacer_without_backlog_wants_nothing():
    pacer = Pacer(_PACING_BPS)
    pacer.enqueue([], Priority.VIDEO, 0)
    pacer.enqueue([], Priority.RETRANSMISSION, 0)
    pacer.enqueue([], Priority.AUDIO, 0)

    assert pacer.next_wake_us() is None
    assert pacer.release(0) == []
    assert (pacer.backlog_us(0), pacer.backlog_bytes, pacer.backlog_packets) == (0, 0, 0)


@pytest.mark.parametrize(("factor", "waits"), [(4, 0.25), (0.5, 2)])
def test_pacer_follows_a_new_rate_with_what_is_not_paid_for(factor, waits):
    pacer = Pacer(_PACING_BPS)
    pacer.enqueue(_frame(2 * BURST_PACKETS), Priority.VIDEO, 0)
    pacer.release(0)
    now_us, due_at_us = 2000, pacer.next_wake_us()

    pacer.set_pacing(round(factor * _PACING_BPS), now_us)

    assert pacer.pacing_bps == factor * _PACING_BPS
    assert pacer.next_wake_us() == now_us + waits * (due_at_us - now_us)
    assert pacer.backlog_us(now_us) == waits * (due_at_us - now_us + BURST_PACKETS * _PACKET_US)


def test_pacer_follows_a_new_rate_with_resends():
    pacer = Pacer(_PACING_BPS)
    pacer.enqueue(_frame(2 * RESENT_PACKETS, "r"), Priority.RETRANSMISSION, 0)
    pacer.release(0)
    due_at_us = pacer.next_wake_us()

    pacer.set_pacing(2 * _PACING_BPS, 0)

    assert pacer.next_wake_us() == due_at_us // 2


def test_pacer_pays_nothing_back_at_a_new_rate():
    pacer = Pacer(_PACING_BPS)
    pacer.enqueue(_frame(2 * BURST_PACKETS), Priority.VIDEO, 0)
    pacer.release(0)
    due_at_us = pacer.next_wake_us()

    pacer.set_pacing(2 * _PACING_BPS, 60_000_000)

    assert pacer.next_wake_us() == due_at_us


@pytest.mark.parametrize(
    ("budget_bytes", "counts"),
    [
        pytest.param(None, [4, 4, 1], id="no budget"),
        pytest.param(4 * _SIZE_BYTES + 1, [4, 4], id="the burst that exceeds it is the last"),
        pytest.param(1, [4], id="a burst leaves however little is left"),
        pytest.param(0, [], id="nothing left, nothing leaves"),
        pytest.param(-5000, [], id="overdrawn"),
    ],
)
def test_pacer_keeps_a_budget(budget_bytes, counts):
    pacer = Pacer(_PACING_BPS)
    pacer.enqueue(_frame(9, "r"), Priority.RETRANSMISSION, 0)
    pacer.set_pacing(_PACING_BPS * 1_000_000, 0)

    assert len(pacer.release(0, budget_bytes)) == sum(counts)


def test_pacer_lets_audio_out_without_a_budget():
    pacer = Pacer(_PACING_BPS)
    pacer.enqueue(_frame(1), Priority.VIDEO, 0)
    pacer.enqueue(_frame(1, "a"), Priority.AUDIO, 0)

    assert _names(pacer.release(0, 0)) == ["a0"]


def test_pacer_gives_one_packet_alone_whatever_is_due():
    pacer = Pacer(_PACING_BPS)
    pacer.enqueue(_frame(2, "v"), Priority.VIDEO, 0)
    pacer.enqueue(_frame(2, "r"), Priority.RETRANSMISSION, 1000)

    released = []
    while packets := pacer.release_one(0):
        released += packets

    assert _names(released) == ["r0", "r1", "v0", "v1"]
    assert (pacer.backlog_packets, pacer.backlog_bytes, pacer.frame_bytes) == (0, 0, 0)
    assert pacer.next_wake_us() is None


def test_pacer_goes_on_after_packets_that_it_gave_alone():
    pacer = Pacer(_PACING_BPS)
    pacer.enqueue(_frame(2 * BURST_PACKETS), Priority.VIDEO, 0)
    pacer.release_one(0)

    assert len(pacer.release(0)) == BURST_PACKETS - 1
    assert pacer.frame_bytes == BURST_PACKETS * _SIZE_BYTES
    assert pacer.next_wake_us() == 2 * BURST_PACKETS * _PACKET_US
