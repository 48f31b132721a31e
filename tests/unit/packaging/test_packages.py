"""The page is in what is shipped. Builds it first where the working tree has no fresh one."""

import re
import subprocess
import sys
import tarfile
import zipfile

import pytest

PAGE = "streamer/web_dist/index.html"


def build(checkout, target, folder):
    command = [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(folder)]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False, timeout=110)
    assert done.returncode == 0, done.stderr
    (package,) = folder.iterdir()
    return package


@pytest.fixture(scope="module")
def wheel(checkout, tmp_path_factory):
    with zipfile.ZipFile(build(checkout, "wheel", tmp_path_factory.mktemp("wheel"))) as archive:
        yield archive


@pytest.fixture(scope="module")
def source_archive(checkout, tmp_path_factory):
    with tarfile.open(build(checkout, "sdist", tmp_path_factory.mktemp("sdist"))) as archive:
        yield archive


def test_wheel_holds_the_page_and_every_file_it_names(wheel):
    page = wheel.read(PAGE).decode()
    named = re.findall(r'(?:src|href)="\./([^"]+)"', page)

    assert any(name.endswith(".js") for name in named)
    assert {f"streamer/web_dist/{name}" for name in named} <= set(wheel.namelist())


def test_page_in_wheel_has_nothing_inline(wheel):
    page = wheel.read(PAGE).decode()

    assert re.findall(r"<script(?![^>]*\bsrc=)", page) == []
    assert re.findall(r"<style|\bstyle=|\bon[a-z]+=|javascript:|data:", page) == []


def test_wheel_holds_no_sources_of_the_page(wheel):
    assert [name for name in wheel.namelist() if name.startswith("web/") or "node_modules" in name] == []


def test_source_archive_holds_the_page_its_sources_and_the_hook(source_archive):
    names = {name.partition("/")[2] for name in source_archive.getnames()}

    assert {PAGE, "hatch_build.py", "web/src/main.ts", "web/package-lock.json", "web/.npmrc"} <= names
    assert not any("node_modules" in name for name in names)
