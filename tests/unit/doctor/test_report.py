import pytest

from streamer.doctor import table
from streamer.doctor.report import Finding, Mark, Report, grouped

FINDINGS = (
    Finding("driver.cuda", Mark.OK, "the driver knows CUDA 13.0", figures={"version": "13.0"}),
    Finding("gpu.engine", Mark.PROBLEM, "it is on fire", "pour water on it"),
    Finding("driver.package", Mark.NOTE, "it is old"),
)


def test_report_counts_problems_alone():
    assert Report(FINDINGS).problems == (FINDINGS[1],)


def test_report_has_its_documented_form():
    content = Report(FINDINGS).to_json()

    assert set(content) == {"format", "version", "python", "made_at", "problem_count", "findings"}
    assert (content["format"], content["problem_count"]) == (1, 1)
    assert content["findings"][0] == {
        "name": "driver.cuda",
        "mark": "ok",
        "text": "the driver knows CUDA 13.0",
        "advice": None,
        "figures": {"version": "13.0"},
    }


def test_findings_of_a_group_stand_together():
    assert [list(findings) for findings in grouped(FINDINGS).values()] == [[FINDINGS[0], FINDINGS[2]], [FINDINGS[1]]]


def test_table_shows_each_finding_with_its_mark_and_advice(capsys):
    table.show(Report(FINDINGS))

    assert capsys.readouterr().out.splitlines() == [
        "driver",
        "  ok       the driver knows CUDA 13.0",
        "  note     it is old",
        "gpu",
        "  problem  it is on fire",
        "           -> pour water on it",
        "",
        "1 problem found.",
    ]


@pytest.mark.parametrize(("count", "last"), [(0, "No problems found."), (2, "2 problems found.")])
def test_table_ends_with_the_number_of_problems(count, last, capsys):
    table.show(Report((FINDINGS[1],) * count))

    assert capsys.readouterr().out.splitlines()[-1] == last


def test_table_folds_lines_at_the_width_of_the_terminal(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "70")

    table.show(Report((Finding("driver.cuda", Mark.PROBLEM, "word " * 40, "advice " * 30),)))

    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 70
    assert [line[:14] for line in lines if "->" in line] == [" " * 11 + "-> "]
