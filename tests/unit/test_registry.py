"""Backends of other packages; each test installs one for real, as a module and the entry point beside it."""

import importlib.metadata
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from streamer import registry, settings
from streamer.errors import ConfigError, Unavailable

Install = Callable[[str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Return a function that installs an input backend called "foreign" with this source."""

    def write(source: str) -> None:
        (tmp_path / "foreign_backend.py").write_text(source)
        metadata = tmp_path / "foreign_backend-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign-backend\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text("[streamer.inputs]\nforeign = foreign_backend\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.delitem(sys.modules, "foreign_backend", raising=False)
        registry.third_party.cache_clear()

    yield write
    monkeypatch.undo()
    registry.third_party.cache_clear()


def test_backend_of_another_package_is_found_by_its_entry_point(install: Install) -> None:
    install("def why_unavailable():\n    return 'there is no such device'\n")

    assert "foreign" in registry.names("inputs")
    assert registry.load("inputs", "foreign").__name__ == "foreign_backend"
    assert registry.why_unavailable("inputs", "foreign") == "there is no such device"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import a_package_that_is_not_there\n", "a package is missing: No module named 'a_package_that_is_not_there'"),
        ("{}['table']\n", "its package fails with KeyError: 'table'"),
        ("def why_unavailable():\n    raise OSError('no driver')\n", "its package fails with OSError: no driver"),
    ],
)
def test_backend_of_another_package_that_fails_is_unavailable_for_that_reason(
    install: Install, source: str, reason: str
) -> None:
    install(source)

    found = {entry.name: entry.why_unavailable for entry in registry.availability("inputs")}

    assert found["foreign"] == reason
    assert {"callback", "xtest"} <= set(found)


def test_backend_of_another_package_that_does_not_load_is_passed_over(install: Install) -> None:
    install("raise RuntimeError('too old')\n")

    name, _, passed_over = registry.choose("inputs", ["foreign", "callback"])

    assert name == "callback"
    assert [entry.name for entry in passed_over] == ["foreign"]
    with pytest.raises(Unavailable, match="too old"):
        registry.load("inputs", "foreign")


def test_options_of_a_backend_that_does_not_load_are_a_mistake_in_the_configuration(install: Install) -> None:
    install("raise RuntimeError('too old')\n")

    with pytest.raises(ConfigError, match=r"inputs backend 'foreign' cannot be loaded: .*too old"):
        settings.load(environment={}, command_line=dict([settings.parse_assignment("inputs.foreign.speed=3")]))


def test_packages_are_searched_once_for_each_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[str] = []
    search = importlib.metadata.entry_points

    def entry_points(*, group: str) -> importlib.metadata.EntryPoints:
        searched.append(group)
        return search(group=group)

    monkeypatch.setattr(registry, "entry_points", entry_points)
    registry.third_party.cache_clear()

    for _ in range(3):
        registry.load("codecs", "h264")

    assert searched == ["streamer.codecs"]


def test_name_that_no_backend_has_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(ConfigError, match="did you mean 'h264'"):
        registry.load("codecs", "h2644")
    with pytest.raises(ConfigError, match="no inputs backend is called"):
        registry.why_unavailable("inputs", "telepathy")
