import asyncio

import pytest

from streamer.clock import SystemClock
from streamer.errors import LocalProtocolError
from streamer.media.trace import Stage
from streamer.rtp.extensions import (
    ABS_CAPTURE_TIME,
    ABS_SEND_TIME,
    MID,
    PLAYOUT_DELAY,
    TRANSPORT_WIDE_CC,
    VIDEO_EXTENSIONS,
)
from streamer.rtp.rtcp import SenderReport, parse_compound
from streamer.transport.sdp import shape_offer
from tests.loopback.viewer import (
    SIZE,
    Clip,
    Observer,
    Viewer,
    extension_values,
    is_media,
    join,
    make_peer,
    peer_settings,
    play,
    repaired_sequences,
    until,
)

IDS = {uri: number for number, uri in enumerate(VIDEO_EXTENSIONS, start=1)}
NTP_EPOCH_S = 2_208_988_800


@pytest.mark.parametrize("codec", ["h264", "vp8"])
async def test_frames_arrive_and_decode(codec):
    observer, viewer = Observer(), Viewer()
    peer = make_peer(observer, peer_settings((codec,)))
    try:
        await join(peer, viewer)
        await play(peer, Clip(codec), 12)
        # aiortc's jitter buffer holds the newest frame back.
        await until(lambda: len(viewer.pictures) >= 10)
    finally:
        await peer.close()
        await viewer.close()

    assert observer.codecs == [codec]
    assert set(viewer.pictures) == {(SIZE.width_px, SIZE.height_px)}
    assert observer.failures == []


async def test_every_packet_has_the_header_extensions_of_the_offer(joined):
    peer, viewer = joined
    frames = await play(peer, Clip(), 3)
    count = sum(len(frame.payloads) for frame in frames)
    await until(lambda: len(viewer.packets) == count)

    values = [extension_values(packet) for packet in viewer.packets]
    numbers = [int.from_bytes(value[IDS[TRANSPORT_WIDE_CC]], "big") for value in values]
    assert numbers == list(range(count))
    assert all(value[IDS[PLAYOUT_DELAY]] == bytes(3) for value in values)
    assert all(value[IDS[MID]] == b"0" for value in values)
    assert all(len(value[IDS[ABS_SEND_TIME]]) == 3 for value in values)
    assert [index for index, value in enumerate(values) if IDS[ABS_CAPTURE_TIME] in value] == [0]


async def test_abs_capture_time_is_when_the_frame_was_captured(joined):
    peer, viewer = joined
    clock = SystemClock()
    capture_us = clock.now_us() - 250_000
    wall_us = clock.wall_us() - 250_000
    peer.video.offer(Clip().frame(capture_us, keyframe=True))
    await until(lambda: bool(viewer.packets))

    value = extension_values(viewer.packets[0])[IDS[ABS_CAPTURE_TIME]]
    ntp = int.from_bytes(value[:8], "big")
    captured_us = (ntp >> 32) * 1_000_000 + (((ntp & 0xFFFFFFFF) * 1_000_000) >> 32) - NTP_EPOCH_S * 1_000_000
    assert value[8:] == bytes(8)
    # The two clocks cannot be read at the same instant; 5 s would be a wrong clock, not a late one.
    assert abs(captured_us - wall_us) < 5_000_000


async def test_timestamps_advance_with_the_capture_time_at_90_khz(joined):
    peer, viewer = joined
    clip = Clip()
    now_us = SystemClock().now_us()
    for capture_us in (now_us, now_us + 16_667, now_us + 1_000_000):
        peer.video.offer(clip.frame(capture_us, keyframe=capture_us == now_us))
    await until(lambda: sum(packet.marker for packet in viewer.packets) == 3)

    stamps = list(dict.fromkeys(packet.timestamp for packet in viewer.packets))
    # 16 667 us are 1500.03 ticks: both instants are rounded down.
    assert (stamps[1] - stamps[0]) % (1 << 32) in (1500, 1501)
    assert (stamps[2] - stamps[0]) % (1 << 32) == 90_000


