import random
from itertools import pairwise

import pytest

from streamer.bench.network.events import Events
from streamer.bench.network.packets import (
    PaddingPacket,
    ReceptionReport,
    ResentPacket,
    SenderTime,
    SentFrame,
    VideoPacket,
)
from streamer.bench.network.receiver import DecodableFrames, Receiver, ReceiverClock, Stall
from streamer.bench.network.recording import FrameRecord, StreamRecord
from streamer.rtp.feedback import FeedbackUnwrapper, TransportFeedback
from streamer.rtp.requests import Nack, PictureLoss

_SIZE_BYTES = 1_000


def _stream(*frames):
    """Return the packets of frames, each given as (packets, is_keyframe)."""
    packets, first = [], 0
    for number, (count, is_keyframe) in enumerate(frames):
        frame = SentFrame(number, first, count, FrameRecord(number, count * _SIZE_BYTES, is_keyframe))
        packets.append([VideoPacket(frame, first + at, _SIZE_BYTES) for at in range(count)])
        first += count
    return packets


def _numbers(frames):
    return [frame.number for frame in frames]


def test_frame_is_decodable_with_its_last_packet():
    frames = DecodableFrames()
    ((first, second, third),) = _stream((3, True))

    assert frames.take(first) == []
    assert frames.take(third) == []
    assert _numbers(frames.take(second)) == [0]


def test_delta_frame_waits_for_every_earlier_one():
    frames = DecodableFrames()
    key, (lost,), (next_,), (last,) = _stream((1, True), (1, False), (1, False), (1, False))
    frames.take(key[0])

    assert frames.take(next_) == []
    assert frames.take(last) == []
    assert _numbers(frames.take(lost)) == [1, 2, 3]


def test_keyframe_makes_what_is_missing_before_it_meaningless():
    frames = DecodableFrames()
    key, lost, behind, newer, after = _stream((1, True), (2, False), (1, False), (1, True), (1, False))
    frames.take(key[0])
    frames.take(lost[0])
    frames.take(behind[0])

    assert _numbers(frames.take(newer[0])) == [3]
    assert frames.take(lost[1]) == []
    assert _numbers(frames.take(after[0])) == [4]


def test_duplicates_do_no_harm():
    frames = DecodableFrames()
    key, lost, behind = _stream((1, True), (1, False), (1, False))
    frames.take(key[0])
    frames.take(behind[0])

    assert frames.take(key[0]) == []
    assert frames.take(behind[0]) == []
    assert _numbers(frames.take(lost[0])) == [1, 2]


def test_stall_asks_for_a_keyframe_after_150_ms_with_growing_pauses():
    stall = Stall()
    stall.decoded()

    asked_ms = [at_ms for at_ms in range(0, 3_000, 10) if stall.is_over_limit(at_ms * 1_000, 40_000)]

    assert asked_ms == [150, 450, 1_050, 2_250]


def test_stall_waits_for_as_long_as_a_repair_takes():
    stall = Stall()
    stall.decoded()

    asked_ms = [at_ms for at_ms in range(0, 1_000, 10) if stall.is_over_limit(at_ms * 1_000, 300_000)]

    assert asked_ms == [400, 700]


def test_stall_is_over_with_a_frame():
    stall = Stall()
    stall.decoded()
    stall.is_over_limit(0, 40_000)
    stall.is_over_limit(150_000, 40_000)

    stall.decoded()

    assert not stall.is_over_limit(200_000, 40_000)
    assert stall.is_over_limit(350_000, 40_000)


def test_decoder_that_starts_is_given_more_time():
    stall = Stall()
    stall.is_over_limit(0, 40_000)

    assert not stall.is_over_limit(499_999, 40_000)
    assert stall.is_over_limit(500_000, 40_000)


class _Sent:
    """A receiver and what it has sent, with when."""

    def __init__(self, clock=ReceiverClock()):  # noqa: B008 - a frozen value
        self.events = Events()
        self.messages = []
        self.record = StreamRecord("ours", 0, 60.0)
        self.receiver = Receiver(self.events, clock, self._take, lambda: 40_000, self.record, random.Random(1))
        self.number = 0

    def _take(self, message, size_bytes):
        assert size_bytes > 0
        self.messages.append((self.events.now_us, message))

    def at(self, at_us, packet):
        """Let a packet arrive; its transport-wide index is that of the order here."""
        number, self.number = self.number, self.number + 1
        self.events.at(at_us, lambda: self.receiver.received((number, packet), at_us))

    def of(self, kind):
        return [(at_us, message) for at_us, message in self.messages if isinstance(message, kind)]


def test_receiver_asks_for_a_gap_when_it_shows():
    sent = _Sent()
    ((first, _, third),) = _stream((3, True))
    sent.at(1_000, first)
    sent.at(2_000, third)

    sent.events.run_until(10_000)

    assert [(at_us, nack.sequences) for at_us, nack in sent.of(Nack)] == [(2_000, (1,))]


