import json

import numpy as np
import pytest
from click.testing import CliRunner

from streamer import registry
from streamer.bench.encode import Task, command, measure, psnr_db, run
from streamer.errors import ConfigError, Unavailable
from streamer.media.frame import Resolution
from tests.fakes.broken_backend import BROKEN

SMALL = Resolution(192, 108)


def task(**changes):
    return Task(**{"codec": "h264", "size": SMALL, "fps": 60.0, "target_bps": 1_000_000, "seconds": 0.2, **changes})


def test_encode_bench_reports_what_the_encoder_did():
    found = measure("software", task())

    assert found["paced_ms"]["count"] == 12
    assert found["cpu_ms"] > 0
    assert found["flat_out_fps"] == pytest.approx(1e3 / found["flat_out_ms"]["p50"], rel=0.9)
    assert set(found["rate_ratio"]) == {"step_1_at_1", "step_2_at_0.5", "step_3_at_1", "step_4_at_2"}
    assert all(0.5 < ratio < 1.2 for ratio in found["rate_ratio"].values())
    assert found["unasked_keyframes"] == 0
    assert 15 < found["psnr_db"]["p5"] <= found["psnr_db"]["p50"] < 60


def test_encode_bench_sees_better_pictures_at_a_higher_rate():
    low, high = (measure("software", task(target_bps=target_bps)) for target_bps in (200_000, 2_000_000))

    assert high["psnr_db"]["p50"] > low["psnr_db"]["p50"] + 3


def test_encode_bench_lists_an_encoder_that_cannot_and_trusts_no_empty_result():
    result = run(["software"], task(codec="h261"))

    assert "h261" in result["encoders"]["software"]["why_unavailable"]
    assert not result["trusted"]
    assert "no encoder was measured" in result["distrust"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--codec", "mpeg2"], "no codecs backend is called 'mpeg2'; known are av1, h264, h265, vp8"),
        (["--encoder", "broken"], "bench encode: no encoder could be measured (broken: it gave two frames for one)"),
    ],
    ids=["codec", "encoder"],
)
def test_encode_bench_refuses_what_nothing_can_be_measured_of(monkeypatch, arguments, reason):
    monkeypatch.setattr(registry, "third_party", lambda kind: {"broken": BROKEN[kind]} if kind == "encoders" else {})

    outcome = CliRunner().invoke(command, ["--size", str(SMALL), "--seconds", "0.1", *arguments])

    assert isinstance(outcome.exception, ConfigError | Unavailable)
    assert str(outcome.exception) == reason


def test_psnr_is_that_of_the_formula():
    flat = np.full((10, 10), 100, np.uint8)

    assert psnr_db(flat, flat + 5) == pytest.approx(10 * np.log10(255**2 / 25))
    assert psnr_db(flat, flat) == pytest.approx(10 * np.log10(255**2 * 100))


def test_encode_bench_writes_json(tmp_path):
    file = tmp_path / "encode.json"
    arguments = ["--size", str(SMALL), "--seconds", "0.1", "--encoder", "software", "--json", str(file)]

    outcome = CliRunner().invoke(command, arguments)

    assert outcome.exit_code == 0, outcome.output
    written = json.loads(file.read_text())
    assert written["encoders"]["software"]["description"].startswith("libx264")
    assert written["conditions"]["size"] == str(SMALL)


def test_encode_bench_names_an_encoder_that_is_not_there():
    outcome = CliRunner().invoke(command, ["--encoder", "softwar"])

    assert isinstance(outcome.exception, ConfigError)
    assert "software" in str(outcome.exception)
