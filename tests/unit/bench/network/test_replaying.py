import json

import pytest

from streamer.bench.network.replaying import run_replay
from streamer.congestion.decision import RateLimits
from streamer.congestion.fixed_rate import FixedRate
from streamer.congestion.replay import RecordedFlow
from streamer.errors import ConfigError
from streamer.transport.decision_log import DecisionLog


def _record(file):
    """Write a log of two viewers, of whom the second one says twice what it estimates."""
    log = DecisionLog(file)
    for viewer in range(2):
        limits = RateLimits(300_000, 3_000_000, 20_000_000)
        flow = RecordedFlow(limits, fps=60.0, has_feedback=False, now_us=7, note=log.viewer())
        for number in range(viewer * 2):
            flow.remb(1_000_000 + number, 1_000_000 * (number + 1))
    log.close()
    return file


def test_replay_of_a_file_finds_the_same_decisions(tmp_path, capsys):
    is_same = run_replay(_record(tmp_path / "log"), None, tmp_path / "json")

    assert is_same
    viewers = json.loads((tmp_path / "json").read_text())["viewers"]
    assert [(viewer["viewer"], len(viewer["decisions"])) for viewer in viewers] == [(1, 1), (2, 3)]
    assert "viewer 2: 2.0 s, 3 decisions, the same" in capsys.readouterr().out


def test_replay_of_a_file_tells_what_another_estimator_decides(tmp_path, capsys):
    assert not run_replay(_record(tmp_path / "log"), FixedRate, None)

    assert "other than the 3 of the log" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("", "no viewer", id="empty"),
        pytest.param("no JSON", "Expecting value", id="no JSON"),
        pytest.param('["begin"]', "line 1", id="no entry"),
        pytest.param('[1, "tick", 5]', "begins with", id="no beginning"),
        pytest.param('[1, "begin", 5, 1, 2, 3, 60.0, false, true]\n[1, "sent", 5, 0]', "sent", id="cut off"),
    ],
)
def test_replay_refuses_a_file_that_is_no_log(tmp_path, text, words):
    (tmp_path / "log").write_text(text)

    with pytest.raises(ConfigError, match=words):
        run_replay(tmp_path / "log", None, None)
