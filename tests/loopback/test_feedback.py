import json
from dataclasses import replace

import pytest

from streamer.clock import SystemClock
from streamer.congestion.replay import Entry, replay
from streamer.rtp.rtcp import (
    ReportBlock,
    TransportFeedback,
    serialize_full_intra_request,
    serialize_nack,
    serialize_picture_loss,
    serialize_receiver_report,
    serialize_transport_feedback,
)
from tests.loopback.viewer import Clip, is_media, make_peer, peer_settings, play, until

VIEWER_SSRC = 4711


def keyframe_requests(peer) -> dict[str, bytes]:
    ssrc = peer.video._ssrc
    return {
        "picture loss": serialize_picture_loss(VIEWER_SSRC, ssrc),
        "full intra request": serialize_full_intra_request(VIEWER_SSRC, [(ssrc, 1)]),
    }


@pytest.mark.parametrize("kind", ["picture loss", "full intra request"])
async def test_request_of_the_viewer_becomes_one_wish_for_a_keyframe(joined, observer, kind):
    peer, viewer = joined
    await play(peer, Clip(), 2)
    told = observer.keyframes_wanted
    assert not peer.video.wish().keyframe

    for _ in range(5):
        await viewer.send_rtcp(keyframe_requests(peer)[kind])
    await until(lambda: observer.keyframes_wanted > told)
    await play(peer, Clip(), 1)

    assert observer.keyframes_wanted == told + 1
    assert peer.statistics().keyframes == 2
    assert not peer.video.wish().keyframe


async def test_keyframe_captured_before_the_request_leaves_the_wish_open(joined, observer):
    peer, viewer = joined
    clip = Clip()
    await play(peer, clip, 1)
    early = clip.frame(SystemClock().now_us(), keyframe=True)
    told = observer.keyframes_wanted
    await viewer.send_rtcp(keyframe_requests(peer)["picture loss"])
    await until(lambda: observer.keyframes_wanted > told)

    peer.video.offer(early)

    await until(lambda: peer.video.wish().keyframe)


async def test_nack_of_a_packet_no_longer_held_becomes_a_wish_for_a_keyframe(joined, observer):
    peer, viewer = joined
    clip = Clip()
    await play(peer, clip, 1)
    await until(lambda: bool(viewer.packets))
    told = observer.keyframes_wanted
    # Forget what was sent, as time does.
    history = peer.video._stream.history
    history._ring = [None] * len(history._ring)

    await viewer.send_rtcp(serialize_nack(VIEWER_SSRC, peer.video._ssrc, [viewer.packets[-1].sequence]))

    await until(lambda: observer.keyframes_wanted > told)
    assert peer.statistics().packets_retransmitted == 0


async def test_viewer_without_rtx_gets_a_keyframe_instead_of_a_resend(peer, viewer, observer):
    offer = await peer.offer()
    answer = await viewer.answer(offer)
    lines = [line for line in answer.splitlines() if not line.startswith(("a=rtpmap:97 ", "a=fmtp:97 "))]
    await peer.answer("\r\n".join(lines) + "\r\n")
    await until(lambda: bool(observer.codecs))
    await play(peer, Clip(), 1)
    await until(lambda: bool(viewer.packets))
    told = observer.keyframes_wanted

    await viewer.send_rtcp(serialize_nack(VIEWER_SSRC, peer.video._ssrc, [viewer.packets[0].sequence]))

    await until(lambda: observer.keyframes_wanted > told)
    assert peer.statistics().packets_retransmitted == 0


