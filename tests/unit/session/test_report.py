from streamer.media.frame import EncodedFrame, Resolution
from streamer.media.trace import FrameTrace, Stage
from streamer.session.report import StreamReport
from streamer.transport.base import PeerStatistics

SECOND_US = 1_000_000


def traced(*durations_us: int) -> EncodedFrame:
    trace, at_us = FrameTrace(), 5_000
    trace.stamp(Stage.CAPTURE, at_us)
    for stage, duration_us in zip(
        (Stage.CONVERT, Stage.ENCODE, Stage.PACKETIZE, Stage.SEND), durations_us, strict=True
    ):
        at_us += duration_us
        trace.stamp(stage, at_us)
    return EncodedFrame("vp8", b"", is_keyframe=False, capture_us=5_000, resolution=Resolution(2, 2), trace=trace)


def test_report_counts_from_the_last_one():
    report = StreamReport(PeerStatistics(bytes_sent=1_000_000), now_us=0)

    first = report.close(PeerStatistics(bytes_sent=1_125_000, frames=60), 8_000_000, SECOND_US)
    second = report.close(PeerStatistics(bytes_sent=1_250_000, frames=120), 8_000_000, 3 * SECOND_US)

    assert (first.sent_bps, second.sent_bps) == (1_000_000, 500_000)
    assert (first.frames, second.frames) == (60, 120)
    assert second.target_bps == 8_000_000


def test_report_gives_the_median_of_each_stage_by_its_name():
    report = StreamReport(PeerStatistics(), now_us=0)
    for encode_us in (3_000, 90_000, 5_000):
        report.offered(traced(200, encode_us, 40, 700))

    statistics = report.close(PeerStatistics(), 1, SECOND_US)
    after = report.close(PeerStatistics(), 1, 2 * SECOND_US)

    assert statistics.stages_us == {"convert": 200, "encode": 5_000, "packetize": 40, "send": 700}
    assert after.stages_us == {}


def test_report_of_no_time_at_all_is_one():
    report = StreamReport(PeerStatistics(), now_us=7)

    assert report.close(PeerStatistics(bytes_sent=0), 1, 7).sent_bps == 0
