"""An X program for measurements: a window over the whole screen with a stamped picture that moves, or stands still.

Run as `python -m streamer.bench.stamped_client FPS [--still | --burst-ms N | --terminal]`. The stamp's input number
counts the presses of buttons and keys that the window has got. A moving picture shows a press with its next regular
frame, as programs do that draw at a fixed rate. A still one is drawn when something is pressed, and never otherwise: as
a whole, as a burst of moving frames, or as a terminal that shows one more character.
"""

import argparse
import math
import select
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import xcffib.shm
import xcffib.xproto as xp

from streamer.clock import SystemClock, sharpen_thread_timers
from streamer.media import stamp
from streamer.media.stamp import Stamp
from streamer.x11.connection import Connection
from streamer.x11.shm import Segment

Picture = npt.NDArray[np.uint8]

# As in the `pattern` source: blocks of 8 pixels with a grain that differs from frame to frame, so that an encoder has
# several Mbit/s of work; without the grain, panning alone costs it next to nothing.
_BLOCK_PX = 8
_PERIOD_PX = 256
_PAN_PX = (2, 4)
_MEAN, _BLOCK_AMPLITUDE, _GRAIN_AMPLITUDE, _GRAINS = 126, 46, 9, 4
# Greys whose luma, after conversion to limited range, is that of a stamp's bits.
_GREY_ZERO, _GREY_ONE = 9, 242
_PATCH_PX = 64
# A character of a terminal, light on dark.
_CELL_PX = (16, 8)
_CELL_GREYS = (40, 200)
_BYTES_PER_PIXEL = 4


