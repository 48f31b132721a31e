import pytest

from streamer.congestion.pacer import BURST_PACKETS, DEFAULT_FLOOR_BPS, MAX_LATE_US, Pacer, Priority

# 1250 bytes are 10 kbit: at 10 Mbit/s one leaves in a millisecond.
_SIZE_BYTES = 1250
_PACKET_US = 1000
_TARGET_BPS = 5_000_000


class _Packet:
    def __init__(self, name, size_bytes=_SIZE_BYTES):
        self.name = name
        self.size_bytes = size_bytes


def _frame(count, name="v"):
    return [_Packet(f"{name}{number}") for number in range(count)]


def _pacer():
    """Make a pacer of 10 Mbit/s."""
    return Pacer(_TARGET_BPS, ratio=2.0, floor_bps=1)


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
    pacer = _pacer()

    pacer.enqueue_frame(_frame(count), 5_000_000)

    assert pacer.next_wake_us() == 5_000_000
    assert len(pacer.release(5_000_000)) == count
    assert pacer.next_wake_us() is None


def test_pacer_releases_a_short_frame_at_once_right_after_another():
    pacer = _pacer()
    pacer.enqueue_frame(_frame(16), 0)
    pacer.release(0)

    pacer.enqueue_frame(_frame(16), 1)

    assert len(pacer.release(1)) == 16


def test_pacer_releases_a_long_frame_in_bursts_at_the_pacing_rate():
    pacer = _pacer()

    pacer.enqueue_frame(_frame(40), 0)

    # A later burst leaves when its own packets have been earned.
    assert _drain(pacer) == [(0, 16), (16 * _PACKET_US, 16), (24 * _PACKET_US, 8)]


@pytest.mark.parametrize(("target_bps", "fps"), [(9_000_000, 60), (25_000_000, 60), (50_000_000, 60), (20_000_000, 30)])
def test_pacer_sends_a_frame_of_its_share_within_half_a_frame_interval(target_bps, fps):
    pacer = Pacer(target_bps)
    packets = [_Packet("v", 1200) for _ in range(target_bps // fps // 8 // 1200)]

    pacer.enqueue_frame(packets, 0)

    assert _drain(pacer)[-1][0] <= 1_000_000 // fps // 2


def test_pacer_does_not_fall_behind_when_timers_are_late():
    pacer = _pacer()
    pacer.enqueue_frame(_frame(96), 0)

    schedule = _drain(pacer, late_us=1000)

    # The first burst needs no timer; each later one is late by its own timer alone.
    assert [at_us for at_us, _ in schedule] == [index * 16 * _PACKET_US + 1000 for index in range(6)]


def test_pacer_earns_no_flood_from_a_long_stall():
    pacer = Pacer(50_000_000, ratio=2.0)
    pacer.enqueue_frame(_frame(200), 0)
    pacer.release(0)

    released = pacer.release(10_000_000)

    # One burst that was due, and what 4 ms earn at 100 Mbit/s: 40 packets, in whole bursts.
    assert len(released) == 16 + 32
    assert MAX_LATE_US == 4000


def test_pacer_lets_audio_pass_before_everything():
    pacer = _pacer()
    pacer.enqueue_frame(_frame(20), 0)
    pacer.release(0)

    pacer.enqueue(_frame(1, "a"), Priority.AUDIO, 10)

    assert pacer.next_wake_us() == 10
    assert _names(pacer.release(10)) == ["a0"]
    assert pacer.backlog_packets == 4


def test_pacer_releases_retransmissions_before_video_and_padding_last():
    pacer = _pacer()
    pacer.enqueue_frame(_frame(1, "first"), 0)
    pacer.enqueue(_frame(1, "p"), Priority.PADDING, 0)
    pacer.enqueue_frame(_frame(1, "v"), 0)
    pacer.enqueue(_frame(1, "r"), Priority.RETRANSMISSION, 0)
    pacer.enqueue(_frame(1, "a"), Priority.AUDIO, 0)

    released = pacer.release(0)
    for now_us in (1000, 2000, 3000):
        released += pacer.release(now_us)

    assert _names(released) == ["a0", "r0", "first0", "v0", "p0"]


def test_pacer_lets_one_retransmission_out_sooner_than_the_burst_it_overtakes():
    pacer = _pacer()
    pacer.enqueue_frame(_frame(32), 0)
    pacer.release(0)

    pacer.enqueue(_frame(1, "r"), Priority.RETRANSMISSION, 0)

    assert pacer.next_wake_us() == _PACKET_US
    assert _names(pacer.release(_PACKET_US)) == ["r0"]
    # The video behind it pays for that packet.
    assert pacer.next_wake_us() == 17 * _PACKET_US


def test_pacer_keeps_frames_in_order_and_apart():
    pacer = _pacer()

    pacer.enqueue_frame(_frame(17, "a"), 0)
    pacer.enqueue_frame(_frame(2, "b"), 0)

    assert len(pacer.release(0)) == 16
    assert _names(pacer.release(1000)) == ["a16"]
    assert _names(pacer.release(3000)) == ["b0", "b1"]


def test_pacer_reports_its_backlog_as_bytes_packets_and_time():
    pacer = _pacer()
    pacer.enqueue_frame(_frame(40), 0)

    assert pacer.backlog_bytes == 40 * _SIZE_BYTES
    assert pacer.backlog_us(0) == 24 * _PACKET_US

    pacer.release(0)

    assert pacer.backlog_packets == 24
    assert pacer.backlog_us(0) == 24 * _PACKET_US
    assert pacer.backlog_us(10 * _PACKET_US) == 14 * _PACKET_US
    assert pacer.backlog_us(1_000_000) == 0


def test_pacer_without_backlog_wants_nothing():
    pacer = _pacer()
    pacer.enqueue_frame([], 0)
    pacer.enqueue([], Priority.AUDIO, 0)

    assert pacer.next_wake_us() is None
    assert pacer.release(0) == []
    assert (pacer.backlog_us(0), pacer.backlog_bytes, pacer.backlog_packets) == (0, 0, 0)


def test_pacer_follows_a_new_target_with_what_waits():
    pacer = _pacer()
    pacer.enqueue_frame(_frame(32), 0)
    pacer.release(0)

    pacer.set_target(2 * _TARGET_BPS)

    assert pacer.next_wake_us() == 8 * _PACKET_US


def test_pacer_never_paces_below_its_floor():
    pacer = Pacer(100_000)

    assert pacer.pacing_bps == DEFAULT_FLOOR_BPS


def test_pacer_releases_everything_that_it_was_given():
    pacer = _pacer()
    given = []
    for index in range(30):
        frame = _frame(index * 3 % 40, f"f{index}-")
        given += frame
        pacer.enqueue_frame(frame, index * 100)
    released = []
    while (wake_us := pacer.next_wake_us()) is not None:
        released += pacer.release(wake_us)

    assert released == given