async def test_arrival_reports_reach_the_rate_controller(observer, viewer):
    entries: list[Entry] = []
    peer = make_peer(observer, replace(peer_settings(), is_adaptive=True), entries.append)
    answer = await viewer.answer(await peer.offer())
    await peer.answer(answer.replace("a=rtcp-mux", "a=rtcp-fb:* transport-cc\r\na=rtcp-mux"))
    await until(lambda: bool(observer.codecs))
    await play(peer, Clip(), 2)
    await until(lambda: peer.statistics().packets_sent > 0)
    report = TransportFeedback(VIEWER_SSRC, peer.video._ssrc, 0, 5, 1, (4,) * peer.statistics().packets_sent)
    assert peer.statistics().decision.rtt_us is None

    await viewer.send_rtcp(serialize_receiver_report(VIEWER_SSRC) + serialize_transport_feedback(report))

    await until(lambda: peer.statistics().decision.rtt_us is not None)
    await peer.close()
    # What was told and decided can be told and decided again.
    replayed = replay(json.loads(json.dumps(entries)))
    assert replayed.is_same
    assert replayed.decisions[-1] == peer.statistics().decision


async def test_receiver_reports_give_loss_and_round_trip(joined):
    peer, viewer = joined
    block = ReportBlock(peer.video._ssrc, 0, 17, 0, 0, 0, 0)

    await viewer.send_rtcp(serialize_receiver_report(VIEWER_SSRC, [block]))
    await until(lambda: peer.statistics().packets_lost == 17)

    # The stock receiver reports about once a second, with the times of our own reports in it.
    await play(peer, Clip(), 2)
    await until(lambda: peer.statistics().rtt_us is not None)


async def test_malformed_rtcp_is_counted_and_harms_nobody(joined, observer):
    peer, viewer = joined
    await play(peer, Clip(), 1)
    told = observer.keyframes_wanted

    await viewer.send_rtcp(b"\x80\xc9\x00\x09" + bytes(8))
    await viewer.send_rtcp(b"\x8f\xcd\x00\x03" + bytes(12))
    await until(lambda: peer.malformed_rtcp == 2)
    await viewer.send_rtcp(keyframe_requests(peer)["picture loss"])

    await until(lambda: observer.keyframes_wanted > told)
    assert observer.failures == []


async def test_outage_ends_with_a_keyframe_when_resends_would_cost_more(joined, observer):
    peer, viewer = joined
    await play(peer, Clip(bit_rate=8_000_000), 1)
    viewer.should_drop = is_media
    await play(peer, Clip(bit_rate=8_000_000), 40)
    told = observer.keyframes_wanted
    viewer.should_drop = lambda _: False
    newest = peer.video._stream.history.newest_index
    lost = [(newest - back) & 0xFFFF for back in reversed(range(viewer.datagrams_dropped))]

    await viewer.send_rtcp(serialize_nack(VIEWER_SSRC, peer.video._ssrc, lost))

    await until(lambda: observer.keyframes_wanted > told)
    assert viewer.datagrams_dropped > 100


async def test_more_reports_than_any_browser_sends_are_not_read(joined):
    peer, viewer = joined
    await play(peer, Clip(), 1)
    malformed = b"\x80\xc9\x00\x09" + bytes(8)

    for _ in range(1_000):
        await viewer.send_rtcp(malformed)
    await until(lambda: peer.malformed_rtcp >= 500)

    assert peer.malformed_rtcp < 900


async def test_frames_that_wait_too_long_give_way_to_a_keyframe(joined, observer):
    peer, _ = joined
    clip = Clip(bit_rate=8_000_000)
    await play(peer, clip, 1)
    told, keyframes = observer.keyframes_wanted, peer.statistics().keyframes
    # Nothing leaves any more: the rate is the lowest there is.
    flow = peer.video._video._flow
    flow._pacer.set_pacing(1_000, SystemClock().now_us())

    frame = clip.frame(SystemClock().now_us())
    for _ in range(40):
        peer.video.offer(frame)
    waiting = flow.waiting_bytes
    await until(lambda: observer.keyframes_wanted > told)

    assert waiting < 2 * 256 * 1024
    assert peer.video.wish().keyframe
    peer.video.offer(clip.frame(SystemClock().now_us(), keyframe=True))
    assert peer.statistics().keyframes == keyframes + 1
