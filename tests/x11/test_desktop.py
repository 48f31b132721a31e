import os
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
import xcffib.xproto as xp

from streamer.clock import SystemClock
from streamer.desktop.desktop import Desktop, DesktopSettings
from streamer.errors import ConfigError, DesktopError
from streamer.inputs import xtest
from streamer.inputs.base import InputSettings
from streamer.media.frame import Resolution
from streamer.protocol.actions import KeyChange, TextEntry
from streamer.sources import screen
from streamer.sources.base import SourceSettings
from streamer.x11.connection import Connection
from tests.fakes.marked import MARK, marked_processes
from tests.fakes.xvfb import WITHOUT_XVFB, wait_for

pytestmark = [
    pytest.mark.x11,
    pytest.mark.skipif(shutil.which("Xvfb") is None, reason=WITHOUT_XVFB),
]
needs_xterm = pytest.mark.skipif(
    shutil.which("xterm") is None or shutil.which("openbox") is None, reason="xterm and openbox are not installed"
)

SIZE = Resolution(640, 480)
# A daemon as old books teach it: forked twice, in a session of its own, deaf to SIGTERM.
DAEMON = (
    "import os,signal,time\n"
    "if os.fork() == 0:\n"
    "    os.setsid()\n"
    "    if os.fork() == 0:\n"
    "        signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "        open({flag!r}, 'w').close()\n"
    "        time.sleep(600)\n"
    "    os._exit(0)\n"
    "time.sleep(600)\n"
)


@pytest.fixture
def mark(monkeypatch):
    mark = uuid.uuid4().hex
    monkeypatch.setenv(MARK, mark)
    return mark


def desktop_of(command, **settings):
    settings = {"has_glx": False, "stop_grace_ms": 500} | settings
    return Desktop(DesktopSettings(command, SIZE, **settings))


def largest_window(desktop):
    with Connection(desktop.display, desktop.xauthority) as connection:
        core = connection.raw.core
        sizes = []
        pending = list(core.QueryTree(connection.root).reply().children)
        while pending:
            window = pending.pop()
            if core.GetWindowAttributes(window).reply().map_state == xp.MapState.Viewable:
                geometry = core.GetGeometry(window).reply()
                sizes.append((geometry.width * geometry.height, Resolution(geometry.width, geometry.height)))
                pending += core.QueryTree(window).reply().children
        return max(sizes, default=(0, None))[1]


def process_of(mark, program):
    """The marked process whose command line begins with that program, or with an interpreter of it."""
    (found,) = [
        pid
        for pid in marked_processes(mark)
        if any(word.endswith(program.encode()) for word in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:4])
    ]
    return found


@needs_xterm
async def test_program_fills_the_screen_shows_what_is_typed_and_leaves_nothing(tmp_path, mark):
    written = tmp_path / "written"
    script = f"read line; printf '%s' \"$line\" > {shlex.quote(str(written))}; exec sleep 600"
    desktop = desktop_of(f"xterm -u8 -e sh -c {shlex.quote(script)}")
    await desktop.start()
    directory = desktop.xauthority.parent
    names = {"display": desktop.display, "xauthority": desktop.xauthority}
    source = screen.create(SourceSettings(SIZE, 60, SystemClock(), screen.Options(**names)))
    backend = xtest.create(InputSettings(options=xtest.Options(**names)))
    wait_for(lambda: largest_window(desktop) == SIZE)
    while (frame := source.grab(500_000)) is not None:
        before = bytes(frame.surface.planes[0].buffer)
        source.release(frame)

    backend.apply([TextEntry("Grüße, 漢字")])
    frame = source.grab(10_000_000)
    backend.apply([KeyChange("Enter", True), KeyChange("Enter", False)])

    assert bytes(frame.surface.planes[0].buffer) != before
    wait_for(lambda: written.exists() and written.read_text() == "Grüße, 漢字")
    # One that is about to run another program has no environment to be known by for a moment.
    wait_for(lambda: len(marked_processes(mark)) >= 5)
    backend.close()
    source.close()
    await desktop.stop()
    await desktop.stop()
    assert marked_processes(mark) == []
    assert not directory.exists()


@needs_xterm
async def test_session_of_a_launcher_ends_with_the_window_that_it_opened(tmp_path, mark):
    written = tmp_path / "written"
    script = f"echo up > {shlex.quote(str(written))}; exec sleep 600"
    desktop = desktop_of(f"sh -c {shlex.quote(f'xterm -e sh -c {shlex.quote(script)} & exit 0')}")
    await desktop.start()
    wait_for(written.exists)
    wait_for(lambda: largest_window(desktop) == SIZE)
    has_ended_before = desktop._ended.done()

    os.kill(process_of(mark, "xterm"), signal.SIGTERM)
    closed = await desktop.ended()

    assert not has_ended_before
    assert (closed.reason, closed.is_failure) == ("the program sh ended with status 0", False)
    await desktop.stop()
    assert marked_processes(mark) == []


async def test_secret_is_readable_by_its_owner_alone_and_demanded():
    desktop = desktop_of("sleep 600", window_manager="none")
    await desktop.start()

    assert stat.S_IMODE(desktop.xauthority.stat().st_mode) == 0o600
    assert stat.S_IMODE(desktop.xauthority.parent.stat().st_mode) == 0o700
    with pytest.raises(ConfigError, match="may you use it"):
        Connection(desktop.display, Path(os.devnull))
    await desktop.stop()


