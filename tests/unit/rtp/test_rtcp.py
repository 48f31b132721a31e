import pytest

from streamer.errors import RemoteProtocolError
from streamer.rtp import rtcp
from streamer.rtp.feedback import MAX_STATUSES
from streamer.rtp.requests import MAX_NACK_SEQUENCES
from streamer.rtp.rtcp import MAX_COMPOUND_BYTES

_PLI = rtcp.serialize_picture_loss(1, 2)
_RR = rtcp.serialize_receiver_report(1)
_EMPTY_FIR = bytes.fromhex("84 ce 0002 00000001 00000000")


def test_compound_gives_its_messages_in_order():
    data = _RR + rtcp.serialize_source_description(1, "x") + _PLI + rtcp.serialize_goodbye([1])

    messages = rtcp.parse_compound(data)

    assert [type(message) for message in messages] == [
        rtcp.ReceiverReport,
        rtcp.SourceDescription,
        rtcp.PictureLoss,
        rtcp.Goodbye,
    ]


def test_compound_may_begin_with_any_message():
    assert rtcp.parse_compound(_PLI) == [rtcp.PictureLoss(1, 2)]


def test_compound_keeps_the_good_messages_around_a_bad_one():
    first, bad, last = rtcp.parse_compound(_RR + _EMPTY_FIR + _PLI)

    assert first == rtcp.ReceiverReport(1)
    assert isinstance(bad, rtcp.Malformed)
    assert bad.packet_type == 206
    assert last == rtcp.PictureLoss(1, 2)


@pytest.mark.parametrize(
    ("rest", "complaint"),
    [
        (b"\x80", "header of 1 bytes"),
        (b"\x00\xce\x00\x00", "version 0"),
        (_PLI[:-1], "12 bytes with 11 left"),
    ],
)
def test_compound_keeps_what_came_before_its_framing_broke(rest, complaint):
    first, last = rtcp.parse_compound(_PLI + rest)

    assert first == rtcp.PictureLoss(1, 2)
    assert isinstance(last, rtcp.Malformed)
    assert last.packet_type is None
    assert complaint in last.reason


@pytest.mark.parametrize("data", [b"", b"\x80\xc9\x00", b"\x40\xc9\x00\x00", _PLI[:-4], bytes(MAX_COMPOUND_BYTES + 4)])
def test_compound_refuses_what_does_not_begin_with_a_message(data):
    with pytest.raises(RemoteProtocolError):
        rtcp.parse_compound(data)


def test_compound_of_the_longest_datagram_is_read():
    data = _PLI * (MAX_COMPOUND_BYTES // len(_PLI))

    assert len(rtcp.parse_compound(data)) == MAX_COMPOUND_BYTES // len(_PLI)


def _feedback_for(packets):
    return rtcp.serialize_transport_feedback(rtcp.TransportFeedback(1, 2, 0, 0, 0, (None,) * packets))


@pytest.mark.parametrize(
    ("within", "over"),
    [
        (_feedback_for(MAX_STATUSES - 1) + _feedback_for(1), _feedback_for(1)),
        (rtcp.serialize_nack(1, 2, range(MAX_NACK_SEQUENCES)), rtcp.serialize_nack(1, 2, [0])),
    ],
)
def test_compound_is_read_until_it_names_more_packets_than_a_report_can_mean(within, over):
    expected = rtcp.parse_compound(within)
    assert not any(isinstance(message, rtcp.Malformed) for message in expected)

    *before, last = rtcp.parse_compound(within + over + _PLI)

    assert before == expected
    assert isinstance(last, rtcp.Malformed)
    assert "packets" in last.reason


def test_compound_reads_past_kinds_that_nobody_reads():
    extended = bytes.fromhex("80 cf 0003 00000007 04000001 00000000")
    application = bytes.fromhex("85 cc 0002 00000001 41424344")
    pause = bytes.fromhex("89 cd 0002 00000001 00000002")

    messages = rtcp.parse_compound(extended + application + pause + _PLI)

    assert messages == [
        rtcp.ExtendedReport(7),
        rtcp.Unknown(204, 5),
        rtcp.Unknown(205, 9),
        rtcp.PictureLoss(1, 2),
    ]


def test_padding_is_taken_off_before_a_message_is_read():
    data = bytes.fromhex("a1 cd 0004 00000001 00000002 000a0000 00000004")

    assert rtcp.parse_compound(data) == [rtcp.Nack(1, 2, (10,))]


@pytest.mark.parametrize("data", ["a1 ce 0000", "a1 ce 0002 00000001 00000000", "a1 ce 0002 00000001 00000009"])
def test_padding_that_does_not_fit_is_malformed(data):
    (message,) = rtcp.parse_compound(bytes.fromhex(data))

    assert isinstance(message, rtcp.Malformed)
    assert "padding" in message.reason
