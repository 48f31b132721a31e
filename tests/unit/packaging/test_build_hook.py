import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import hatch_build

ROOT = Path(__file__).parents[3]
BUILT_AT_S = 1_000_000


@pytest.fixture
def tree(tmp_path):
    """A page that is newer than everything it is made of."""
    page = tmp_path / "streamer/web_dist/index.html"
    inputs = ["src/main.ts", "src/ui/bar.ts", *(name for name in hatch_build._INPUTS if name != "src")]
    for path in (*(tmp_path / "web" / name for name in inputs), page):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
        os.utime(path, (BUILT_AT_S, BUILT_AT_S))
    return tmp_path, page


def test_page_is_fresh_when_nothing_is_newer(tree):
    assert hatch_build.is_page_fresh(tree[0])


@pytest.mark.parametrize("name", ["src/ui/bar.ts", "index.html", "package-lock.json"])
def test_page_is_stale_when_an_input_is_newer(tree, name):
    root, _ = tree
    os.utime(root / "web" / name, (BUILT_AT_S + 1, BUILT_AT_S + 1))

    assert not hatch_build.is_page_fresh(root)


def test_page_is_stale_when_it_is_missing(tree):
    root, page = tree
    page.unlink()

    assert not hatch_build.is_page_fresh(root)


def test_page_of_a_source_archive_is_fresh_whatever_the_times(tree):
    root, page = tree
    (root / "PKG-INFO").write_text("")
    os.utime(page, (0, 0))

    assert hatch_build.is_page_fresh(root)


@pytest.mark.skipif(not (ROOT / ".venv").exists(), reason="scripts/setup has not been run here")
def test_setup_and_build_agree_on_what_the_page_is_made_of():
    function = (ROOT / "scripts/setup").read_text().split("page_is_fresh() {\n")[1].split("\n}\n")[0]

    answer = subprocess.run(["bash", "-c", function], cwd=ROOT, check=False)

    assert (answer.returncode == 0) == hatch_build.is_page_fresh(ROOT)


def test_bundled_node_is_taken_where_the_machine_has_none(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    npm, environment = hatch_build._find_npm()

    answer = subprocess.run([*npm, "--version"], env=environment, capture_output=True, text=True, check=True)
    node = shutil.which("node", path=environment["PATH"])
    assert int(answer.stdout.split(".")[0]) >= 10
    assert node is not None
    assert hatch_build._version(node) >= hatch_build._OLDEST_NODE


@pytest.mark.skipif(sys.platform == "win32", reason="the false node is a shell script")
@pytest.mark.parametrize("answer", ["echo v18.19.1", "exit 1", "echo nonsense"])
def test_bundled_node_is_taken_where_the_machines_own_is_of_no_use(monkeypatch, tmp_path, answer):
    for name in ("node", "npm"):
        (tmp_path / name).write_text(f"#!/bin/sh\n{answer}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    npm, _ = hatch_build._find_npm()

    assert Path(npm[0]).parent != tmp_path


def test_lock_file_carries_no_download_addresses():
    lock = json.loads((ROOT / "web/package-lock.json").read_text())

    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []
    assert all("integrity" in package for name, package in lock["packages"].items() if name)


def test_lock_file_knows_the_packages_of_every_platform():
    packages = json.loads((ROOT / "web/package-lock.json").read_text())["packages"]

    wanted = {name for package in packages.values() for name in package.get("optionalDependencies", {})}

    assert {name for name in wanted if f"node_modules/{name}" not in packages} == set()


@pytest.mark.slow
def test_page_is_built_without_a_node_of_the_machine(checkout, monkeypatch, tmp_path):
    web = tmp_path / "web"
    shutil.copytree(checkout / "web", web)
    # npm runs scripts through a shell, and that is all there is.
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/sh").symlink_to(shutil.which("sh"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    hatch_build._build(web)

    assert (tmp_path / "streamer/web_dist/index.html").is_file()
