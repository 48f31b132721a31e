"""Put the scene together: the still part first, then everything that moves.

Knows nothing of surfaces and pacing: it draws with the painter that it is handed.
"""

from streamer.media.frame import Resolution
from streamer.protocol.actions import InputAction
from streamer.sources._scene.backdrop import draw_backdrop
from streamer.sources._scene.field import SparkField
from streamer.sources._scene.layout import Layout
from streamer.sources._scene.lights import Lights
from streamer.sources._scene.painter import Painter
from streamer.sources._scene.panels import Dial, Keyboard, Mouse, TextLine
from streamer.sources._scene.state import SceneState


class Scene:
    """The demo scene at one resolution. Belongs to the capture thread."""

    def __init__(self, resolution: Resolution, fps: float) -> None:
        layout = Layout(resolution)
        self._state = SceneState(layout, fps)
        self._field = SparkField(layout)
        self._lights = Lights(layout)
        self._keyboard = Keyboard(layout)
        self._text = TextLine(layout)
        self._mouse = Mouse(layout)
        self._dial = Dial(layout)
        # Everything that stands still.
        self.backdrop = draw_backdrop(layout)
        self._mouse.draw_still(self.backdrop)
        self._dial.draw_still(self.backdrop)

    def apply(self, action: InputAction) -> None:
        """Take one input action; the next drawn picture shows it."""
        self._state.apply(action)

    def draw(self, painter: Painter, number: int, elapsed_us: int) -> None:
        """Move on by one frame and draw what moves over the backdrop."""
        self._state.step()
        self._field.step(self._state.pointer)
        self._field.draw(painter)
        self._keyboard.draw(painter, self._state)
        self._text.draw(painter, self._state)
        self._mouse.draw(painter, self._state)
        self._dial.draw(painter, self._state, number, elapsed_us)
        self._lights.draw(painter, self._state)
