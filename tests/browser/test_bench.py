"""Benches with a real browser, for a moment each. What they measure is not asserted: only that it can be so."""

import pytest

from streamer.bench.browser import chromium
from streamer.errors import SessionError
from streamer.media.frame import Resolution
from tests.fakes.benches import result_of

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SIZE = "320x180"
STAGES = ["capture", "convert", "encode", "packetize", "send", "arrive", "decode", "present"]


def test_latency_is_measured_to_the_screen_and_back_from_clicks(tmp_path):
    arguments = ("--size", SIZE, "--target", "2M", "--seconds", "1", "--clicks", "5")

    result = result_of(tmp_path / "result.json", "latency", *arguments)

    assert 0 < result["decoded_ms"]["p50"] <= result["on_screen_ms"]["p99"]
    assert result["on_screen_ms"]["count"] > 0
    assert result["frames_unreadable"] == 0
    assert list(result["stages_ms"]) == STAGES
    assert sum(result["stages_ms"].values()) == pytest.approx(result["on_screen_ms"]["p50"], rel=0.2, abs=3)
    assert result["input_to_photon_ms"]["count"] == 5
    assert result["input_to_photon_ms"]["p50"] > 0
    assert result["cpu"]["server"] > 0
    assert result["cpu"]["chromium"] > 0
    # Five clicks are no measurement.
    assert not result["trusted"]


def test_silence_on_the_wire_is_measured_through_a_relay(tmp_path):
    arguments = (
        "--size",
        SIZE,
        "--target",
        "2M",
        "--seconds",
        "1",
        "--clicks",
        "0",
        "--silence-ms",
        "300",
        "--silences",
        "3",
    )

    result = result_of(tmp_path / "result.json", "latency", *arguments)

    assert result["datagrams_dropped"] > 0
    assert 0 < result["silences_recovered"] <= result["silences"]
    assert result["first_picture_after_ms"]["p50"] > 0
    # The picture cannot go on before the silence ends.
    assert result["freeze_ms"]["p50"] > 250


def test_prepared_stream_reaches_the_screen_with_its_own_times(tmp_path):
    arguments = ("--size", SIZE, "--target", "2M", "--seconds", "1", "--clicks", "0", "--floor")

    result = result_of(tmp_path / "result.json", "latency", *arguments)

    floor = result["floor"]
    assert floor["on_screen_ms"]["count"] > 0
    # Stamps of the day it was encoded would be hours old.
    assert 0 < floor["on_screen_ms"]["p50"] < 5_000
    assert floor["stages_ms"]["encode"] == 0
    assert result["ratio_to_floor"] > 0


def test_start_is_measured_next_to_a_dead_stun_server(tmp_path):
    result = result_of(tmp_path / "result.json", "start", "--pages", "2", "--size", SIZE, "--dead-stun")

    for name in ("first_frame_ms", "first_frame_dead_stun_ms"):
        assert result[name]["count"] == 2
        assert result[name]["p50"] > 0
    assert set(result["dead_stun_costs_ms"]) == {"p50", "p95"}


@pytest.mark.x11
def test_still_screen_is_measured_without_ages(tmp_path):
    arguments = ("--still", "--size", SIZE, "--seconds", "2", "--clicks", "4")

    result = result_of(tmp_path / "result.json", "latency", *arguments)

    assert "on_screen_ms" not in result
    assert result["mbps"] >= 0
    assert result["cpu"]["server"] >= 0
    assert result["input_to_photon_ms"]["count"] > 0


def test_browser_that_fails_is_one_error_of_ours():
    with pytest.raises(SessionError, match="the browser failed"), chromium() as browser:
        browser.new_page(Resolution(320, 180)).goto("http://127.0.0.1:9/")
