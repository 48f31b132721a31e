import json

import pytest

from streamer.bench.machine import Load
from streamer.bench.report import distrust, publish, rows
from streamer.errors import ConfigError

SUMMARY = {"p50": 1.5, "p95": 2.0, "p99": None, "count": 3}


def test_table_shows_percentiles_and_indents_results_within_results():
    lines = rows({"age_ms": SUMMARY, "floor": {"age_ms": SUMMARY, "fps": 60}, "trusted": True, "conditions": {}})

    percentiles = "1.5 / 2.0 / -  (p50 / p95 / p99 of 3)"
    assert lines == [
        ("age_ms", percentiles),
        ("floor", ""),
        ("  age_ms", percentiles),
        ("  fps", "60"),
        ("trusted", "yes"),
    ]


def test_json_holds_everything(tmp_path, capsys):
    result = {"fps": 60, "conditions": {"size": "1280x720"}}

    publish(result, tmp_path / "result.json")

    assert json.loads((tmp_path / "result.json").read_text()) == result
    assert "fps" in capsys.readouterr().out


def test_json_that_cannot_be_written_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match="cannot be written"):
        publish({}, tmp_path / "none" / "result.json")


@pytest.mark.parametrize(("others_ratio", "is_trusted"), [(0.15, True), (0.16, False)])
def test_machine_that_others_used_is_not_trusted(others_ratio, is_trusted):
    assert (distrust(Load(1.0, {}, 0.5, others_ratio)) == []) == is_trusted
