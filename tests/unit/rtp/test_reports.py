from dataclasses import replace

import pytest

from streamer.errors import LocalProtocolError
from streamer.rtp import rtcp

_BLOCK = rtcp.ReportBlock(
    ssrc=1,
    fraction_lost=255,
    cumulative_lost_packets=-2,
    highest_sequence=70_000,
    jitter_ticks=90,
    last_sender_report=0x00010000,
    delay_since_last_sender_report=0x8000,
)


def test_sender_report_has_the_layout_of_rfc_3550():
    data = rtcp.serialize_sender_report(
        ssrc=0x01020304, ntp=5 << 32 | 6, rtp_timestamp=7, packet_count=8, octet_count=9
    )

    assert data == bytes.fromhex("80 c8 0006 01020304 00000005 00000006 00000007 00000008 00000009")


def test_sender_report_counts_wrap():
    data = rtcp.serialize_sender_report(
        ssrc=1, ntp=2, rtp_timestamp=3, packet_count=(1 << 32) + 4, octet_count=(1 << 32) + 5, blocks=[_BLOCK]
    )

    assert rtcp.parse_compound(data) == [rtcp.SenderReport(1, 2, 3, 4, 5, (_BLOCK,))]


@pytest.mark.parametrize("lost", [0, 1, 0x7FFFFF, -1, -0x800000])
def test_receiver_report_keeps_the_sign_of_the_loss(lost):
    block = replace(_BLOCK, cumulative_lost_packets=lost)

    data = rtcp.serialize_receiver_report(9, [block, _BLOCK])

    assert rtcp.parse_compound(data) == [rtcp.ReceiverReport(9, (block, _BLOCK))]


def test_receiver_report_may_end_with_extensions_of_a_profile():
    data = bytes.fromhex("80 c9 0002 00000009 12345678")

    assert rtcp.parse_compound(data) == [rtcp.ReceiverReport(9)]


@pytest.mark.parametrize(
    ("now_ntp", "rtt_us"),
    [
        # The sender report left at 1 s and was held for half a second.
        (2 << 32, 500_000),
        ((1 << 32) + (1 << 31), 0),
        # The answer came before the question: a clock that was set back.
        (1 << 32, None),
    ],
)
def test_report_block_yields_the_round_trip(now_ntp, rtt_us):
    assert _BLOCK.rtt_us(now_ntp) == rtt_us


def test_report_block_yields_the_round_trip_across_the_wrap_of_its_clock():
    last = rtcp.ReportBlock(1, 0, 0, 0, 0, 0xFFFFC000, 0x4000)

    # The middle bits are 0 when half a second has passed since 0xffffc000 + 0x4000.
    assert last.rtt_us(0x8000 << 16) == 500_000


def test_report_block_without_a_sender_report_yields_no_round_trip():
    assert rtcp.ReportBlock(1, 0, 0, 0, 0, 0, 0).rtt_us(5 << 32) is None


@pytest.mark.parametrize("cname", ["", "a", "ab", "abc", "abcd", "x" * 255, "größe"])
def test_source_description_carries_a_name_of_any_length(cname):
    data = rtcp.serialize_source_description(7, cname)

    assert len(data) % 4 == 0
    assert rtcp.parse_compound(data) == [rtcp.SourceDescription(((7, cname),))]


def test_source_description_reads_every_chunk_and_skips_other_items():
    chunks = "00000001 02 01 41 01 01 42 00 00" + "00000002 00 000000"
    data = bytes.fromhex("82 ca 0005" + chunks)

    assert rtcp.parse_compound(data) == [rtcp.SourceDescription(((1, "B"), (2, None)))]


@pytest.mark.parametrize("reason", ["", "bye", "done", "x" * 255])
def test_goodbye_carries_sources_and_reason(reason):
    data = rtcp.serialize_goodbye([1, 2], reason)

    assert rtcp.parse_compound(data) == [rtcp.Goodbye((1, 2), reason or None)]


def test_serializers_refuse_what_the_header_cannot_count():
    with pytest.raises(LocalProtocolError, match="32 report blocks"):
        rtcp.serialize_receiver_report(1, [_BLOCK] * 32)
    with pytest.raises(LocalProtocolError, match="32 sources"):
        rtcp.serialize_goodbye(range(32))
    with pytest.raises(LocalProtocolError, match="256 bytes"):
        rtcp.serialize_source_description(1, "x" * 256)


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        ("80 c8 0005 00000001 0000000000000000 00000000 00000000", "a sender report of 20 bytes"),
        ("80 c8 0000", "has no word"),
        ("81 c9 0001 00000001", "1 report blocks in 0 bytes"),
        ("81 ca 0000", "has no word"),
        ("81 ca 0002 00000001 01054142", "cut off"),
        ("81 ca 0002 00000001 01024142", "does not end"),
        ("81 ca 0002 00000001 02014101", "cut off"),
        ("82 cb 0001 00000001", "has no word"),
        ("81 cb 0002 00000001 04414243", "a goodbye reason of 4 bytes has 3"),
        ("80 cf 0000", "has no word"),
    ],
)
def test_report_that_makes_no_sense_says_why(data, complaint):
    (message,) = rtcp.parse_compound(bytes.fromhex(data))

    assert isinstance(message, rtcp.Malformed)
    assert complaint in message.reason
