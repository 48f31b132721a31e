"""What documents say of the code: that what they name exists, and that nothing is left out of what they list."""

import re
from pathlib import Path

import pytest

from streamer.bench.network.scenarios import SCENARIOS
from streamer.config import keys
from streamer.congestion.aimd import Phase
from streamer.congestion.decision import Reason

ROOT = Path(__file__).parent.parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
MODULES = [path for path in (ROOT / "streamer" / "congestion").glob("*.py") if path.name != "__init__.py"]
CONTROL = (ROOT / "docs" / "congestion.md").read_text()
HOW_IT_WORKS, _, _ = CONTROL.partition("\n## How it is tested")
_LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")


def _first_cells(head: str) -> list[str]:
    """Return the first cell of each row of the table whose head's first cell that is, without its decoration."""
    _, _, after = HOW_IT_WORKS.partition(f"\n| {head} |")
    table, _, _ = after.partition("\n\n")
    return [re.sub(r"^\[|\]\(.*\)$|`", "", row.split(" | ")[0].removeprefix("| ")) for row in table.splitlines()[2:]]


def _anchors(document: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document):
    found = _LINK.findall(document.read_text())
    links = [(document.parent / path if path else document, anchor) for path, anchor in found]

    assert [str(path) for path, _ in links if not path.exists()] == []
    assert [anchor for path, anchor in links if anchor and anchor not in _anchors(path)] == []


def test_congestion_document_has_every_phase():
    assert _first_cells("phase") == [phase.name for phase in Phase]


def test_congestion_document_draws_every_phase():
    drawing = HOW_IT_WORKS.partition("alone changes them.")[2].split("```")[1]

    assert set(re.findall(r"[A-Z]{3,}", drawing)) == {phase.name for phase in Phase}


def test_congestion_document_has_every_reason_that_is_given():
    code = "".join([path.read_text() for path in MODULES])
    given = {Reason[name].value for name in re.findall(r"\bReason\.([A-Z_]+)", code)}

    assert sorted(_first_cells("reason")) == sorted(given)


def test_congestion_document_has_every_module():
    assert sorted(_first_cells("module")) == sorted(path.name for path in MODULES)


def test_congestion_document_draws_modules_that_exist():
    words = set(re.findall(r"[a-z_]+", HOW_IT_WORKS.split("```")[1]))
    without_underscore = {"acked", "aimd", "allocator", "decision", "fold", "ladder", "loss", "pacer", "probe"}
    without_underscore |= {"recovery", "signals", "silence", "trains", "trendline"}

    assert without_underscore <= words
    assert without_underscore | {word for word in words if "_" in word} <= {path.stem for path in MODULES}


def test_congestion_document_names_settings_that_exist():
    assert set(_first_cells("setting")) <= set(keys())


def test_congestion_document_names_scenarios_that_exist():
    assert set(re.findall(r"\b[SRCV]\d+[a-z]?\b", CONTROL)) - set(SCENARIOS) == set()


def test_congestion_document_names_code_that_exists():
    code = "".join([path.read_text() for path in (ROOT / "streamer").rglob("*.py")])
    pairs = re.findall(r"`([A-Z]+[a-z]\w*)(?:\.(\w+))?`", HOW_IT_WORKS)
    names = {name for pair in pairs for name in pair if name}

    assert {name for name in names if not re.search(rf"\b(class|def) {name}\b|\b{name}: ", code)} == set()
