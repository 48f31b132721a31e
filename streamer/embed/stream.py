"""`streamer.Stream`: a session inside somebody's program, which pushes its pictures and is handed its viewers' input.

The session has a thread with an event loop of its own, so that it lives in scripts, in notebooks and beside the loop of
a GUI. It ends with the program at the latest.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Self

from streamer.clock import SystemClock
from streamer.config import Config
from streamer.embed.host import Host
from streamer.errors import ConfigError, SessionError
from streamer.protocol.actions import InputAction
from streamer.session.door import Opened
from streamer.settings import Given, layer, load
from streamer.sources.callback import CallbackSource

_SOURCE = "callback"
_ITS_PICTURES = f"its pictures are those that are pushed (source {_SOURCE!r}): leave it out"
_ITS_LOG = "the program around it decides what is logged, by the logger 'streamer' of Python's logging: leave it out"
# What a configuration may say and a stream inside a program cannot obey.
_FOREIGN = {
    "session.source": _ITS_PICTURES,
    "session.app": _ITS_PICTURES,
    "log.level": _ITS_LOG,
    "log.format": _ITS_LOG,
}
# How often is looked whether the main thread has ended: what a program that forgets to close waits for at its end.
_LOOK_S = 0.05


class Stream:
    """A session whose pictures the program pushes. Every method may be called from any thread.

    It is open when it has been made. What ends it is `close`, which the end of a `with` block calls, the end of the
    program's main thread, or a failure.
    """

    def __init__(
        self,
        settings: Mapping[str, Any] | None = None,
        *,
        size: str | None = None,
        fps: float | None = None,
        host: str | None = None,
        port: int | None = None,
    ) -> None:
        """Open the session and serve it; return when a browser can open `url`.

        `settings` has sections and keys as configuration files do: `{"video": {"encoder": "nvenc"}}`. The others are
        short for `session.size` ("1280x720"), `session.fps`, `server.host` and `server.port`. No configuration file and
        no environment variable is read.

        Raises:
            ConfigError: something in the settings is not there, or cannot be; the message names the key.
            DeviceError: no encoder can run here, or a device does not open.
        """
        shortcuts = {"session.size": size, "session.fps": fps, "server.host": host, "server.port": port}
        self._host = Host(_configure(settings or {}, shortcuts), SystemClock())
        self._loop = asyncio.new_event_loop()
        self._up: Future[None] = Future()
        self._url: str
        self._source: CallbackSource
        self._failure: Exception | None = None
        # No daemon: viewers shall hear a goodbye and devices be closed, also when the program forgets to.
        self._thread = threading.Thread(target=self._run, name="stream")
        try:
            self._thread.start()
            self._up.result()
        except BaseException:
            # Also a Ctrl-C, while the thread starts or devices are still being opened.
            self.close()
            raise

    @property
    def url(self) -> str:
        """What to open in a browser, with the token where one is needed."""
        return self._url

    @property
    def is_open(self) -> bool:
        return self._thread.is_alive()

    def push(self, array: Any, capture_us: int | None = None, *, stream: Any = None) -> bool:
        """Offer a picture and return whether it was taken; the array may be used again at once.

        It is not taken when a newer one is here, while all surfaces are in use, and after `close`. Without a viewer the
        newest one waits for the first.

        Accepted are uint8 arrays of height, width and 3 or 4 channels, or NV12 of height * 3/2 rows: of numpy, or on a
        GPU of PyTorch, CuPy and all that speak DLPack or the CUDA array interface. The sides of the picture must be
        even, and another size than before is a resize. `stream` is the CUDA stream that draws: with it, nobody waits.
        `capture_us` is when it was made, in microseconds of `time.monotonic`; left out, it is now.

        Raises:
            ValueError: the array is none of these; the message says what it is.
            TypeError: `stream` is no stream.
            SourceError: the GPU cannot be used.
            SessionError: the session has ended by a failure; the message says which.
        """
        self._raise_failure()
        return self._source.push(array, capture_us, stream=stream)

    def on_input(self, callback: Callable[[InputAction], None] | None) -> None:
        """Hand every action of `streamer.protocol.actions` to `callback` from now on, or to nobody.

        It is called in the stream's own thread and must return within a millisecond: hand longer work to another one.
        What it raises is logged and ends nothing, `SystemExit` neither.
        """
        self._source.on_input(callback)

    def close(self) -> None:
        """Say goodbye to everybody and give up everything. Harmless when called twice.

        Returns when that is done; in the stream's own thread, where `on_input` calls, it is done afterwards.
        """
        # A loop that is closed has nothing left to stop.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._host.stop)
        if threading.current_thread() is not self._thread:
            # One whose start was interrupted cannot always be waited for. It ends all the same.
            with contextlib.suppress(RuntimeError):
                self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if error is None:
            # The block may have ended because `is_open` did, and nobody has heard why.
            self._raise_failure()

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(self._serve())
        except Exception as exc:  # noqa: BLE001 - it is raised where somebody waits
            self._failure = exc
        finally:
            if not self._up.done():
                self._up.set_exception(self._failure or SessionError("the program ended before the stream was open"))

    async def _serve(self) -> None:
        watch = asyncio.create_task(self._end_with_program(), name="watch over the main thread")
        try:
            await self._host.run(self._is_up)
        finally:
            watch.cancel()

    def _is_up(self, _: Opened) -> None:
        source = self._host.source
        assert isinstance(source, CallbackSource)
        self._url, self._source = self._host.invitation, source
        self._up.set_result(None)

    async def _end_with_program(self) -> None:
        # By the time that functions of `atexit` are called, a thread pool takes no work and no thread can be started.
        while threading.main_thread().is_alive():  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(_LOOK_S)
        self._host.stop()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise SessionError(str(self._failure)) from self._failure


def _configure(settings: Mapping[str, Any], shortcuts: Mapping[str, Any]) -> Config:
    """Return the configuration of a stream.

    Raises:
        ConfigError: a key is unknown, or a value is not accepted.
    """
    given = layer(settings, "settings")
    for path, why in _FOREIGN.items():
        if path in given and given[path].value != _SOURCE:
            raise ConfigError(f"{path} = {given[path].value!r} (settings): {why}")
    for path, value in shortcuts.items():
        if value is not None:
            given[path] = Given(value, f"argument {path.rpartition('.')[2]}")
    given["session.source"] = Given(_SOURCE, "streamer.Stream")
    return load(environment={}, command_line=given).config