def test_receiver_asks_again_when_the_resend_is_lost_too():
    sent = _Sent()
    ((first, _, third),) = _stream((3, True))
    sent.at(1_000, first)
    sent.at(2_000, third)

    sent.events.run_until(250_000)

    # 100 ms later at the earliest, looked at every 20 ms.
    assert [at_us for at_us, _ in sent.of(Nack)] == [2_000, 120_000, 220_000]


def test_resent_packet_completes_its_frame():
    sent = _Sent()
    ((first, second, third),) = _stream((3, True))
    sent.at(1_000, first)
    sent.at(2_000, third)
    sent.at(42_000, ResentPacket(second))

    sent.events.run_until(500_000)

    assert first.frame.record.completed_at_us == 42_000
    assert len(sent.of(Nack)) == 1


def test_receiver_asks_for_a_keyframe_when_video_comes_and_no_picture():
    sent = _Sent()
    key, *others = _stream((1, True), *[(1, False)] * 60)
    sent.at(0, key[0])
    for number, (packet,) in enumerate(others[1:]):
        sent.at(20_000 + number * 10_000, packet)

    sent.events.run_until(400_000)

    assert [at_us for at_us, _ in sent.of(PictureLoss)] == [170_000]
    assert sent.record.keyframe_requests == 1


def test_receiver_reports_arrivals_in_its_own_time():
    sent = _Sent(ReceiverClock(offset_us=5_000_000, skew_ppm=100))
    ((first, second),) = _stream((2, True))
    sent.at(0, first)
    sent.at(100_000 - 1, second)

    sent.events.run_until(150_000)

    ((_, feedback),) = sent.of(TransportFeedback)
    arrivals = FeedbackUnwrapper().unwrap(feedback, newest_index=1)
    assert arrivals[1][1] - arrivals[0][1] == pytest.approx(100_010, abs=250)


def test_receiver_names_what_is_missing_in_its_feedback():
    sent = _Sent()
    ((first, _, third),) = _stream((3, True))
    sent.at(0, first)
    sent.number += 1
    sent.at(1_000, third)

    sent.events.run_until(150_000)

    ((_, feedback),) = sent.of(TransportFeedback)
    assert [delta is None for delta in feedback.deltas] == [False, True, False]


@pytest.mark.parametrize(
    ("rate_bps", "interval_us"), [(5_000_000, 50_000), (100_000, 108_800), (20_000, 250_000)], ids=str
)
def test_feedback_takes_a_twentieth_of_the_rate(rate_bps, interval_us):
    sent = _Sent()
    spacing_us = _SIZE_BYTES * 8_000_000 // rate_bps
    for at_us in range(0, 3_000_000, spacing_us):
        sent.at(at_us, PaddingPacket(_SIZE_BYTES))
    times = []
    sent.receiver._send = lambda message, _: (
        times.append(sent.events.now_us) if isinstance(message, TransportFeedback) else None
    )

    sent.events.run_until(3_000_000)

    intervals_us = [after - before for before, after in pairwise(times)][5:]
    # Those of an interval in which nothing came are left out.
    assert min(intervals_us) == pytest.approx(interval_us, rel=0.15)


def test_padding_is_reported_but_is_no_video():
    sent = _Sent()
    sent.at(0, PaddingPacket(_SIZE_BYTES))

    sent.events.run_until(150_000)

    assert len(sent.of(TransportFeedback)) == 1
    assert list(sent.record.received_bytes) == []


def test_receiver_reports_loss_and_the_way_to_the_round_trip():
    sent = _Sent()
    packets = [packet for frame in _stream(*[(1, True)] * 100) for packet in frame]
    for number, packet in enumerate(packets):
        if number % 10:
            sent.at(number * 1_000, packet)
    time = SenderTime(123)
    sent.events.at(500_000, lambda: sent.receiver.received(time, 500_000))

    sent.events.run_until(1_100_000)

    ((at_us, report),) = sent.of(ReceptionReport)
    assert report.loss_ratio == pytest.approx(0.09, abs=0.01)
    assert report.sender_time is time
    assert report.held_us == at_us - 500_000


def test_busy_receiver_notices_packets_late_and_in_order():
    sent = _Sent(ReceiverClock(late_us=2_000))
    packets = [packet for frame in _stream(*[(1, True)] * 80) for packet in frame]
    for number, packet in enumerate(packets):
        sent.at(number * 1_000, packet)

    sent.events.run_until(150_000)

    ((_, feedback),) = sent.of(TransportFeedback)
    arrivals = [at_us for _, at_us in FeedbackUnwrapper().unwrap(feedback, newest_index=len(packets))]
    assert arrivals == sorted(arrivals)
    delays_us = [at_us - number * 1_000 - arrivals[0] for number, at_us in enumerate(arrivals)]
    assert max(delays_us) - min(delays_us) > 1_000
