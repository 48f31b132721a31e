import os
import subprocess
import sys

import pytest

from streamer import child


@pytest.fixture
def ask(monkeypatch, tmp_path):
    """Let a program of the test's own be the child that is asked."""

    def run(program: str, *question: str, limit_s: float = 20, given: object = None) -> object:
        (tmp_path / "answering.py").write_text(program)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        return child.ask("answering", *question, what="the question", limit_s=limit_s, given=given)

    return run


def test_child_answers_below_what_libraries_print(ask):
    program = "import sys; from streamer import child; print('hello'); child.answer([sys.argv[1], child.read_given()])"

    assert ask(program, "how", given={"x": 1}) == ["how", {"x": 1}]


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
            "the question crashed with signal 11 (SIGSEGV): the driver or its library is broken",
        ),
        ("import os; os._exit(3)", "the question ended with status 3 and said: nothing"),
        ("raise SystemExit('driver on fire')", "the question ended with status 1 and said: driver on fire"),
        ("print('words')", "the question ended with status 0 and said: nothing"),
    ],
    ids=["crash", "end", "words", "nonsense"],
)
def test_child_that_fails_is_a_reason(ask, program, expected):
    with pytest.raises(child.ChildError) as caught:
        ask(program)

    assert str(caught.value) == expected


def test_child_that_hangs_is_given_up(ask):
    with pytest.raises(child.ChildError, match=r"the question took longer than 0.2 s, so the driver hangs"):
        ask("import signal; signal.pause()", limit_s=0.2)


def test_child_that_hangs_ends_with_its_parent(tmp_path):
    line = tmp_path / "line"
    os.mkfifo(line)
    hanging = f"import signal; from streamer import child; child.end_with_parent(); f = open({str(line)!r}, 'w')"
    (tmp_path / "hanging.py").write_text(f"{hanging}; f.write('x'); f.flush(); signal.pause()")
    asking = "from streamer import child; child.ask('hanging', what='it', limit_s=60)"
    parent = subprocess.Popen([sys.executable, "-c", asking], env={**os.environ, "PYTHONPATH": f"{tmp_path}:."})

    with line.open() as output:
        assert output.read(1) == "x"
        parent.kill()
        parent.wait()

        assert output.read() == ""


def test_child_that_cannot_be_started_is_a_reason(ask, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")

    with pytest.raises(child.ChildError, match=r"the question cannot be started: "):
        ask("")
