"""What a session captures from and sends input to: the private desktop, the source, the input backend.

Opened in that order and closed in reverse. Viewers come and go above them; the devices stay.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel

from streamer import registry
from streamer.clock import Clock
from streamer.config import APP_SOURCE, AUTO, Config
from streamer.desktop.desktop import Desktop, DesktopSettings
from streamer.errors import Unavailable
from streamer.inputs.base import InputBackend, InputSettings
from streamer.session.assembly import gpu_of
from streamer.session.tasks import in_thread
from streamer.settings import backend_options
from streamer.sources.base import EncodedSource, FrameSource, InteractiveSource, SourceSettings

logger = logging.getLogger(__name__)

# The input backends that `auto` means: by the source, since keys go where the pictures come from.
_CALLBACK_BACKEND = "callback"
_SCREEN_BACKEND = "xtest"


_D = TypeVar("_D", bound=FrameSource | EncodedSource | InputBackend | None)


@dataclass(frozen=True, slots=True)
class Devices:
    """The open devices of one session."""

    source: FrameSource | EncodedSource
    input_backend: InputBackend | None
    desktop: Desktop | None

    async def close(self) -> None:
        """Close everything but a frame source, which its feed closes."""
        async with AsyncExitStack() as opened:
            if self.desktop is not None:
                opened.push_async_callback(self.desktop.stop)
            if isinstance(self.source, EncodedSource):
                opened.callback(self.source.close)
            if self.input_backend is not None:
                opened.callback(self.input_backend.close)


async def open_devices(
    config: Config, clock: Clock, last_input: Callable[[], int], stays_on_gpu: Callable[[], bool]
) -> Devices:
    """Open the devices that the configuration names.

    Raises:
        ConfigError: something that it names is not there.
        Unavailable: a backend cannot run on this machine.
        DeviceError: a device does not open.
    """
    async with AsyncExitStack() as opened:
        desktop = await _open_desktop(config, clock)
        if desktop is not None:
            opened.push_async_callback(desktop.stop)
        source = await _opened(lambda: _open_source(config, clock, last_input, stays_on_gpu, desktop))
        opened.callback(source.close)
        input_backend = await _opened(lambda: _open_input(config, source, desktop))
        opened.pop_all()
    return Devices(source, input_backend, desktop)


async def _opened(open_device: Callable[[], _D]) -> _D:
    """Open a device in a thread; when the caller is cancelled meanwhile, close it again: nobody else knows of it."""
    opening = asyncio.ensure_future(in_thread(open_device, "opening of a device"))
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        await asyncio.wait([opening])
        device = None if opening.cancelled() or opening.exception() else opening.result()
        if device is not None:
            device.close()
        raise


async def _open_desktop(config: Config, clock: Clock) -> Desktop | None:
    if config.session.app is None:
        return None
    settings = DesktopSettings(
        command=config.session.app,
        resolution=config.session.size,
        window_manager=config.desktop.window_manager,
        has_glx=config.desktop.has_glx,
        start_timeout_ms=config.desktop.start_timeout_ms,
    )
    desktop = Desktop(settings, clock)
    await desktop.start()
    return desktop


def _open_source(
    config: Config,
    clock: Clock,
    last_input: Callable[[], int],
    stays_on_gpu: Callable[[], bool],
    desktop: Desktop | None,
) -> FrameSource | EncodedSource:
    name = config.session.source
    _require("sources", name)
    settings = SourceSettings(
        resolution=config.session.size,
        fps=config.session.fps,
        clock=clock,
        options=_options(config, "sources", name, desktop),
        last_input=last_input,
        gpu=gpu_of(config),
        stays_on_gpu=stays_on_gpu,
    )
    source: FrameSource | EncodedSource = registry.load("sources", name).create(settings)
    return source


def _open_input(config: Config, source: FrameSource | EncodedSource, desktop: Desktop | None) -> InputBackend | None:
    if not config.input.is_enabled:
        return None
    name = config.input.backend if config.input.backend != AUTO else _fitting_backend(config, source)
    if name is None:
        logger.info("input is off because the source %s takes none", config.session.source)
        return None
    _require("inputs", name)
    sink = source.apply if isinstance(source, InteractiveSource) else None
    settings = InputSettings(sink=sink, options=_options(config, "inputs", name, desktop))
    backend: InputBackend = registry.load("inputs", name).create(settings)
    return backend


def _fitting_backend(config: Config, source: FrameSource | EncodedSource) -> str | None:
    if isinstance(source, InteractiveSource):
        return _CALLBACK_BACKEND
    return _SCREEN_BACKEND if config.session.source == APP_SOURCE else None


def _options(config: Config, kind: str, name: str, desktop: Desktop | None) -> BaseModel | None:
    """Return a backend's options; those of X11 backends point at the private desktop or at the source's display."""
    options = backend_options(config, kind, name)
    if name not in (APP_SOURCE, _SCREEN_BACKEND) or options is None:
        return options
    updates: dict[str, Any] = {}
    if desktop is not None:
        updates = {"display": desktop.display, "xauthority": desktop.xauthority}
    elif name == _SCREEN_BACKEND:
        screen = config.sources.get(APP_SOURCE, {})
        mine = config.inputs.get(_SCREEN_BACKEND, {})
        updates = {key: screen[key] for key in ("display", "xauthority") if key in screen and key not in mine}
    return options.model_validate({**options.model_dump(), **updates})


def _require(kind: str, name: str) -> None:
    reason = registry.why_unavailable(kind, name)
    if reason is not None:
        raise Unavailable(name, reason)
