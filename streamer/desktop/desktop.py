"""One program on an X display of its own: start the display, a window manager and the program, watch them, end them.

Everything runs under a guardian (guardian.py), so that nothing outlives this process, whatever becomes of it. The
display listens on no network and demands a secret that lies in a private directory.
"""

import asyncio
import logging
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from streamer import x11
from streamer.clock import Clock, SystemClock
from streamer.desktop import window_manager
from streamer.desktop.programs import environment, find_x_server, home, parse_command
from streamer.desktop.ward import Exit, Ward
from streamer.errors import Closed, ConfigError, DesktopError, DeviceError
from streamer.media.frame import Resolution
from streamer.x11.authority import write_cookie

logger = logging.getLogger(__name__)

_BACKEND = "desktop"
_X_SERVER, _WINDOW_MANAGER = "the X server", "the window manager"
# A window manager is a comfort: the program starts without it when it takes longer than this.
_WINDOW_MANAGER_TIMEOUT_US = 3_000_000
# The guardian removes the directory; this one is only for what fails before there is a guardian.
_XAUTHORITY_FILE = "Xauthority"


@dataclass(frozen=True, slots=True)
class DesktopSettings:
    """What runs on the desktop, and how large its screen is.

    `command` is a command line, split into words as a shell would, but run without one.
    """

    command: str
    resolution: Resolution
    window_manager: str = window_manager.AUTO
    has_glx: bool = True
    start_timeout_ms: int = 10_000
    # Programs save on SIGTERM; whoever stopped the server does not want to wait much longer.
    stop_grace_ms: int = 2_000


class Desktop:
    """One private display and its program. Lives once; used on the event loop only."""

    def __init__(self, settings: DesktopSettings, clock: Clock | None = None) -> None:
        """Look for every program that is needed; nothing is started.

        Raises:
            ConfigError: one is not there, or the command line makes no sense.
        """
        reason = x11.why_unavailable()
        if reason is not None:
            raise ConfigError(f"app {settings.command!r} cannot be given a desktop: {reason}")
        self._settings = settings
        self._clock = clock if clock is not None else SystemClock()
        self._argv = parse_command(settings.command)
        self._name = Path(self._argv[0]).name
        self._x_server = find_x_server()
        self._window_manager = window_manager.find(settings.window_manager)
        self._directory: Path | None = None
        self._ward: Ward | None = None
        self._display: str | None = None
        self._ended: asyncio.Future[Closed] | None = None

    @property
    def display(self) -> str:
        """The name of the display, such as ":1"; there is one once it was started."""
        if self._display is None:
            raise DesktopError(_BACKEND, "it has not been started")
        return self._display

    @property
    def xauthority(self) -> Path:
        """The file with the display's secret."""
        if self._directory is None:
            raise DesktopError(_BACKEND, "it has not been started")
        return self._directory / _XAUTHORITY_FILE

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the program."""
        return environment(os.environ, self.display, self.xauthority)

    async def start(self) -> None:
        """Start the display, the window manager and the program, in this order.

        Raises:
            DesktopError: one of them did not start; nothing is left of the others.
        """
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def ended(self) -> Closed:
        """Wait until the program has ended, and return why.

        Raises:
            DesktopError: the display or the guardian has ended instead.
        """
        if self._ended is None:
            raise DesktopError(_BACKEND, "it has not been started")
        return await asyncio.shield(self._ended)

    async def stop(self) -> None:
        """End everything, last started first, and remove every trace. Harmless when called twice."""
        ward, self._ward = self._ward, None
        if ward is not None:
            await ward.close(self._settings.stop_grace_ms)
        if self._directory is not None and self._directory.exists():
            _remove(self._directory)
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(Closed("the desktop was stopped"))

    async def _start(self) -> None:
        began_us = self._clock.now_us()
        self._ended = asyncio.get_running_loop().create_future()
        # Nobody may ever wait for it.
        self._ended.add_done_callback(lambda future: future.exception())
        self._directory = Path(tempfile.mkdtemp(prefix="streamer-desktop-"))
        write_cookie(self.xauthority)
        self._ward = Ward(self._directory, self._on_exit, self._on_lost)
        await self._ward.open()
        await self._start_x_server(self._ward)
        await self._start_window_manager(self._ward)
        await self._ward.start(self._name, self._argv, self.environment, home())
        took_ms = (self._clock.now_us() - began_us) // 1000
        logger.info("desktop %s with %s started in %d ms", self.display, self._name, took_ms)

    async def _start_x_server(self, ward: Ward) -> None:
        argv = [
            *(self._x_server, "-displayfd", "{ready_fd}", "-auth", str(self.xauthority)),
            *("-screen", "0", f"{self._settings.resolution}x24", "-dpi", "96"),
            # A server that resets with its last client would forget its size; one that saves the screen, its picture.
            *("-nolisten", "tcp", "-noreset", "-s", "0"),
        ]
        if not self._settings.has_glx:
            argv += ["-extension", "GLX"]
        env = {name: value for name, value in os.environ.items() if not name.startswith("STREAMER__")}
        text = await ward.start_and_read(_X_SERVER, argv, env, "/", self._settings.start_timeout_ms)
        if not text.isdecimal():
            raise DesktopError(_BACKEND, f"the X server named its display {text!r}")
        self._display = f":{text}"

    async def _start_window_manager(self, ward: Ward) -> None:
        if self._window_manager is None or self._directory is None:
            return
        argv = window_manager.command(self._window_manager, self._directory)
        try:
            await ward.start(_WINDOW_MANAGER, argv, self.environment, home())
            is_ready = await asyncio.to_thread(
                window_manager.wait_until_ready,
                self.display,
                self.xauthority,
                _WINDOW_MANAGER_TIMEOUT_US,
                self._clock,
            )
        except (ConfigError, DeviceError) as exc:
            # If it was the display that failed, whoever waits for the end is told.
            logger.warning("windows keep the size they choose because %s", exc)
            return
        if not is_ready:
            logger.warning("the window manager was not waited for any longer because it did not announce itself")

    def _on_exit(self, ended: Exit) -> None:
        if ended.name == _WINDOW_MANAGER:
            logger.warning("windows keep the size they choose because %s", ended)
        elif ended.name == _X_SERVER:
            self._fail(ended.outcome, details=str(ended))
        else:
            # A program that ends with status 0 was closed by whoever used it.
            self._finish(Closed(f"the program {ended.outcome}", is_failure=ended.status != 0), f"the program {ended}")

    def _on_lost(self) -> None:
        reason = "its guardian was killed"
        self._fail(reason, details=reason)

    def _finish(self, reason: Closed, details: str) -> None:
        """Note the end. Viewers are told the reason; what a program wrote is in the details, for the log alone."""
        if self._ended is not None and not self._ended.done():
            level = logging.ERROR if reason.is_failure else logging.INFO
            logger.log(level, "desktop %s ends because %s", self._display, details)
            self._ended.set_result(reason)

    def _fail(self, reason: str, details: str) -> None:
        if self._ended is not None and not self._ended.done():
            logger.error("desktop %s failed because %s", self._display, details)
            self._ended.set_exception(DesktopError(_BACKEND, reason))


def _remove(directory: Path) -> None:
    for path in directory.iterdir():
        path.unlink(missing_ok=True)
    directory.rmdir()
