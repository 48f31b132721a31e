"""Pictures that a program draws with OpenGL, off-screen through EGL: the demo scene, or a renderer of yours.

A renderer is any callable `factory(context, resolution, fps)` that returns an object with `draw(framebuffer, number,
elapsed_us)`, and `apply(action)` if it answers input. `context` is a `moderngl.Context`; `framebuffer` has a colour
texture of RGBA and a depth buffer, and its first row is the lowest. Everything runs in the capture thread, where the
context is current. The pixels are copied once into host memory, or stay on the GPU where that is NVIDIA's and encodes.
"""

from collections.abc import Callable
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field

from streamer.cuda.errors import CudaError
from streamer.errors import LocalProtocolError, SourceError, Unavailable
from streamer.media.frame import Resolution, VideoFrame
from streamer.protocol.actions import InputAction
from streamer.registry import load_callable
from streamer.sources._gl.context import device, open_context
from streamer.sources._gl.exits import Exit, open_exit
from streamer.sources._gl.output import Output
from streamer.sources._turns import Turns
from streamer.sources.base import SourceSettings

_NAME = "gl"


class Options(BaseModel):
    """What is drawn, and on which device."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    renderer: str = Field(
        default="streamer.sources._gl.demo:DemoRenderer",
        pattern=r"^[\w.]+:\w+$",
        description="What draws, as package.module:factory; by default the demo scene.",
    )
    device: int | None = Field(
        default=None, ge=0, description="Number of the EGL device; by default the driver's own choice."
    )
    has_stamp: bool = Field(default=False, description="Draw the frame stamp along the upper edge, for measuring.")


class Renderer(Protocol):
    """What a factory returns. Called in the capture thread alone. `apply(action)` is optional."""

    def draw(self, framebuffer: Any, number: int, elapsed_us: int) -> None:
        """Draw the picture `number` of a moment `elapsed_us` after that of the first one."""


Factory = Callable[[Any, Resolution, float], Renderer]


def why_unavailable() -> str | None:
    """Return None if there is an OpenGL driver here, else what is missing."""
    try:
        device()
    except Unavailable as exc:
        return exc.reason
    return None


def create(settings: SourceSettings) -> "GlSource":
    """Open a context.

    Raises:
        Unavailable: EGL gives none.
        ConfigError: there is no such renderer.
    """
    return GlSource(settings)


class GlSource:
    """What a renderer draws. `apply`, `hasten`, `release`, `wake` may be called from any thread, the rest from one."""

    def __init__(self, settings: SourceSettings) -> None:
        self._options: Options = settings.options or Options()
        self._settings = settings
        self._factory: Factory = load_callable(self._options.renderer, "sources.gl.renderer =")
        self._turns = Turns(settings)
        self._context = open_context(self._options.device)
        self._stage: tuple[Renderer, Output, Exit] | None = None
        self._is_closed = False

    @property
    def resolution(self) -> Resolution:
        return self._settings.resolution

    def apply(self, action: InputAction) -> None:
        self._turns.apply(action)

    def grab(self, timeout_us: int) -> VideoFrame | None:
        if not self._turns.wait(timeout_us):
            return None
        with self._context:
            renderer, output, way_out = self._stage or self._set_up()
            canvas = way_out.ring.take()
            return None if canvas is None else self._draw(renderer, output, way_out, canvas)

    def release(self, frame: VideoFrame) -> None:
        if self._stage is None:
            raise LocalProtocolError(f"frame {frame.number} was released before any was drawn")
        self._stage[2].ring.release(frame.surface)

    def hasten(self) -> None:
        self._turns.hasten()

    def wake(self) -> None:
        self._turns.wake()

    def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        if self._stage is not None:
            with self._context:
                self._stage[2].close()
        # What was made in it goes with it.
        self._context.release()

    def _draw(self, renderer: Renderer, output: Output, way_out: Exit, canvas: Any) -> VideoFrame:
        output.framebuffer.use()
        try:
            frame, elapsed_us = self._turns.begin(canvas.surface, getattr(renderer, "apply", None))
            renderer.draw(output.framebuffer, frame.number, elapsed_us)
        # Somebody else's program: whatever it raises ends this source with its own words.
        except Exception as exc:
            raise SourceError(_NAME, f"{self._options.renderer} failed: {exc!r}") from exc
        try:
            way_out.take_out(output, canvas)
            if self._options.has_stamp:
                way_out.stamp(canvas, frame)
        except CudaError as exc:
            raise SourceError(_NAME, str(exc)) from exc
        return frame

    def _set_up(self) -> tuple[Renderer, Output, Exit]:
        resolution = self._settings.resolution
        try:
            renderer = self._factory(self._context, resolution, self._settings.fps)
        # See `_draw`.
        except Exception as exc:
            raise SourceError(_NAME, f"{self._options.renderer} failed: {exc!r}") from exc
        output = Output(self._context, resolution)
        gpu = self._settings.gpu if self._settings.stays_on_gpu() else None
        # The way out comes last, since it alone has to be closed.
        self._stage = renderer, output, open_exit(self._context, resolution, gpu)
        return self._stage