async def test_program_sees_its_display_and_no_secret_of_the_server(tmp_path, monkeypatch):
    monkeypatch.setenv("STREAMER__SERVER__TOKEN", "secret")
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    seen = tmp_path / "seen"
    desktop = desktop_of(f"sh -c {shlex.quote(f'env > {shlex.quote(str(seen))}; pwd >> {shlex.quote(str(seen))}')}")
    await desktop.start()

    await desktop.ended()

    lines = seen.read_text().splitlines()
    assert f"DISPLAY={desktop.display}" in lines
    assert f"XAUTHORITY={desktop.xauthority}" in lines
    assert str(Path.home().resolve()) in lines
    assert not [line for line in lines if line.startswith(("STREAMER__", "WAYLAND_DISPLAY"))]
    await desktop.stop()


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("exit 3", "the program sh ended with status 3"),
        ("exit 0", "the program sh ended with status 0"),
        ("kill -SEGV $$", "the program sh ended with signal SIGSEGV"),
    ],
)
async def test_program_that_exits_at_once_is_reported_with_its_status(script, reason):
    desktop = desktop_of(f"sh -c {shlex.quote(script)}")
    await desktop.start()

    closed = await desktop.ended()

    assert closed.reason == reason
    await desktop.stop()


async def test_last_words_of_a_program_are_for_the_log_alone(caplog):
    desktop = desktop_of("sh -c 'echo no such font >&2; exit 3'")
    await desktop.start()

    closed = await desktop.ended()

    assert "font" not in closed.reason
    assert "the program sh ended with status 3 ('no such font')" in caplog.text
    await desktop.stop()


async def test_program_that_cannot_be_executed_is_a_desktop_error(tmp_path, mark):
    broken = tmp_path / "broken"
    broken.write_bytes(b"\x7fELF and nothing more")
    broken.chmod(0o755)

    with pytest.raises(DesktopError, match=r"broken cannot be executed: Exec format error"):
        await desktop_of(str(broken)).start()

    assert marked_processes(mark) == []


async def test_death_of_the_x_server_is_a_desktop_error(mark):
    desktop = desktop_of("sleep 600")
    await desktop.start()
    server = process_of(mark, "Xvfb")

    os.kill(server, signal.SIGKILL)

    with pytest.raises(DesktopError, match="the X server ended with signal SIGKILL"):
        await desktop.ended()
    await desktop.stop()
    assert marked_processes(mark) == []


async def test_death_of_the_guardian_is_a_desktop_error_and_leaves_nothing(mark):
    desktop = desktop_of("sleep 600")
    await desktop.start()
    directory = desktop.xauthority.parent
    guardian = process_of(mark, "guardian.py")

    os.kill(guardian, signal.SIGKILL)

    with pytest.raises(DesktopError, match="guardian was killed"):
        await desktop.ended()
    await desktop.stop()
    wait_for(lambda: marked_processes(mark) == [])
    assert not directory.exists()


async def test_x_server_that_is_not_ready_in_time_is_a_desktop_error(tmp_path, monkeypatch, mark):
    slow = tmp_path / "Xvfb"
    slow.write_text("#!/bin/sh\nexec sleep 600\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    with pytest.raises(DesktopError, match="the X server was not ready after 150 ms"):
        await desktop_of("sleep 600", start_timeout_ms=150).start()

    assert marked_processes(mark) == []


async def test_x_server_that_fails_is_reported_with_its_last_words(tmp_path, monkeypatch):
    failing = tmp_path / "Xvfb"
    failing.write_text("#!/bin/sh\necho no room for a screen >&2\nexit 1\n")
    failing.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    with pytest.raises(DesktopError, match=r"the X server ended with status 1 \('no room for a screen'\)"):
        await desktop_of("sleep 600").start()


async def test_stop_ends_a_daemon_that_ignores_sigterm(tmp_path, mark):
    flag = tmp_path / "flag"
    script = DAEMON.format(flag=str(flag))
    desktop = desktop_of(f"{sys.executable} -c {shlex.quote(script)}", window_manager="none")
    await desktop.start()
    wait_for(flag.exists)

    await desktop.stop()

    assert marked_processes(mark) == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_outlives_a_killed_server(tmp_path, mark, number, repository):
    flag = tmp_path / "flag"
    script = DAEMON.format(flag=str(flag))
    owner = Path(__file__).with_name("desktop_owner.py")
    argv = [sys.executable, str(owner), f"{sys.executable} -c {shlex.quote(script)}"]
    env = os.environ | {"PYTHONPATH": str(repository)}
    with subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        directory = Path(process.stdout.readline().strip())
        wait_for(flag.exists)
        assert directory.is_dir()
        # The owner, the guardian, Xvfb, the program and its daemon; a window manager if there is one.
        wait_for(lambda: len(marked_processes(mark)) >= 5)

        process.send_signal(number)
        process.wait(20)

    wait_for(lambda: marked_processes(mark) == [])
    wait_for(lambda: not directory.exists())
