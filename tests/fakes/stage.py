"""A program for a private desktop: fills the screen with colour patches, and writes down what keys and pointer do.

Run as `python stage.py FILE`: each event is a line of JSON. A window manager may not touch its window.
"""

import json
import select
import sys
from pathlib import Path

import xcffib.xproto as xp

from streamer.x11.connection import Connection

# Columns of a row, and rows: the bars of every test card, then colours that are neither full nor empty.
PATCHES = (
    ((255, 255, 255), (255, 255, 0), (0, 255, 255), (0, 255, 0), (255, 0, 255), (255, 0, 0), (0, 0, 255), (0, 0, 0)),
    ((191, 191, 191), (191, 191, 0), (0, 191, 191), (0, 191, 0), (191, 0, 191), (191, 0, 0), (0, 0, 191), (64, 64, 64)),
    ((128, 128, 128), (220, 170, 140), (90, 60, 40), (30, 90, 160), (40, 110, 50), (240, 130, 20), (110, 30, 130),
     (16, 16, 16)),
)  # fmt: skip

_EVENTS = (
    xp.EventMask.KeyPress
    | xp.EventMask.KeyRelease
    | xp.EventMask.ButtonPress
    | xp.EventMask.ButtonRelease
    | xp.EventMask.PointerMotion
    | xp.EventMask.Exposure
)


def patch_px(width_px: int, height_px: int) -> tuple[int, int]:
    """Return the size of a patch on a screen of that size."""
    return width_px // len(PATCHES[0]), height_px // len(PATCHES)


def main() -> None:
    connection = Connection(None)
    core = connection.raw.core
    size = connection.query_size()
    window, gc = connection.raw.generate_id(), connection.raw.generate_id()
    core.CreateWindow(
        0, window, connection.root, 0, 0, size.width_px, size.height_px, 0, xp.WindowClass.InputOutput, 0,
        xp.CW.OverrideRedirect | xp.CW.EventMask, [1, _EVENTS],
    )  # fmt: skip
    core.CreateGC(gc, window, 0, [])
    core.MapWindow(window)
    core.SetInputFocus(xp.InputFocus.PointerRoot, window, 0)
    connection.raw.flush()
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    with Path(sys.argv[1]).open("a", buffering=1) as diary:
        while True:
            for event in connection.events():
                if isinstance(event, xp.ExposeEvent):
                    _draw(core, window, gc, *patch_px(size.width_px, size.height_px))
                    connection.raw.flush()
                else:
                    _write_down(event, diary)
            poll.poll()


def _draw(core, window, gc, width_px, height_px):
    for row, colours in enumerate(PATCHES):
        for column, (red, green, blue) in enumerate(colours):
            core.ChangeGC(gc, xp.GC.Foreground, [red << 16 | green << 8 | blue])
            patch = xp.RECTANGLE.synthetic(column * width_px, row * height_px, width_px, height_px)
            core.PolyFillRectangle(window, gc, 1, [patch])


def _write_down(event, diary):
    name = type(event).__name__.removesuffix("Event")
    if name in ("KeyPress", "KeyRelease", "ButtonPress", "ButtonRelease", "MotionNotify"):
        entry = {"event": name, "detail": event.detail, "x": event.root_x, "y": event.root_y}
        diary.write(json.dumps(entry) + "\n")


if __name__ == "__main__":
    main()
