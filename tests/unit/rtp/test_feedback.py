import pytest

from streamer.errors import LocalProtocolError, RemoteProtocolError
from streamer.rtp import rtcp
from streamer.rtp.feedback import (
    MAX_STATUSES,
    FeedbackUnwrapper,
    TransportFeedback,
    parse_feedback,
    serialize_feedback,
)

# Sender 1, media 2.
_SSRCS = "00000001 00000002"


def _feedback(deltas, *, base_sequence=0, reference=0, feedback_count=0):
    return TransportFeedback(1, 2, base_sequence, reference, feedback_count, tuple(deltas))


def _deltas(body):
    return list(parse_feedback(bytes.fromhex(_SSRCS + body)).deltas)


def test_feedback_reads_its_head():
    # Base 0x1234, one packet, reference 0x00abcd (24 bits), count 7, a run of one small delta of 5.
    feedback = parse_feedback(bytes.fromhex(_SSRCS + "1234 0001 00abcd 07 2001 05"))

    assert feedback == _feedback([5], base_sequence=0x1234, reference=0xABCD, feedback_count=7)


@pytest.mark.parametrize(
    ("body", "deltas"),
    [
        # A run of three not received.
        ("0000 0003 000000 00 0003", [None, None, None]),
        # A run of two small deltas.
        ("0000 0002 000000 00 2002 01 ff", [1, 255]),
        # A run of two large deltas, one of them negative.
        ("0000 0002 000000 00 4002 0100 fffc", [256, -4]),
        # A one-bit vector: received, lost, received, and eleven that the count leaves out.
        ("0000 0003 000000 00 a800 01 02", [1, None, 2]),
        # A two-bit vector: small, large, lost.
        ("0000 0003 000000 00 d800 01 fffe", [1, -2, None]),
        # A run, then a vector that goes on behind it.
        ("0000 0009 000000 00 0007 b000 04 05", [None] * 7 + [4, 5]),
        # A run longer than the count.
        ("0000 0002 000000 00 3fff 01 02", [1, 2]),
        # Nothing to report.
        ("0000 0000 000000 00", []),
    ],
)
def test_feedback_reads_every_kind_of_chunk(body, deltas):
    assert _deltas(body) == deltas


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("0000 0001 0000", "14 bytes"),
        ("0000 0001 000000 00", "covers 0 of 1 packets"),
        ("0000 1000 000000 00 0fff", "covers 4095 of 4096 packets"),
        ("0000 1001 000000 00 1fff", "for 4097 packets"),
        ("0000 0001 000000 00 2001", "status 1 of packet 0"),
        ("0000 0002 000000 00 2002 01", "status 1 of packet 1"),
        ("0000 0001 000000 00 4001 01", "status 2 of packet 0"),
        ("0000 0001 000000 00 6001 0101", "status 3 of packet 0"),
    ],
)
def test_feedback_that_its_bytes_do_not_justify_is_refused(body, complaint):
    with pytest.raises(RemoteProtocolError, match=complaint):
        _deltas(body)


def test_feedback_whose_length_without_padding_is_not_whole_words_is_read():
    feedback = _feedback([1], base_sequence=9)
    assert len(serialize_feedback(feedback)) % 4 == 3

    data = rtcp.serialize_transport_feedback(feedback)

    assert len(data) % 4 == 0
    assert rtcp.parse_compound(data + rtcp.serialize_picture_loss(1, 2)) == [feedback, rtcp.PictureLoss(1, 2)]


def test_feedback_of_whole_words_is_not_padded():
    data = rtcp.serialize_transport_feedback(_feedback([1, 2]))

    assert not data[0] & 0x20
    assert rtcp.parse_compound(data) == [_feedback([1, 2])]


@pytest.mark.parametrize(
    "deltas",
    [
        [],
        [None] * 20,
        [0] * 2000,
        [None] * MAX_STATUSES,
        [255, 256, -1, None] * 30,
        [1, None] * 30,
        [1] * 13 + [-1],
        [32767, -32768],
    ],
)
def test_feedback_reads_back_what_was_written(deltas):
    assert parse_feedback(serialize_feedback(_feedback(deltas))).deltas == tuple(deltas)


