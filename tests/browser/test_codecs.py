"""The codec of a viewer is chosen from its answer; without a common one the page says so."""

import pytest

from streamer.bench.served import ServedProcess
from tests.fakes.program import served
from tests.fakes.refusals import only_codec, without_codec
from tests.fakes.tab import SIZE, OpenTab

pytestmark = pytest.mark.browser


def test_h264_is_streamed_where_both_are_known(pattern: ServedProcess, open_tab: OpenTab) -> None:
    tab = open_tab()

    tab.watch(pattern.url)

    tab.wait_until("player.stream?.codec === 'h264'")


def test_vp8_is_streamed_when_h264_is_refused(pattern: ServedProcess, open_tab: OpenTab) -> None:
    tab = open_tab(without_codec("h264"))

    tab.watch(pattern.url)
    tab.wait_until("player.stream?.codec === 'vp8'")
    tab.wait_for_frames(5)

    assert tab.stamp() is not None


def test_viewers_of_two_codecs_watch_at_once(pattern: ServedProcess, open_tab: OpenTab) -> None:
    tabs = {codec: open_tab(only_codec(codec)) for codec in ("h264", "vp8")}

    for codec, tab in tabs.items():
        tab.watch(pattern.url)
        tab.wait_until(f"player.stream?.codec === '{codec}'")

    for tab in tabs.values():
        tab.wait_for_frames(5)
        assert tab.stamp() is not None


def test_lack_of_a_common_codec_is_one_clear_sentence(open_tab: OpenTab) -> None:
    tab = open_tab(only_codec("vp8"))
    with served("--source", "pattern", "--size", str(SIZE), "--codec", "h264") as server:
        tab.open(server.url)

        tab.wait_until("player.view.state === 'stopped'")
        notice = tab.notice()

    title, sentence = (line for line in notice.splitlines() if line)
    assert title == "No stream"
    assert "h264" in sentence.lower().replace(".", "")
    assert sentence.endswith(".")


def test_h265_is_streamed_where_the_browser_has_it_and_else_the_next_one(open_tab: OpenTab) -> None:
    tab = open_tab()
    with served("--source", "pattern", "--size", str(SIZE), "--codec", "h265", "--codec", "h264") as server:
        tab.watch(server.url)
        has_it = tab.page.evaluate(
            "() => RTCRtpReceiver.getCapabilities('video').codecs.some(({ mimeType }) => mimeType === 'video/H265')"
        )
        tab.wait_until(f"player.stream?.codec === '{'h265' if has_it else 'h264'}'")
        tab.wait_for_frames(5)

        assert tab.stamp() is not None


def test_av1_is_streamed_when_it_is_asked_for(open_tab: OpenTab) -> None:
    tab = open_tab()
    with served("--source", "pattern", "--size", str(SIZE), "--codec", "av1") as server:
        tab.watch(server.url)
        tab.wait_until("player.stream?.codec === 'av1'")
        tab.wait_for_frames(5)

        assert tab.stamp() is not None
