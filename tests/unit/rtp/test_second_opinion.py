"""Another implementation reads what we write: a mistake shared by our own writer and parser would show here."""

import pytest
from aiortc import rtp as other
from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpParameters

from streamer.rtp import extensions as ext
from streamer.rtp import rtcp
from streamer.rtp.header import HeadWriter


def test_sender_report_and_description_are_read_by_another_implementation():
    data = rtcp.serialize_sender_report(ssrc=1, ntp=1 << 40, rtp_timestamp=3, packet_count=4, octet_count=5)

    report, description, goodbye = other.RtcpPacket.parse(
        data + rtcp.serialize_source_description(1, "name") + rtcp.serialize_goodbye([1])
    )

    assert report.ssrc == 1
    assert report.sender_info == other.RtcpSenderInfo(1 << 40, 3, 4, 5)
    assert description.chunks == [other.RtcpSourceInfo(ssrc=1, items=[(1, b"name")])]
    assert goodbye.sources == [1]


def test_requests_are_read_by_another_implementation():
    nack, loss, remb = other.RtcpPacket.parse(
        rtcp.serialize_nack(1, 2, [10, 11, 40]) + rtcp.serialize_picture_loss(1, 2) + rtcp.serialize_remb(1, 1000, [2])
    )

    assert (nack.fmt, nack.ssrc, nack.media_ssrc, nack.lost) == (1, 1, 2, [10, 11, 40])
    assert (loss.fmt, loss.ssrc, loss.media_ssrc) == (1, 1, 2)
    assert other.unpack_remb_fci(remb.fci) == (1000, [2])


def test_reports_of_another_implementation_are_read():
    block = other.RtcpReceiverInfo(
        ssrc=2, fraction_lost=3, packets_lost=-4, highest_sequence=5, jitter=6, lsr=7, dlsr=8
    )
    data = bytes(other.RtcpRrPacket(ssrc=1, reports=[block])) + bytes(other.RtcpByePacket(sources=[1]))

    assert rtcp.parse_compound(data) == [
        rtcp.ReceiverReport(1, (rtcp.ReportBlock(2, 3, -4, 5, 6, 7, 8),)),
        rtcp.Goodbye((1,)),
    ]


@pytest.mark.parametrize("first_id", [1, 15])
def test_packet_and_extensions_are_read_by_another_implementation(first_id):
    ids = {ext.MID: first_id, ext.ABS_SEND_TIME: first_id + 1, ext.TRANSPORT_WIDE_CC: first_id + 2}
    writer = HeadWriter(96, 9, ids, "0")
    known = other.HeaderExtensionsMap()
    known.configure(
        RTCRtpParameters(
            headerExtensions=[RTCRtpHeaderExtensionParameters(id=number, uri=uri) for uri, number in ids.items()]
        )
    )
    buffer = bytearray(100)

    end = writer.write(buffer, 0, 65535, 7, 1_000_000, 513, marker=True)
    packet = other.RtpPacket.parse(bytes(buffer[:end]) + b"abc", known)

    assert (packet.payload_type, packet.marker, packet.sequence_number) == (96, 1, 65535)
    assert (packet.timestamp, packet.ssrc, packet.payload) == (7, 9, b"abc")
    assert packet.extensions.mid == "0"
    assert packet.extensions.abs_send_time == 1 << 18
    assert packet.extensions.transport_sequence_number == 513
