"""A small X client for tests: it fills rectangles, resizes the screen, and hears what keys and pointer do."""

import select
from dataclasses import dataclass, field

import xcffib
import xcffib.randr
import xcffib.xproto as xp

from streamer.x11.connection import Connection

_KEYS_AND_POINTER = (
    xp.EventMask.KeyPress
    | xp.EventMask.KeyRelease
    | xp.EventMask.ButtonPress
    | xp.EventMask.ButtonRelease
    | xp.EventMask.PointerMotion
)


@dataclass
class XClient:
    """One connection of a test's own."""

    display: str
    heard: list[tuple[str, int]] = field(default_factory=list)
    places: list[tuple[int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.connection = Connection(self.display)
        self.raw = self.connection.raw
        self.core = self.raw.core
        self._gc = self.raw.generate_id()
        self.core.CreateGC(self._gc, self.connection.root, 0, [])
        self.raw.flush()

    def fill(self, colour: int, x: int, y: int, width: int, height: int) -> None:
        """Draw a rectangle on the root window, and wait until the server has."""
        self.core.ChangeGC(self._gc, xp.GC.Foreground, [colour])
        rectangle = xp.RECTANGLE.synthetic(x, y, width, height)
        self.core.PolyFillRectangle(self.connection.root, self._gc, 1, [rectangle])
        self.sync()

    def sync(self) -> None:
        self.core.GetInputFocus().reply()

    def listen(self) -> None:
        """Cover the screen with a window that hears everything."""
        size = self.connection.query_size()
        window = self.raw.generate_id()
        self.core.CreateWindow(
            0, window, self.connection.root, 0, 0, size.width_px, size.height_px, 0, xp.WindowClass.InputOutput, 0,
            xp.CW.OverrideRedirect | xp.CW.EventMask, [1, _KEYS_AND_POINTER],
        )  # fmt: skip
        self.core.MapWindow(window)
        self.sync()
        self.core.SetInputFocus(xp.InputFocus.PointerRoot, window, 0)
        self.sync()

    def hear(self, count: int, timeout_ms: int = 5000) -> list[tuple[str, int]]:
        """Wait until `count` keys and buttons have gone down or up, and return all so far."""
        poll = select.poll()
        poll.register(self.connection.fileno(), select.POLLIN)
        while True:
            self._take()
            if len(self.heard) >= count or not poll.poll(timeout_ms):
                return self.heard

    def _take(self) -> None:
        for event in self.connection.events():
            if isinstance(event, xp.KeyPressEvent | xp.KeyReleaseEvent | xp.ButtonPressEvent | xp.ButtonReleaseEvent):
                self.heard.append((type(event).__name__.removesuffix("Event"), event.detail))
            if isinstance(event, xp.MotionNotifyEvent):
                self.places.append((event.root_x, event.root_y))

    def pointer(self) -> tuple[int, int]:
        reply = self.core.QueryPointer(self.connection.root).reply()
        return reply.root_x, reply.root_y

    def resize(self, width: int, height: int) -> None:
        """Give the screen another size, not above that of its start, as xrandr would."""
        randr = self.raw(xcffib.randr.key)
        root = self.connection.root
        resources = randr.GetScreenResources(root).reply()
        crtc, output = resources.crtcs[0], resources.outputs[0]
        name = f"{width}x{height}".encode()
        mode_info = xcffib.randr.ModeInfo.synthetic(
            0, width, height, 60 * width * height, width, width, width, 0, height, height, height, len(name), 0
        )
        mode = randr.CreateMode(root, mode_info, len(name), name).reply().mode
        randr.AddOutputModeChecked(output, mode).check()
        now = resources.config_timestamp
        rotation = xcffib.randr.Rotation.Rotate_0
        self.core.GrabServer()
        randr.SetCrtcConfig(crtc, 0, now, 0, 0, 0, rotation, 0, []).reply()
        randr.SetScreenSizeChecked(root, width, height, width // 4, height // 4).check()
        randr.SetCrtcConfig(crtc, 0, now, 0, 0, mode, rotation, 1, [output]).reply()
        self.core.UngrabServer()
        self.sync()

    def close(self) -> None:
        self.connection.close()
