"""Findings about encoders, from figures that are made up here."""

import pytest

from streamer import registry
from streamer.doctor import encoders
from streamer.doctor.case import Case
from tests.fakes.doctor import lines, make_case

FAST = {
    "description": "an encoder",
    "frames": 120,
    "keyframes": [0],
    "p50_us": 2_500,
    "p95_us": 4_000,
    "rates": [{"target_bps": 3_000_000, "spent_bps": 2_900_000}, {"target_bps": 1_500_000, "spent_bps": 1_450_000}],
}
SLOW = {**FAST, "p50_us": 14_000, "p95_us": 21_000}
DEAF = {**FAST, "rates": [FAST["rates"][0], {"target_bps": 1_500_000, "spent_bps": 2_900_000}]}


@pytest.fixture
def answer(monkeypatch):
    def use(made):
        monkeypatch.setattr(registry, "names", lambda _: ["software"])
        given = {"offer": ["h264"], "encode": made, "pace": {"p50_us": made["p50_us"]}}
        monkeypatch.setattr(Case, "ask", lambda _, question, **__: given[question])

    return use


@pytest.mark.parametrize(
    ("made", "chosen", "mark", "verdict"),
    [
        (FAST, "software", "ok", "2.90 of 3.00 and 1.45 of 1.50 Mbit/s; holds 320x192 at 60 fps"),
        (SLOW, "software", "problem", "2.90 of 3.00 and 1.45 of 1.50 Mbit/s; does not hold 320x192 at 60 fps"),
        (SLOW, "nvenc", "note", "2.90 of 3.00 and 1.45 of 1.50 Mbit/s; does not hold 320x192 at 60 fps"),
        (DEAF, "software", "note", "2.90 of 3.00 and 2.90 of 1.50 Mbit/s; holds 320x192 at 60 fps"),
    ],
    ids=["fast", "slow", "slow-and-not-chosen", "ignores-rate"],
)
def test_encoder_is_judged_by_its_time_and_its_rate(answer, tmp_path, made, chosen, mark, verdict):
    answer(made)

    (finding,) = encoders.examine(make_case(tmp_path), {"h264": chosen})

    times = f"{made['p50_us'] / 1000:.1f} ms for each of 120 pictures ({made['p95_us'] / 1000:.1f} ms for 95 % of them)"
    assert lines(finding) == {"encoders.software.h264": (mark, f"software, h264: {times}, {verdict}")}
    assert (finding.advice is not None) == (mark == "problem" or made is DEAF)
    assert finding.figures == made


def test_slow_encoder_on_a_busy_machine_is_to_be_asked_again(answer, tmp_path):
    answer(SLOW)
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "loadavg").write_text("999.00 3.00 1.00 2/300 12345")

    (finding,) = encoders.examine(make_case(tmp_path), {"h264": "software"})

    first, _, second = finding.advice.partition("; else ")
    assert first == "end what else runs on this machine, and ask again"
    assert second == "use a smaller --size or a lower --fps, or an encoder on a GPU"


@pytest.mark.parametrize(("made", "verb", "mark"), [(FAST, "holds", "ok"), (SLOW, "does not hold", "note")])
def test_software_is_held_against_the_sizes_that_people_ask_for(answer, tmp_path, made, verb, mark):
    answer(made)
    each = f"{made['p50_us'] / 1000:.1f} ms for each picture"

    assert lines(*encoders.examine_pace(make_case(tmp_path))) == {
        "software.720p60": (mark, f"software {verb} 720p60: {each}"),
        "software.1080p60": (mark, f"software {verb} 1080p60: {each}"),
    }