@pytest.mark.parametrize("deltas", [[32768], [-32769], [None] * (MAX_STATUSES + 1)])
def test_feedback_serializer_refuses_what_does_not_fit(deltas):
    with pytest.raises(LocalProtocolError, match="feedback"):
        serialize_feedback(_feedback(deltas))


def test_first_delta_counts_from_the_reference_time_and_not_from_a_packet():
    unwrapper = FeedbackUnwrapper()

    # 3 x 64 ms + 8 x 250 us, then 4 x 250 us more.
    arrivals = unwrapper.unwrap(_feedback([8, 4], reference=3), newest_index=1)

    assert arrivals == [(0, 194_000), (1, 195_000)]


def test_arrivals_of_two_reports_lie_on_one_axis():
    unwrapper = FeedbackUnwrapper()

    first = unwrapper.unwrap(_feedback([255], reference=10), newest_index=1)
    second = unwrapper.unwrap(_feedback([3], base_sequence=1, reference=11), newest_index=1)

    # The reference went on by 64 ms: the difference is 64 ms + (3 - 255) x 250 us.
    assert second[0][1] - first[0][1] == 64_000 - 252 * 250


def test_lost_packet_does_not_break_the_chain_of_deltas():
    arrivals = FeedbackUnwrapper().unwrap(_feedback([4, None, 4]), newest_index=2)

    assert arrivals == [(0, 1000), (1, None), (2, 2000)]


def test_negative_delta_goes_back_in_time():
    arrivals = FeedbackUnwrapper().unwrap(_feedback([8, -4]), newest_index=1)

    assert arrivals == [(0, 2000), (1, 1000)]


def test_total_loss_is_reported_packet_by_packet():
    arrivals = FeedbackUnwrapper().unwrap(_feedback([None] * 20, base_sequence=5), newest_index=24)

    assert arrivals == [(index, None) for index in range(5, 25)]


def test_reference_time_wraps_after_twelve_days():
    unwrapper = FeedbackUnwrapper()

    before = unwrapper.unwrap(_feedback([0], reference=0xFFFFFF), newest_index=0)
    after = unwrapper.unwrap(_feedback([0], reference=0), newest_index=0)

    assert after[0][1] - before[0][1] == 64_000


def test_reference_time_of_a_report_that_was_overtaken_goes_back_across_the_wrap():
    unwrapper = FeedbackUnwrapper()

    newer = unwrapper.unwrap(_feedback([0], reference=0), newest_index=0)
    older = unwrapper.unwrap(_feedback([0], reference=0xFFFFFF), newest_index=0)

    assert newer[0][1] - older[0][1] == 64_000


@pytest.mark.parametrize(
    ("base_sequence", "newest_index", "first_index"),
    [
        (0, 0, 0),
        (65534, 65537, 65534),
        (0, 65537, 65536),
        (10, 200_000, 196_618),
        # A base right behind the newest is a whole round behind it.
        (5, 65540, 5),
    ],
)
def test_sequences_are_read_as_the_newest_that_were_sent(base_sequence, newest_index, first_index):
    arrivals = FeedbackUnwrapper().unwrap(_feedback([0], base_sequence=base_sequence), newest_index)

    assert arrivals == [(first_index, 0)]


def test_sequences_wrap_within_a_report():
    arrivals = FeedbackUnwrapper().unwrap(_feedback([0, 0, 0], base_sequence=65535), newest_index=65540)

    assert [index for index, _ in arrivals] == [65535, 65536, 65537]


def test_packets_that_were_never_sent_are_left_out():
    arrivals = FeedbackUnwrapper().unwrap(_feedback([0] * 100, base_sequence=8), newest_index=9)

    assert [index for index, _ in arrivals] == [8, 9]
