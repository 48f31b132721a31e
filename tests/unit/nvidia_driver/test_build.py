"""The driver is built once, and says what it lacks."""

import re
from collections.abc import Iterator

import pytest

from tests.nvidia_driver import build
from tests.nvidia_driver.driver import NvidiaDriver

PRELOADED = """
import sys
from tests.nvidia_driver import build
build.preload()
import PyNvVideoCodec
sys.stdout.write(str(PyNvVideoCodec.GetEncoderCaps(gpuid=0, codec="h264")["width_max"]))
"""


@pytest.fixture
def _forgetful() -> Iterator[None]:
    build.why_unavailable.cache_clear()
    build.libraries.cache_clear()
    yield
    build.why_unavailable.cache_clear()
    build.libraries.cache_clear()


@pytest.mark.usefixtures("_forgetful")
def test_driver_is_built_once():
    built = build.libraries()
    made_at_ns = (built.encode / build.ENCODE_LIBRARY).stat().st_mtime_ns
    build.libraries.cache_clear()

    again = build.libraries()

    assert again == built
    assert (again.encode / build.ENCODE_LIBRARY).stat().st_mtime_ns == made_at_ns


@pytest.mark.usefixtures("_forgetful")
def test_driver_lies_outside_the_repository(repository):
    assert repository not in build.libraries().cuda.parents


@pytest.mark.usefixtures("_forgetful")
@pytest.mark.parametrize(
    ("name", "value", "missing"),
    [("_COMPILER", "gcc-of-nowhere", "gcc-of-nowhere"), ("_HEADERS", ("x264-of-nowhere.h",), "x264-of-nowhere.h")],
)
def test_driver_names_what_it_lacks_and_the_packages(monkeypatch, name, value, missing):
    monkeypatch.setattr(build, name, value)

    reason = build.why_unavailable()

    assert reason is not None
    assert missing in reason
    assert "libffmpeg-nvenc-dev" in reason
    with pytest.raises(RuntimeError, match=missing):
        build.libraries()


def test_driver_can_be_loaded_into_a_running_process():
    without_libraries = NvidiaDriver().environment() | {"LD_LIBRARY_PATH": ""}

    done = NvidiaDriver().run_python("-c", PRELOADED, environment=without_libraries)

    assert done.stdout == "4096", done.stderr


def test_every_mode_of_the_libraries_is_set_and_described():
    sources = "".join(path.read_text() for path in build.SOURCES.rglob("*.c"))
    read = set(re.findall(r'\bmode_(?:text|number|is_on)\("(\w+)"', sources))
    documented = set(re.findall(r"`([A-Z_]+)`[,| ]", (build.SOURCES.parent / "README.md").read_text()))

    assert {f"NVIDIA_SUBSTITUTE_{name}" for name in read} == set(NvidiaDriver().modes())
    assert documented == read
