"""Ready to be grabbed from: each source of ours with what makes it produce pictures, and how to read them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from streamer import registry
from streamer.clock import SystemClock
from streamer.media.frame import Resolution, VideoFrame
from streamer.media.planes import PIXEL_BYTES
from streamer.media.stamp import BITS, Stamp, block_px, decode
from streamer.sources.base import FrameSource, SourceSettings

SIZE = Resolution(320, 180)
# Fast, so that tests are; the screen's server keeps up.
FPS = 200.0


@dataclass
class Rig:
    """An open source. `stir` gives it a new picture, if it does not make them by itself."""

    source: FrameSource
    stir: Callable[[], None]
    is_stamped: bool


@contextmanager
def open_rig(name: str, **changes: Any) -> Iterator[Rig]:
    """Open a source by its name; `changes` are to its `SourceSettings`."""
    settings = replace(SourceSettings(SIZE, FPS, SystemClock()), **changes)
    with _RIGS.get(name, _plain)(name, settings) as rig:
        try:
            yield rig
        finally:
            rig.source.close()


def encoded_sources() -> list[str]:
    return ["prepared"]


def frame_sources() -> list[Any]:
    """Return a test parameter for every registered source of frames."""
    names = [name for name in registry.names("sources") if name not in encoded_sources()]
    return [pytest.param(name, marks=[pytest.mark.x11] if name == "screen" else []) for name in names]


def read_stamp(frame: VideoFrame) -> Stamp | None:
    """Return the stamp that the pixels of a frame show."""
    luma = luma_of(frame)
    side_px = block_px(frame.surface.resolution)
    return decode([int(luma[side_px // 2, bit * side_px + side_px // 2]) for bit in range(BITS)])


def luma_of(frame: VideoFrame) -> npt.NDArray[np.float64]:
    """Return luma in limited range; of packed formats only that of greys is right."""
    surface = frame.surface
    plane = surface.planes[0]
    assert plane.buffer is not None
    rows = np.frombuffer(plane.buffer, np.uint8).reshape(-1, plane.pitch_bytes)[: surface.resolution.height_px]
    channels = PIXEL_BYTES.get(surface.format)
    if channels is None:
        return rows[:, : surface.resolution.width_px].astype(float)
    return rows[:, : surface.resolution.width_px * channels : channels] * (219 / 255) + 16.0


def bytes_of(frame: VideoFrame) -> bytes:
    """Return everything that the surface of a frame holds."""
    return b"".join(bytes(plane.buffer) for plane in frame.surface.planes if plane.buffer is not None)


def _nothing() -> None:
    return


@contextmanager
def _plain(name: str, settings: SourceSettings) -> Iterator[Rig]:
    yield Rig(registry.load("sources", name).create(settings), _nothing, is_stamped=name == "pattern")


@contextmanager
def _demo(name: str, settings: SourceSettings) -> Iterator[Rig]:
    module = registry.load("sources", name)
    options = module.Options(has_stamp=True)
    yield Rig(module.create(replace(settings, options=options)), _nothing, is_stamped=True)


@contextmanager
def _callback(name: str, settings: SourceSettings) -> Iterator[Rig]:
    source = registry.load("sources", name).create(settings)
    size = settings.resolution
    shades = iter(range(1 << 30))

    def push() -> None:
        source.push(np.full((size.height_px, size.width_px, 3), next(shades) % 256, np.uint8))

    yield Rig(source, push, is_stamped=False)


@contextmanager
def _screen(name: str, settings: SourceSettings) -> Iterator[Rig]:
    from tests.fakes.x_client import XClient
    from tests.fakes.xvfb import running_xvfb

    size = settings.resolution
    shades = iter(range(1 << 30))
    module = registry.load("sources", name)
    with running_xvfb(width_px=size.width_px, height_px=size.height_px) as display:
        client = XClient(display)
        try:
            source = module.create(replace(settings, options=module.Options(display=display)))
            yield Rig(
                source,
                lambda: client.fill(0x010203 * (next(shades) % 80), 0, 0, size.width_px, size.height_px),
                is_stamped=False,
            )
        finally:
            client.close()


_RIGS = {"demo": _demo, "gl": _demo, "callback": _callback, "screen": _screen}
