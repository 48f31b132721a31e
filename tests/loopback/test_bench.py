"""Benches that need no browser, for a moment each. What they measure is not asserted: only that it can be so."""

import pytest

from streamer.bench.served import ServedProcess
from streamer.bench.viewer_process import ViewerProcess
from streamer.errors import ConfigError, SessionError
from tests.fakes.benches import bench, result_of

SIZE = "320x180"


@pytest.mark.slow
def test_latency_is_measured_without_a_browser_and_next_to_its_floor(tmp_path):
    plot = tmp_path / "plot.png"
    arguments = (
        "--viewer",
        "python",
        "--size",
        SIZE,
        "--target",
        "2M",
        "--seconds",
        "1",
        "--floor",
        "--plot",
        str(plot),
    )

    result = result_of(tmp_path / "result.json", "latency", *arguments)

    for stream in (result, result["floor"]):
        ages = stream["decoded_ms"]
        assert ages["count"] > 0
        assert 0 < ages["p50"] <= ages["p95"] <= ages["p99"]
        assert stream["frames_unreadable"] == 0
        assert stream["mbps"] > 0
        assert sum(stream["stages_ms"].values()) == pytest.approx(ages["p50"], rel=0.05, abs=0.5)
    assert result["stages_ms"]["encode"] > 0
    assert result["floor"]["stages_ms"]["encode"] == 0
    assert result["ratio_to_floor"] > 0
    assert result["conditions"]["server"].startswith("Streaming pattern")
    assert plot.stat().st_size > 1000


@pytest.mark.slow
@pytest.mark.parametrize(("controller", "ours"), [("on", "controlled"), ("off", "paced")])
def test_send_compares_with_stock_aiortc(tmp_path, controller, ours):
    arguments = ("--mbps", "4", "--seconds", "1", "--rounds", "1", "--controller", controller)
    result = result_of(tmp_path / "result.json", "send", *arguments)

    assert result["cpu_ratio"] > 0
    assert result["cpu_ratio_unpaced"] > 0
    assert set(result["us_per_packet"]) == {"stock", ours, "unpaced", "bare", "server"}
    assert isinstance(result["control_percent"], float)
    # 1 s at 4 Mbit/s, the least that is counted, are 416 payloads of 1200 bytes.
    assert all(packets > 200 for packets in result["packets"].values())
    assert all(0 <= ratio <= 1 for ratio in result["loss_ratio"].values())


@pytest.mark.slow
def test_soak_samples_a_server_while_a_viewer_stays_and_comes_back(tmp_path):
    result = result_of(tmp_path / "result.json", "soak", "--minutes", "0.05", "--reconnections", "1", "--size", SIZE)

    samples = result["conditions"]["samples"]
    assert len(samples) >= 3
    assert all(sample["rss_mb"] >= sample["pss_mb"] > 10 for sample in samples)
    assert all(min(sample["descriptors"], sample["threads"], sample["tasks"]) > 0 for sample in samples)
    assert set(result["growth_staying"]) == {"rss_mb", "pss_mb", "descriptors", "threads", "tasks"}
    assert "pss_mb_each" in result["growth_reconnecting"]
    assert result["frames"] > 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("latency", "--size", "big"), "--size 'big'"),
        (("latency", "--target", "much"), "--target 'much'"),
        (("latency", "--viewer", "python", "--silence-ms", "700"), "--viewer chromium"),
        (("start", "--size", "3x3"), "--size '3x3'"),
        (("send", "--mbps", "0"), "--mbps 0"),
        (("soak", "--minutes", "0", "--reconnections", "0"), "nothing left to do"),
    ],
)
def test_what_cannot_be_measured_is_one_line_and_status_2(arguments, says):
    finished = bench(*arguments)

    assert finished.returncode == 2
    assert says in finished.stderr
    assert len(finished.stderr.splitlines()) == 1


def test_viewer_says_why_it_could_not_join():
    with ViewerProcess("http://127.0.0.1:9/") as viewer, pytest.raises(SessionError, match="could not join"):
        viewer.join()


def test_server_that_does_not_start_is_quoted():
    with pytest.raises(ConfigError, match="no-such-source"), ServedProcess("--source", "no-such-source"):
        pytest.fail("it started")
