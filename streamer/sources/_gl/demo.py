"""The demo scene as a renderer of the source `gl`."""

from typing import Any

from streamer.media.frame import Resolution
from streamer.protocol.actions import InputAction
from streamer.sources._gl.painter import GlPainter
from streamer.sources._scene.scene import Scene


class DemoRenderer:
    """See `gl.Renderer`."""

    def __init__(self, context: Any, resolution: Resolution, fps: float) -> None:
        self._scene = Scene(resolution, fps)
        self._painter = GlPainter(context, resolution, self._scene.backdrop)

    def apply(self, action: InputAction) -> None:
        """Take one input action; the next picture shows it."""
        self._scene.apply(action)

    def draw(self, framebuffer: Any, number: int, elapsed_us: int) -> None:
        """Draw the next picture of the scene."""
        self._scene.draw(self._painter, number, elapsed_us)
        self._painter.finish(framebuffer)
