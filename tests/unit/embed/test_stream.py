"""How a stream is opened, and how it ends, as far as no viewer is needed for it."""

import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

import streamer
from streamer.errors import ConfigError, Unavailable
from streamer.server.address import bind
from tests.fakes.program import REPOSITORY

SETTINGS = {"video": {"encoder": "software", "codecs": ["vp8"]}}
PICTURE = np.zeros((180, 320, 3), np.uint8)
_LIMIT_S = 60


def opened(settings=SETTINGS, **keys) -> streamer.Stream:
    return streamer.Stream(settings, **{"size": "320x180", "port": 0, **keys})


def test_stream_takes_pictures_until_it_is_closed():
    stream = opened()
    before = stream.is_open, stream.push(PICTURE)

    stream.close()

    assert before == (True, True)
    assert (stream.is_open, stream.push(PICTURE)) == (False, False)


def test_stream_closes_twice_and_in_a_block():
    with opened() as stream:
        stream.close()
        stream.close()

    assert not stream.is_open


def test_stream_leaves_no_thread_behind():
    before = threading.enumerate()

    with opened() as stream:
        stream.push(PICTURE)

    assert [thread for thread in threading.enumerate() if thread not in before] == []


def test_stream_is_pushed_to_from_many_threads_while_it_closes():
    with opened() as stream:
        pushing = [threading.Thread(target=push_while_open, args=(stream,)) for _ in range(3)]
        for thread in pushing:
            thread.start()

    for thread in pushing:
        thread.join()
    assert not stream.push(PICTURE)


def push_while_open(stream: streamer.Stream) -> None:
    while stream.is_open:
        stream.push(PICTURE)


def test_url_has_the_token_that_lets_in():
    token = "0123456789abcdef"

    with opened({**SETTINGS, "server": {"token": token}}) as stream:
        assert stream.url.endswith(f"/#token={token}")


def test_picture_of_no_kind_is_refused_with_what_it_is():
    with opened() as stream, pytest.raises(ValueError, match=r"shape \(180, 320, 2\) and type uint8 is no frame"):
        stream.push(PICTURE[..., :2])


@pytest.mark.parametrize(
    ("settings", "keys", "message"),
    [
        ({}, {"size": "3x3"}, "session.size = '3x3' (argument size): width and height must be even"),
        ({}, {"fps": 500}, "session.fps = 500 (argument fps): input should be less than or equal to 240"),
        ({"video": {"encodr": "nvenc"}}, {}, "unknown key video.encodr (settings); did you mean video.encoder?"),
        ({"video": {"encoder": "x"}}, {}, "video.encoder = 'x' (settings)"),
        ({"port": 80}, {}, "settings: 'port' stands outside every section; put it into one, such as [video]"),
        ({"sources": {"callback": {"channel_order": "bgra"}}}, {}, "accepted: rgb, bgr"),
        ({"session": {"source": "demo"}}, {}, "session.source = 'demo' (settings): its pictures are those that are"),
        ({"session": {"app": "xterm"}}, {}, "session.app = 'xterm' (settings): its pictures are those that are"),
        ({"log": {"level": "debug"}}, {}, "log.level = 'debug' (settings): the program around it decides"),
        ({}, {"host": "0.0.0.0"}, "server.host = '0.0.0.0' can be reached from other machines"),
    ],
)
def test_mistake_in_the_settings_names_the_key_and_the_way_out(settings, keys, message):
    with pytest.raises(ConfigError) as caught:
        opened(settings, **keys)

    assert message in str(caught.value)


def test_arguments_are_stronger_than_settings():
    with opened({**SETTINGS, "session": {"size": "640x360", "source": "callback"}}, size="320x180") as stream:
        assert str(stream._source.resolution) == "320x180"


def test_environment_and_files_of_the_user_are_not_read(monkeypatch, tmp_path):
    (tmp_path / "streamer").mkdir()
    (tmp_path / "streamer" / "config.toml").write_text("this is no TOML")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("STREAMER__SESSION__FPS", "fast")

    with opened() as stream:
        assert stream.is_open


def test_taken_port_is_refused_and_leaves_no_thread_behind():
    before = threading.enumerate()
    (taken,) = bind("127.0.0.1", 0)
    port = taken.getsockname()[1]

    with taken, pytest.raises(ConfigError, match=f"server.port = {port}: it is taken on 127.0.0.1"):
        opened(port=port)

    assert [thread for thread in threading.enumerate() if thread not in before] == []


def test_encoder_that_cannot_run_here_is_refused_with_the_reason(monkeypatch):
    monkeypatch.setattr("streamer.encoders.software.why_unavailable", lambda: "it was left at home")

    with pytest.raises(Unavailable, match="it was left at home"):
        opened()


def run(program: str) -> subprocess.CompletedProcess[str]:
    # In the mode for developers: what is not closed would be warned about.
    return subprocess.run(
        [sys.executable, "-X", "dev", "-c", program],
        check=False,
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
        cwd=REPOSITORY,
    )


FORGETFUL = """
import numpy as np
import streamer

stream = streamer.Stream({"video": {"encoder": "software"}}, size="320x180", port=0)
assert stream.push(np.zeros((180, 320, 3), np.uint8))
"""


def test_program_that_forgets_to_close_ends_in_silence():
    ended = run(FORGETFUL)

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_program_that_fails_ends_with_its_own_error_alone():
    ended = run(FORGETFUL + "raise SystemExit('it is enough')\n")

    assert (ended.returncode, ended.stderr) == (1, "it is enough\n")


INTERRUPTED = """
import os, signal, threading
import streamer
from streamer.session import studio


def hang(*_):
    os.kill(os.getpid(), signal.SIGINT)
    threading.Event().wait()


studio.Assembly = hang
streamer.Stream(port=0)
"""


def test_ctrl_c_ends_a_stream_that_waits_for_a_driver():
    ended = run(INTERRUPTED)

    assert ended.stderr.endswith("\nKeyboardInterrupt\n")
    assert ended.stderr.count("Traceback") == 1
    assert ended.returncode == -signal.SIGINT


def test_ctrl_c_while_the_thread_of_a_stream_starts_leaves_none_behind(monkeypatch):
    before, start = threading.enumerate(), threading.Thread.start

    def interrupted(thread: threading.Thread) -> None:
        start(thread)
        if thread.name == "stream":
            raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    with pytest.raises(KeyboardInterrupt):
        opened()

    assert [thread for thread in threading.enumerate() if thread not in before] == []


def test_name_is_imported_when_it_is_asked_for():
    program = (
        "import sys, streamer\nbefore = 'av' in sys.modules\nstreamer.Stream\nprint(before, 'av' in sys.modules)\n"
    )

    assert run(program).stdout == "False True\n"


def test_unknown_name_is_no_attribute():
    with pytest.raises(AttributeError, match="'streamer' has no attribute 'Steam'"):
        _ = streamer.Steam