async def test_sender_reports_pair_the_rtp_clock_with_the_wall_clock(joined):
    peer, viewer = joined
    reports: list[SenderReport] = []
    handle = viewer.dtls._handle_rtcp_data

    async def record(data: bytes) -> None:
        reports.extend(message for message in parse_compound(data) if isinstance(message, SenderReport))
        await handle(data)

    viewer.dtls._handle_rtcp_data = record
    await until(lambda: len(reports) >= 2)

    ntp_us = ((reports[1].ntp - reports[0].ntp) * 1_000_000) >> 32
    rtp_us = ((reports[1].rtp_timestamp - reports[0].rtp_timestamp) % (1 << 32)) * 100 // 9
    # Each pair is read in two calls; a clock that runs at another pace would be off by far more than 50 ms.
    assert abs(ntp_us - rtp_us) < 50_000
    assert reports[0].ssrc == peer.video._ssrc


async def test_trace_is_stamped_when_the_last_datagram_left(joined):
    peer, _ = joined

    frames = await play(peer, Clip(), 2)

    stamps = [frame.trace.at_us(Stage.SEND) for frame in frames]
    assert all(stamp is not None and stamp >= frame.capture_us for stamp, frame in zip(stamps, frames, strict=True))


async def test_delta_frames_before_the_first_keyframe_are_not_sent(joined, observer):
    peer, viewer = joined
    clip = Clip()
    clip.frame(0)
    peer.video.offer(clip.frame(SystemClock().now_us()))
    assert peer.statistics().frames == 0
    assert peer.video.wish().keyframe

    peer.video.offer(clip.frame(SystemClock().now_us(), keyframe=True))
    await until(lambda: bool(viewer.packets))

    assert peer.statistics().frames == peer.statistics().keyframes == 1
    assert not peer.video.wish().keyframe
    assert observer.keyframes_wanted >= 1


async def test_frames_before_the_connection_are_ignored(peer):
    peer.video.offer(Clip().frame(SystemClock().now_us(), keyframe=True))

    assert peer.statistics().frames == 0
    assert not peer.video.wish().keyframe


async def test_frame_of_another_codec_is_refused(joined):
    peer, _ = joined

    with pytest.raises(LocalProtocolError, match="vp8"):
        peer.video.offer(Clip("vp8").frame(SystemClock().now_us()))


async def test_lost_datagrams_are_repaired_by_retransmission(joined):
    peer, viewer = joined
    # One encoder: a second one would begin with a keyframe, before which nothing is resent.
    clip = Clip()
    await play(peer, clip, 1)
    counted = 0

    def every_seventh(data: bytes) -> bool:
        nonlocal counted
        if not is_media(data) or data[1] & 0x7F != 96:
            return False
        counted += 1
        return counted % 7 == 3

    viewer.should_drop = every_seventh
    await play(peer, clip, 20)
    viewer.should_drop = lambda _: False
    await play(peer, clip, 2)

    await until(
        lambda: viewer.datagrams_dropped > 0 and len(repaired_sequences(viewer, 97)) >= viewer.datagrams_dropped
    )
    sent = {packet.sequence for packet in viewer.streams(96)} | repaired_sequences(viewer, 97)
    first = min(sent)
    assert sent == set(range(first, first + len(sent)))
    assert peer.statistics().packets_retransmitted >= viewer.datagrams_dropped


async def test_renegotiation_does_not_restart_the_stream(joined):
    peer, viewer = joined
    clip = Clip()
    await play(peer, clip, 2)
    await until(lambda: sum(packet.marker for packet in viewer.packets) == 2)
    ssrc, last = viewer.packets[-1].ssrc, viewer.packets[-1].sequence

    await peer._connection.setLocalDescription()
    again = shape_offer(peer._connection.localDescription.sdp, peer._formats)
    await peer.answer(await viewer.answer(again))
    await asyncio.gather(*(task for task in asyncio.all_tasks() if "__connect" in repr(task)))
    await play(peer, clip, 1)
    await until(lambda: sum(packet.marker for packet in viewer.packets) == 3)

    following = [packet for packet in viewer.packets if packet.sequence == (last + 1) & 0xFFFF]
    assert [packet.ssrc for packet in following] == [ssrc]
    assert peer.statistics().keyframes == 1