class StampedWindow:
    """The window, its shared memory and the texture that pans through it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._raw = connection.raw
        self._shm = connection.extension(xcffib.shm, "MIT-SHM")
        self._size = connection.query_size()
        width, height = self._size.width_px, self._size.height_px
        self._segment = Segment(connection, self._shm, width * height * _BYTES_PER_PIXEL)
        self._picture: Picture = np.frombuffer(self._segment.buffer, np.uint8).reshape(height, width, _BYTES_PER_PIXEL)
        self._textures = _textures(width, height)
        self._glyphs = _glyphs()
        self._window, self._gc = self._raw.generate_id(), self._raw.generate_id()
        self._open()
        self.frames = 0
        self.presses = 0

    def draw(self, now_us: int) -> None:
        """Draw the next picture, stamped with `now_us`."""
        self._pan()
        self._show(now_us)

    def draw_character(self, now_us: int) -> None:
        """Draw the last picture with one more character in it, stamped with `now_us`."""
        if not self.frames:
            self._pan()
        height_px, width_px = _CELL_PX
        # Below the stamp, in rows from left to right.
        columns = self._size.width_px // width_px
        rows = (self._size.height_px - stamp.block_px(self._size)) // height_px
        row, column = divmod(self.presses % (rows * columns), columns)
        top, left = stamp.block_px(self._size) + row * height_px, column * width_px
        self._picture[top : top + height_px, left : left + width_px] = self._glyphs[self.presses % len(self._glyphs)]
        self._show(now_us)

    def _pan(self) -> None:
        height, width, _ = self._picture.shape
        top, left = (self.frames * step_px % _PERIOD_PX for step_px in _PAN_PX)
        texture = self._textures[self.frames % _GRAINS]
        np.copyto(self._picture, texture[top : top + height, left : left + width])
        if self.presses % 2:
            middle_x, middle_y = width // 2, height // 2
            self._picture[middle_y : middle_y + _PATCH_PX, middle_x : middle_x + _PATCH_PX] = 255

    def _show(self, now_us: int) -> None:
        height, width, _ = self._picture.shape
        self._stamp(Stamp.of(now_us, self.frames, self.presses))
        self._shm.PutImage(
            self._window, self._gc, width, height, 0, 0, width, height, 0, 0,
            self._connection.root_depth, xp.ImageFormat.ZPixmap, False, self._segment.resource, 0,
        )  # fmt: skip
        self._raw.flush()
        self.frames += 1

    def hear(self) -> bool:
        """Take in what has arrived; return whether something was pressed, or the window was covered and shown again."""
        wants_drawing = False
        for event in self._connection.events():
            if isinstance(event, xp.ButtonPressEvent | xp.KeyPressEvent):
                self.presses += 1
                wants_drawing = True
            elif isinstance(event, xp.ExposeEvent):
                wants_drawing = True
        return wants_drawing

    def _open(self) -> None:
        width, height = self._size.width_px, self._size.height_px
        mask = xp.EventMask.ButtonPress | xp.EventMask.KeyPress | xp.EventMask.Exposure
        self._raw.core.CreateWindow(
            0, self._window, self._connection.root, 0, 0, width, height, 0, xp.WindowClass.InputOutput, 0,
            xp.CW.OverrideRedirect | xp.CW.EventMask, [1, mask],
        )  # fmt: skip
        self._raw.core.CreateGC(self._gc, self._window, 0, [])
        self._raw.core.MapWindow(self._window)
        # No window manager does it for a window that it does not manage.
        self._raw.core.SetInputFocus(xp.InputFocus.PointerRoot, self._window, xp.Time.CurrentTime)
        self._raw.flush()

    def _stamp(self, value: Stamp) -> None:
        side_px = stamp.block_px(self._size)
        greys = np.full(stamp.COLUMNS * side_px, _GREY_ZERO, np.uint8)
        bits = np.repeat(np.array(stamp.encode(value), np.uint8), side_px)
        greys[: bits.size] += bits * np.uint8(_GREY_ONE - _GREY_ZERO)
        self._picture[:side_px, : greys.size] = greys[None, :, None]


def _textures(width: int, height: int) -> list[Picture]:
    """Return textures that differ in their grain, each a period larger than the picture, so that panning never ends."""
    generator = np.random.default_rng(1)
    blocks_per_side = _PERIOD_PX // _BLOCK_PX
    blocks = generator.integers(-_BLOCK_AMPLITUDE, _BLOCK_AMPLITUDE, (blocks_per_side, blocks_per_side), np.int16)
    tile = _MEAN + blocks.repeat(_BLOCK_PX, axis=0).repeat(_BLOCK_PX, axis=1)
    tiles = (-(-height // _PERIOD_PX) + 1, -(-width // _PERIOD_PX) + 1)
    textures = []
    for _ in range(_GRAINS):
        grain = generator.integers(-_GRAIN_AMPLITUDE, _GRAIN_AMPLITUDE, tile.shape, np.int16)
        grey = np.tile((tile + grain).astype(np.uint8), tiles)
        textures.append(np.repeat(grey[:, :, None], _BYTES_PER_PIXEL, axis=2))
    return textures


def _glyphs() -> list[Picture]:
    """Return characters that differ from each other, of no script."""
    generator = np.random.default_rng(2)
    dark, light = _CELL_GREYS
    bits = generator.integers(0, 2, (_GRAINS, *_CELL_PX, 1), np.uint8)
    return list(np.repeat(dark + bits * np.uint8(light - dark), _BYTES_PER_PIXEL, axis=3))


class Program:
    """Draws into a window, regularly or when something is pressed, until the display is gone."""

    def __init__(self, connection: Connection, fps: float) -> None:
        self._clock = SystemClock()
        self._window = StampedWindow(connection)
        self._interval_us = round(1_000_000 / fps)
        self._poll = select.poll()
        self._poll.register(connection.fileno(), select.POLLIN)

    def move(self, until_us: float = math.inf) -> None:
        """Draw a frame in each interval."""
        due_at_us = self._clock.now_us()
        while due_at_us < until_us:
            self._clock.block_until_us(due_at_us)
            self._window.hear()
            self._window.draw(self._clock.now_us())
            due_at_us = max(due_at_us + self._interval_us, self._clock.now_us())

    def stand_still(self, answer: Callable[[int], None]) -> None:
        """Call `answer` with the time when something is pressed."""
        while True:
            self._poll.poll()
            if self._window.hear():
                answer(self._clock.now_us())

    def _burst(self, now_us: int, length_us: int) -> None:
        # Before the first press the window was only asked to show itself.
        if self._window.presses:
            self.move(now_us + length_us)
        else:
            self._window.draw(now_us)

    def run(self, arguments: argparse.Namespace) -> None:
        """Do what the arguments say."""
        if arguments.burst_ms is not None:
            self.stand_still(lambda now_us: self._burst(now_us, arguments.burst_ms * 1000))
        elif arguments.terminal:
            self.stand_still(self._window.draw_character)
        elif arguments.still:
            self.stand_still(self._window.draw)
        else:
            self.move()


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description="Draw a stamped picture on the X display of the environment.")
    parser.add_argument("fps", type=float)
    stillness = parser.add_mutually_exclusive_group()
    stillness.add_argument("--still", action="store_true")
    stillness.add_argument("--burst-ms", type=int)
    stillness.add_argument("--terminal", action="store_true")
    arguments = parser.parse_args()
    sharpen_thread_timers()
    with Connection() as connection:
        Program(connection, arguments.fps).run(arguments)


if __name__ == "__main__":
    main()
