"""An interactive scene that answers keys, pointer, buttons and wheel on the very next frame, with or without a GPU.

It is what a newcomer sees first, and it shows what matters: the dial and the ball show whether every frame arrives, the
keyboard and the mouse whether input does. A frame of 1280x720 takes the processor about 2 ms to draw.
"""

import logging
from dataclasses import replace
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from streamer.errors import Unavailable
from streamer.media.frame import PixelFormat, Resolution, VideoFrame
from streamer.protocol.actions import InputAction
from streamer.sources import gl
from streamer.sources._gl.context import device
from streamer.sources._ring import SurfaceRing
from streamer.sources._scene.painter import ImagePainter
from streamer.sources._scene.scene import Scene
from streamer.sources._stamping import draw_stamp
from streamer.sources._turns import Turns
from streamer.sources.base import SourceSettings

logger = logging.getLogger(__name__)


class DrawnBy(StrEnum):
    """What draws the scene."""

    AUTO = "auto"
    GL = "gl"
    PROCESSOR = "processor"


class Options(BaseModel):
    """What draws the scene, and what is drawn besides it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    has_stamp: bool = Field(default=False, description="Draw the frame stamp along the upper edge, for measuring.")

    drawn_by: DrawnBy = Field(
        default=DrawnBy.AUTO, description="gl, processor, or auto: OpenGL where a GPU does it, else the processor."
    )


def why_unavailable() -> str | None:
    """Return None: it needs nothing."""
    return None


def create(settings: SourceSettings) -> "DemoSource | gl.GlSource":
    """Draw the still part of the scene and wait for the first frame.

    Raises:
        Unavailable: OpenGL was asked for and is not here.
    """
    options: Options = settings.options or Options()
    if options.drawn_by is DrawnBy.GL or (options.drawn_by is DrawnBy.AUTO and _has_gpu()):
        return gl.create(replace(settings, options=gl.Options(has_stamp=options.has_stamp)))
    return DemoSource(settings)


def _has_gpu() -> bool:
    try:
        found = device()
    except Unavailable as exc:
        logger.debug("the processor draws the scene because %s", exc.reason)
        return False
    # llvmpipe took 33 ms for a 720p picture where our own drawing took 2 ms, and the encoder needs the processor.
    drawn_by = "the processor" if found.is_software else "OpenGL"
    logger.info("%s draws the scene because OpenGL would be done by %s", drawn_by, found.renderer)
    return not found.is_software


class DemoSource:
    """The demo scene. `apply`, `hasten`, `release` and `wake` may be called from any thread, the rest from one."""

    def __init__(self, settings: SourceSettings) -> None:
        options = settings.options or Options()
        self._settings = settings
        self._has_stamp: bool = options.has_stamp
        self._ring = SurfaceRing(PixelFormat.BGRA, settings.resolution)
        self._turns = Turns(settings)
        self._scene = Scene(settings.resolution, settings.fps)

    @property
    def resolution(self) -> Resolution:
        return self._settings.resolution

    def apply(self, action: InputAction) -> None:
        self._turns.apply(action)

    def grab(self, timeout_us: int) -> VideoFrame | None:
        if not self._turns.wait(timeout_us):
            return None
        canvas = self._ring.take()
        if canvas is None:
            return None
        frame, elapsed_us = self._turns.begin(canvas.surface, self._scene.apply)
        self._scene.draw(ImagePainter(canvas.arrays[0], self._scene.backdrop), frame.number, elapsed_us)
        if self._has_stamp:
            draw_stamp(canvas, frame)
        return frame

    def release(self, frame: VideoFrame) -> None:
        self._ring.release(frame.surface)

    def hasten(self) -> None:
        self._turns.hasten()

    def wake(self) -> None:
        self._turns.wake()

    def close(self) -> None:
        self._ring.close()
