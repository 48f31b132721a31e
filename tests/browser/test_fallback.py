"""The page while the encoder behind it fails: its stream goes on, and it says which encoder took over and why."""

import pytest

from streamer.encoders import _nvenc_library
from tests.fakes.program import served
from tests.fakes.tab import SIZE, OpenTab
from tests.nvidia_driver import build
from tests.nvidia_driver.driver import Fault, NvidiaDriver

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(build.why_unavailable() is not None, reason=str(build.why_unavailable())),
    pytest.mark.skipif(_nvenc_library.why_missing() is not None, reason=str(_nvenc_library.why_missing())),
]
# Five seconds of pictures, after which nothing of the engine works any more.
_LOST = Fault(call="encode_picture", nth=300, effect="engine_lost")


def test_page_stays_connected_and_says_which_encoder_took_over_and_why(open_tab: OpenTab) -> None:
    tab = open_tab()
    environment = NvidiaDriver(faults=(_LOST,)).environment()
    arguments = ("--source", "pattern", "--size", str(SIZE), "--codec", "h264", "--encoder", "nvenc")

    with served(*arguments, environment=environment) as server:
        tab.watch(server.url)
        tab.wait_until("player.stream?.encoder === 'nvenc'")
        tab.page.evaluate(
            "() => { window.states = [];"
            " document.querySelector('render-stream').player.on('state', ({ state }) => window.states.push(state)); }"
        )
        tab.button("Statistics").click()
        tab.wait_until("player.stream?.encoder === 'software'")
        tab.wait_for_frames(5)
        tab.wait_for_statistics(1)
        overlay = tab.page.get_by_role("region", name="Statistics").inner_text()

        assert tab.page.evaluate("() => window.states") == []
        assert tab.stamp() is not None
    assert "software: nvenc failed 3 times in a row: the GPU was lost or its driver restarted" in overlay
    assert "because nvenc failed 3 times in a row: the GPU was lost" in server.output
