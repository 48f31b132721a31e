import json
from pathlib import Path

import pytest

from streamer.errors import ConfigError
from streamer.transport.decision_log import _BATCH_ENTRIES, DecisionLog


def _lines(file):
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_decision_log_keeps_viewers_apart_and_their_entries_in_order(tmp_path):
    log = DecisionLog(tmp_path / "log")
    ann, bob = log.viewer(), log.viewer()

    for number in range(_BATCH_ENTRIES):
        ann(["tick", number])
        bob(["tick", -number])
    log.close()

    lines = _lines(tmp_path / "log")
    assert [line for line in lines if line[0] == 1] == [[1, "tick", number] for number in range(_BATCH_ENTRIES)]
    assert [line for line in lines if line[0] == 2] == [[2, "tick", -number] for number in range(_BATCH_ENTRIES)]


def test_decision_log_takes_no_more_than_its_bound(tmp_path, caplog):
    log = DecisionLog(tmp_path / "log", max_bytes=10_000)
    note = log.viewer()

    for number in range(100 * _BATCH_ENTRIES):
        note(["tick", number])
    log.close()

    lines = _lines(tmp_path / "log")
    assert 0 < (tmp_path / "log").stat().st_size <= 10_000
    assert lines == [[1, "tick", number] for number in range(len(lines))]
    assert len(caplog.records) == 1


def test_decision_log_begins_anew(tmp_path):
    (tmp_path / "log").write_text("of another run")

    DecisionLog(tmp_path / "log").close()

    assert _lines(tmp_path / "log") == []


def test_decision_log_refuses_a_file_that_it_cannot_write(tmp_path):
    with pytest.raises(ConfigError, match=r"video\.decisions_log"):
        DecisionLog(tmp_path / "missing" / "log")


def test_decision_log_says_once_that_a_disk_is_full_and_keeps_nothing(caplog):
    log = DecisionLog(Path("/dev/full"))
    note = log.viewer()

    for number in range(100 * _BATCH_ENTRIES):
        note(["tick", number])
    log.close()

    assert [record.message for record in caplog.records] == [
        "/dev/full takes no more decisions because No space left on device"
    ]
    assert log._batches.empty()
