import json
import sys

import pytest

from streamer.encoders import _proof, _proof_cache
from streamer.errors import Unavailable
from streamer.media.frame import BT709_LIMITED, Resolution

PROOF = _proof.Proof("RTX 4000", "560.35", Resolution(146, 50), Resolution(4096, 4096), BT709_LIMITED, True)


@pytest.fixture
def child(monkeypatch, tmp_path):
    """Let a program of the test's own be the child that is asked."""

    def use(program: str) -> None:
        (tmp_path / "answering.py").write_text(program)
        monkeypatch.setattr(_proof, "_CHILD", "answering")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    caches = (_proof._run, _proof._ask)
    for cache in caches:
        cache.cache_clear()
    yield use
    for cache in caches:
        cache.cache_clear()
    _proof.hangs.clear()


def reason() -> str:
    with pytest.raises(Unavailable) as caught:
        _proof.prove("nvenc", "h264", 0)
    return caught.value.reason


def test_proof_comes_from_a_process_of_its_own(child):
    child(f"import sys; print('a library says hello'); print({json.dumps(PROOF.to_json())!r})")

    assert _proof.prove("nvenc", "h264", 0) == PROOF
    assert "answering" not in sys.modules


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("print('\"this GPU has no video encoder\"')", "this GPU has no video encoder"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "its proof crashed with signal 11 (SIGSEGV)"),
        ("import os; os._exit(3)", "its proof ended with status 3 and said: nothing"),
        ("raise SystemExit('driver on fire')", "its proof ended with status 1 and said: driver on fire"),
        ("print('[1]')", "its proof was not understood"),
        ("print('{}')", "its proof was not understood"),
    ],
    ids=["refusal", "crash", "end", "words", "list", "nothing"],
)
def test_proof_that_fails_is_a_reason(child, program, expected):
    child(program)

    assert reason().startswith(expected)


def test_proof_that_hangs_is_given_up(child, monkeypatch):
    monkeypatch.setattr(_proof, "_TIMEOUT_S", 0.2)
    child("import signal; signal.pause()")

    assert reason().startswith("its proof took longer than 0.2 s, so the driver hangs")


def test_driver_that_keeps_people_waiting_is_named(child, monkeypatch, caplog):
    monkeypatch.setattr(_proof, "_SLOW_AFTER_S", 0)
    child("print('\"it took its time\"')")

    assert reason() == "it took its time"

    assert "the NVIDIA driver has not answered for 0 s: it is given 30 s" in caplog.messages


def test_driver_that_hung_once_is_asked_nothing_more(child, monkeypatch, tmp_path):
    monkeypatch.setattr(_proof, "_TIMEOUT_S", 0.2)
    child("import signal; signal.pause()")
    hung = reason()
    child(f"open({str(tmp_path / 'asked')!r}, 'w')")

    assert _proof.why_none("nvenc_av", ("h264", "h265")) == hung
    assert not (tmp_path / "asked").exists()


def test_proof_is_asked_for_once_in_a_process(child, tmp_path):
    child(f"import sys; open({str(tmp_path / 'asked')!r}, 'a').write(sys.argv[1] + ' '); print('\"no\"')")

    reason(), reason()

    assert (tmp_path / "asked").read_text() == "nvenc count "


ANSWERS = """
import json, sys
if sys.argv[1] == "count":
    print(3)
elif sys.argv[3] == "0":
    print('"no encoder"')
elif sys.argv[2] == "h264":
    print({proof!r})
else:
    print('"not this codec"')
"""


def test_proven_codecs_are_those_of_the_first_gpu_that_encodes(child):
    child(ANSWERS.format(proof=json.dumps(PROOF.to_json())))

    assert _proof.proven("nvenc", ("h264", "vp8", "never heard of")) == {"h264": PROOF}
    assert _proof.why_none("nvenc", ("h264", "vp8")) is None
    assert _proof.why_none("nvenc", ("vp8",)) == "GPU 0: no encoder; GPU 1: not this codec; GPU 2: not this codec"


def test_gpu_that_was_chosen_is_named_where_there_are_others(child):
    child(ANSWERS.format(proof=json.dumps(PROOF.to_json())))

    assert reason() == "GPU 0: no encoder"


def test_no_driver_is_reason_enough(child):
    child("print('\"there is no driver\"')")

    assert _proof.why_none("nvenc", ("h264",)) == "there is no driver"
    assert _proof.proven("nvenc", ("h264",)) == {}


def test_cache_gives_back_what_was_stored():
    _proof_cache.store("a key", {"value": 1})

    assert _proof_cache.load("a key") == {"value": 1}
    assert _proof_cache.load("another key") is None


def test_cache_forgets_everything():
    _proof_cache.store("a key", {"value": 1})

    _proof_cache.clear()

    assert _proof_cache.load("a key") is None


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe", b"{", b"[]", b"null", b'{"key": "other", "value": {}}', b'{"key": "a key", "value": 3}'],
)
def test_cache_takes_a_broken_file_for_none_and_writes_it_anew(content):
    _proof_cache.store("a key", {"value": 1})
    path = _proof_cache._path("a key")
    path.write_bytes(content)

    assert _proof_cache.load("a key") is None

    _proof_cache.store("a key", {"value": 2})
    assert _proof_cache.load("a key") == {"value": 2}
    assert list(path.parent.glob(f"{path.name}?*")) == []


def test_cache_does_without_a_folder_that_can_be_written(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))

    _proof_cache.store("a key", {"value": 1})

    assert _proof_cache.load("a key") is None


def test_cache_ignores_a_relative_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", "somewhere")
    monkeypatch.setenv("HOME", str(tmp_path))

    assert _proof_cache._path("a key").parent == tmp_path / ".cache" / "render-streamer"


def test_cache_does_without_a_home(monkeypatch):
    def unknown(number):
        raise KeyError(number)

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", unknown)

    _proof_cache.store("a key", {"value": 1})
    _proof_cache.clear()

    assert _proof_cache.load("a key") is None
