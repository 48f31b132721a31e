"""What no tool checks: units in names, sizes of files and functions, settings files that agree with the code."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from streamer import registry
from streamer.config import BACKEND_KINDS, Config, keys
from streamer.settings import load, profiles

ROOT = Path(__file__).parent.parent.parent
MODULES = sorted((ROOT / "streamer").rglob("*.py"))
# Quantities that mean nothing without a unit.
BARE = ("timeout", "bitrate", "latency", "duration", "delay", "interval", "bandwidth", "jitter", "rtt", "pitch", "size")
UNITS = ("us", "ms", "s", "ns", "bps", "bytes", "bits", "px", "hz", "ticks", "frames", "packets", "ratio")
# Files that may use a bare name, and why.
ALLOWED = {
    "transport/ice.py": {"timeout"},  # The parameter of a library's method that ours takes the place of.
    "codecs/_h264_sps.py": {"size"},  # A count of list entries: H.264 calls it sizeOfScalingList.
    "sources/_scene/field.py": {"_SIZE"},  # In pixels of the plan, as the comment above it says.
}
# Keys whose values only a program can make.
PROGRAM_KEYS = {"sources.prepared.units"}
MAX_FILE_LINES, MAX_FUNCTION_LINES = 400, 40
TEXTS = ("*.md", "*.toml", ".ci/*", "config/*", "docs/*", "scripts/*", "streamer/**/*", "tests/**/*", "web/src/**/*")
# Written in pieces, so that this file does not name them.
FOREIGN = re.compile(
    "|".join(["/" + "work/", "/" + "root/", "registry" + r"\.npmjs", "pypi" + r"\.org", "python" + "hosted"])
)


def _names_of_numbers(tree: ast.AST) -> Iterator[str]:
    """Yield the names of parameters, variables and fields that say by annotation or value that they hold a number."""
    for node in ast.walk(tree):
        if isinstance(node, ast.arg) and _is_number_type(node.annotation):
            yield node.arg
        elif isinstance(node, ast.AnnAssign) and _is_number_type(node.annotation):
            yield _name(node.target)
        elif isinstance(node, ast.Assign) and _is_number(node.value):
            yield from map(_name, node.targets)


def _is_number_type(annotation: ast.expr | None) -> bool:
    return annotation is not None and ast.unparse(annotation).removesuffix(" | None") in ("int", "float")


def _is_number(value: ast.expr) -> bool:
    if isinstance(value, ast.BinOp):
        return _is_number(value.left) and _is_number(value.right)
    return isinstance(value, ast.Constant) and type(value.value) in (int, float)


def _name(target: ast.expr) -> str:
    return target.attr if isinstance(target, ast.Attribute) else target.id if isinstance(target, ast.Name) else ""


def _is_bare(name: str) -> bool:
    return name.lower().rpartition("_")[2] in BARE


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_quantities_carry_their_unit(path: Path) -> None:
    allowed = ALLOWED.get(str(path.relative_to(ROOT / "streamer")), set())

    bare = {name for name in _names_of_numbers(ast.parse(path.read_text())) if _is_bare(name)}

    assert bare - allowed == set()


def test_bare_names_are_found() -> None:
    code = (
        "def f(timeout: float, rtt_us: int, size: Resolution): self.send_delay = 5 * 1000; RTT = rtt; _GAP_US: int = 3"
    )

    assert {name for name in _names_of_numbers(ast.parse(code)) if _is_bare(name)} == {"timeout", "send_delay"}


def test_configuration_numbers_carry_their_unit_or_are_counts() -> None:
    counts = re.compile(r"\.(port|fps|max_\w+s)$")
    numbers = [path for path, key in keys().items() if key.field.annotation in (int, float)]

    assert [p for p in numbers if p.rpartition("_")[2] not in UNITS and not counts.search(p)] == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_stay_readable(path: Path) -> None:
    text = path.read_text()
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]

    assert text.count("\n") <= MAX_FILE_LINES
    assert [f.name for f in functions if (f.end_lineno or 0) - f.lineno >= MAX_FUNCTION_LINES] == []


def _default_file() -> dict[str, Any]:
    return tomllib.loads((ROOT / "config" / "default.toml").read_text())


def _written_keys() -> list[str]:
    """Return every key of the default file, those without a default (written as comments) included."""
    found, section = [], ""
    for line in (ROOT / "config" / "default.toml").read_text().splitlines():
        if header := re.fullmatch(r"\[([\w.]+)\]", line):
            section = header[1]
        elif key := re.match(r"#?(\w+) = ", line):
            found.append(f"{section}.{key[1]}")
    return found


def _options() -> dict[str, type[BaseModel]]:
    models = {
        f"{kind}.{name}": getattr(registry.load(kind, name), "Options", None)
        for kind in BACKEND_KINDS
        for name in registry.names(kind)
    }
    return {path: model for path, model in models.items() if model is not None}


def test_default_file_equals_the_code() -> None:
    sections = {name: table for name, table in _default_file().items() if name not in BACKEND_KINDS}

    assert Config.model_validate(sections) == Config()


def test_default_file_equals_the_code_of_backends() -> None:
    content = _default_file()
    tables = {f"{kind}.{name}": table for kind in BACKEND_KINDS for name, table in content.get(kind, {}).items()}

    assert {path: model.model_validate(tables.get(path, {})) for path, model in _options().items()} == {
        path: model() for path, model in _options().items()
    }


def test_default_file_names_every_key() -> None:
    backend_keys = [f"{path}.{field}" for path, model in _options().items() for field in model.model_fields]

    assert sorted(_written_keys()) == sorted([*keys(), *(set(backend_keys) - PROGRAM_KEYS)])


def test_default_file_sets_every_key_that_has_a_default() -> None:
    content = _default_file()
    written = {f"{section}.{key}" for section in content if section not in BACKEND_KINDS for key in content[section]}

    assert written == {path for path, key in keys().items() if key.default is not None}


@pytest.mark.parametrize("name", sorted(set(profiles()) - {"default"}))
def test_profiles_change_something(name: str) -> None:
    assert load(profile=name, environment={}).config != Config()


def test_nothing_names_a_place_outside_the_repository() -> None:
    files = {path for pattern in TEXTS for path in ROOT.glob(pattern) if path.is_file()}
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in sorted(files - {Path(__file__)})
        if path.suffix not in (".pyc", ".png") and "web_dist" not in path.parts
        for match in FOREIGN.finditer(path.read_text(errors="replace"))
    ]

    assert found == []


def test_lock_file_carries_no_download_addresses() -> None:
    assert '"resolved"' not in (ROOT / "web" / "package-lock.json").read_text()
