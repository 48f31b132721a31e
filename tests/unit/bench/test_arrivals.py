from streamer.bench.arrivals import StreamArrivals, TransportArrivals
from streamer.rtp.feedback import FeedbackUnwrapper, parse_feedback, serialize_feedback
from streamer.rtp.reports import SenderReport


def told(arrivals: TransportArrivals, unwrapper: FeedbackUnwrapper, newest: int) -> list[tuple[int, int | None]]:
    """What the sender reads from the next report."""
    feedback = arrivals.report(media_ssrc=2)
    assert feedback is not None
    return unwrapper.unwrap(parse_feedback(serialize_feedback(feedback)), newest)


def test_feedback_tells_the_sender_what_arrived_and_when():
    arrivals, unwrapper = TransportArrivals(1), FeedbackUnwrapper()
    arrivals.note(10, 1_000_000)
    arrivals.note(11, 1_001_000)
    arrivals.note(13, 1_005_500)

    received = told(arrivals, unwrapper, 13)

    instants = [at_us for _, at_us in received if at_us is not None]
    assert [index for index, _ in received] == [10, 11, 12, 13]
    assert received[2][1] is None
    assert [at_us - instants[0] for at_us in instants] == [0, 1_000, 5_500]


def test_feedback_names_packets_lost_between_two_reports():
    arrivals, unwrapper = TransportArrivals(1), FeedbackUnwrapper()
    arrivals.note(65_535, 1_000_000)
    told(arrivals, unwrapper, 65_535)
    arrivals.note(2, 1_070_000)

    received = told(arrivals, unwrapper, 65_538)

    assert [(index, at_us is not None) for index, at_us in received] == [
        (65_536, False),
        (65_537, False),
        (65_538, True),
    ]


def test_feedback_is_silent_when_nothing_arrived():
    arrivals = TransportArrivals(1)
    arrivals.note(1, 5)

    arrivals.report(2)

    assert arrivals.report(2) is None


def test_stream_counts_lost_packets_and_doubles_once():
    stream = StreamArrivals(7)
    for sequence in (65_534, 65_535, 1, 1, 2):
        stream.note(sequence)

    assert (stream.expected, stream.received, stream.lost) == (5, 4, 1)


def test_stream_counts_right_over_many_packets():
    stream = StreamArrivals(7)
    for index in range(50_000):
        if index % 100:
            stream.note(index % 65_536)

    assert (stream.expected, stream.lost) == (49_999, 499)


def test_report_block_lets_the_sender_compute_the_round_trip():
    stream = StreamArrivals(7)
    stream.note(1)
    sent_ntp = 3_900_000_000 << 32
    stream.sender_reported(SenderReport(7, sent_ntp, 0, 1, 1), now_us=2_000_000)

    block = stream.block(now_us=2_500_000)

    back_ntp = sent_ntp + (2**32 * 540 // 1000)
    rtt_us = block.rtt_us(back_ntp)
    assert rtt_us is not None
    assert abs(rtt_us - 40_000) < 100
