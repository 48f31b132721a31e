"""Findings about what is around the encoder, on a machine that has nothing."""

import pytest

from streamer.child import ChildError
from streamer.doctor import backends
from streamer.doctor.case import Case
from tests.fakes.doctor import lines, make_case


@pytest.fixture(autouse=True)
def _bare_machine(monkeypatch, tmp_path):
    """No program is installed, and each backend but `demo` crashes."""

    def ask(*_: object, name: str, **__: object) -> None:
        if name != "demo":
            raise ChildError("the examination crashed with signal 11 (SIGSEGV)")

    monkeypatch.setattr(Case, "ask", ask)
    monkeypatch.setenv("PATH", str(tmp_path))


def test_crash_of_one_backend_is_a_line_of_its_own(tmp_path):
    found = lines(*backends.examine(make_case(tmp_path)))

    assert found["sources.demo"] == ("ok", "demo")
    assert found["sources.screen"] == ("note", "screen: the examination crashed with signal 11 (SIGSEGV)")


@pytest.mark.parametrize(
    ("sections", "name"),
    [
        ({"session": {"source": "screen"}}, "sources.screen"),
        ({"video": {"converter": "libyuv"}}, "converters.libyuv"),
        ({"input": {"backend": "xtest"}}, "inputs.xtest"),
    ],
)
def test_backend_that_is_asked_for_is_a_problem(tmp_path, sections, name):
    found = backends.examine(make_case(tmp_path, **sections))

    assert [finding.name for finding in found if finding.mark == "problem"] == [name]


def test_private_desktop_is_a_problem_where_a_program_wants_it(tmp_path):
    found = lines(*backends.examine(make_case(tmp_path, session={"app": "xterm"})))
    without = lines(*backends.examine(make_case(tmp_path)))

    sentence = "a private desktop needs 'Xvfb', which is not on PATH; install it (apt install xvfb)"
    assert found["desktop.xvfb"] == ("problem", sentence)
    assert found["desktop.app"][1].startswith("app 'xterm': there is no program 'xterm' that can be run")
    assert without["desktop.xvfb"] == ("note", sentence)
