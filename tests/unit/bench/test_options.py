from pathlib import Path

import pytest

from streamer.bench.latency_options import LatencyOptions
from streamer.bench.options import parse_rate_bps, parse_size, require_above_zero, require_writable
from streamer.errors import ConfigError
from streamer.media.frame import Resolution


def options(**changes: object) -> LatencyOptions:
    given = {"source": "pattern", "size": Resolution(1280, 720), "seconds": 1.0, "clicks": 0, "target_bps": 9_000_000}
    return LatencyOptions(**{**given, **changes})


def test_size_is_read():
    assert parse_size("1920x1080") == Resolution(1920, 1080)


@pytest.mark.parametrize("text", ["", "1280", "1280x", "axb", "1281x720", "4x4", "99999x720"])
def test_size_that_cannot_be_streamed_is_named(text):
    with pytest.raises(ConfigError, match=f"--size '{text}': "):
        parse_size(text)


@pytest.mark.parametrize(
    ("text", "bps"), [("9M", 9_000_000), ("1.5M", 1_500_000), ("300k", 300_000), ("64000", 64_000)]
)
def test_rate_is_read_with_its_suffix(text, bps):
    assert parse_rate_bps(text) == bps


@pytest.mark.parametrize("text", ["", "0", "M", "-5M", "fast", "nan"])
def test_rate_that_is_none_is_named(text):
    with pytest.raises(ConfigError, match=f"--target '{text}'"):
        parse_rate_bps(text)


def test_number_must_be_above_zero():
    with pytest.raises(ConfigError, match="--some-seconds 0: "):
        require_above_zero(some_seconds=0.0)


def test_missing_folder_is_found_before_the_measurement(tmp_path):
    require_writable(json=tmp_path / "new.json", plot=None)

    with pytest.raises(ConfigError, match="there is no folder"):
        require_writable(json=tmp_path / "none" / "new.json")


@pytest.mark.parametrize(
    "changes",
    [
        {"has_floor": True, "source": "demo"},
        {"has_floor": True, "is_still": True},
        {"viewer": "python", "silence_ms": 700},
        {"viewer": "python", "is_still": True},
    ],
    ids=str,
)
def test_options_that_do_not_go_together_are_refused(changes):
    with pytest.raises(ConfigError, match=r"\bgo(es)? with\b"):
        options(**changes).check()


def test_still_screen_is_a_window_on_a_private_desktop():
    still = options(is_still=True)

    still.check()

    assert still.streamed_source == "screen"
    assert any("stamped_client" in argument and "--still" in argument for argument in still.server_arguments())


def test_floor_streams_the_clip_at_the_same_size_rate_and_target():
    live, floor = options().server_arguments(), options().floor_arguments(str(Path("clip.h264")))

    for flag in ("--size", "--fps", "--start-target-bps"):
        assert live[live.index(flag) + 1] == floor[floor.index(flag) + 1]
    assert "sources.prepared.path=clip.h264" in floor
