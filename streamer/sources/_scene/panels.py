"""What changes on the panels of the scene: lit keys, the text line, the mouse, the dial that counts frames."""

import math

import numpy as np

from streamer.sources._scene import shapes
from streamer.sources._scene.backdrop import INK
from streamer.sources._scene.font import Font
from streamer.sources._scene.keyboard import KEYS
from streamer.sources._scene.layout import Layout, Rect
from streamer.sources._scene.lights import BUTTON_COLOURS
from streamer.sources._scene.painter import Painter, Tone, write
from streamer.sources._scene.pixels import Coverage, Image, add, blend, from_hue
from streamer.sources._scene.state import SceneState

_PLACEHOLDER = "type something"
_CARET_FRAMES = 30


class Keyboard:
    """Lights the keys that are held, and lets them fade. Belongs to the capture thread."""

    def __init__(self, layout: Layout) -> None:
        self._reach_px = layout.px(10)
        self._rects = {key.code: layout.key(key.left, key.row, key.width) for key in KEYS}
        radius_px = layout.px(6)
        sizes = {(rect.width, rect.height) for rect in self._rects.values()}
        self._halos = {size: shapes.halo(*size, radius_px, self._reach_px) for size in sizes}

    def draw(self, painter: Painter, state: SceneState) -> None:
        """Add the light of every key that is lit."""
        for code in state.held | state.fading.keys():
            rect = self._rects.get(code)
            if rect is not None:
                halo = self._halos[rect.width, rect.height]
                tone = Tone(from_hue(state.hue_degrees), state.light(code))
                painter.light(rect.left - self._reach_px, rect.top - self._reach_px, halo, tone)


class TextLine:
    """Shows what was typed, and a caret. Belongs to the capture thread."""

    def __init__(self, layout: Layout) -> None:
        self._rect = layout.text_line
        self._font = Font(17 * layout.scale, max(1.1, 2.1 * layout.scale))
        self._caret = shapes.box(layout.px(3), self._font.height_px, 1)

    def draw(self, painter: Painter, state: SceneState) -> None:
        """Add the line of text and its caret."""
        tone = Tone(INK, 1.0 if state.text else 0.3)
        write(painter, self._font, state.text or _PLACEHOLDER, self._rect.left, self._rect.top, tone)
        if state.frames // _CARET_FRAMES % 2 == 0:
            x = self._rect.left + len(state.text) * self._font.advance_px
            painter.light(x, self._rect.top, self._caret, Tone(from_hue(state.hue_degrees)))


class Mouse:
    """Shows buttons, wheel and position. Belongs to the capture thread."""

    def __init__(self, layout: Layout) -> None:
        self._rect = layout.mouse
        self._pad = layout.padding
        px = layout.px
        height = self._rect.height - 2 * self._pad
        self._body = Rect(self._rect.left + self._pad + px(4), self._rect.top + self._pad, px(130), height)
        self._lit = {0: self._button(layout, px(6)), 2: self._button(layout, px(70))}
        self._wheel_lit = shapes.halo(px(14), px(40), px(7), px(8))
        self._notch = shapes.box(px(10), px(3), px(1))
        self._reach = px(8)
        self._font = Font(11 * layout.scale, max(1.0, 1.4 * layout.scale))
        self._layout = layout

    def draw_still(self, image: Image) -> None:
        """Draw what never changes."""
        px, body = self._layout.px, self._body
        blend(image, body.left, body.top, shapes.box(body.width, body.height, px(58)), INK, 0.045)
        blend(image, body.left, body.top, shapes.frame(body.width, body.height, px(58), px(2)), INK, 0.25)
        split = shapes.box(body.width - 2 * px(2), px(1), 0)
        blend(image, body.left + px(2), body.top + px(104), split, INK, 0.25)
        middle = body.left + body.width // 2
        blend(image, middle, body.top + px(2), shapes.box(px(1), px(102), 0), INK, 0.25)
        wheel = shapes.box(px(18), px(48), px(9))
        blend(image, middle - px(9), body.top + px(28), wheel, (10, 12, 28), 1.0)
        blend(image, middle - px(9), body.top + px(28), shapes.frame(px(18), px(48), px(9), px(1)), INK, 0.35)
        for row, caption in enumerate(("pointer", "wheel", "key")):
            blend(image, *self._line(row, 0), self._font.line(caption), INK, 0.45)

    def draw(self, painter: Painter, state: SceneState) -> None:
        """Add lit buttons, the turning wheel and the numbers."""
        px, body = self._layout.px, self._body
        middle = body.left + body.width // 2
        for button in state.buttons:
            tone = Tone(BUTTON_COLOURS[button % len(BUTTON_COLOURS)], 0.8)
            if button in self._lit:
                painter.light(body.left, body.top, self._lit[button], tone)
            elif button == 1:
                painter.light(middle - px(7) - self._reach, body.top + px(32) - self._reach, self._wheel_lit, tone)
        self._turn_wheel(painter, state, middle - px(5), body.top + px(32))
        accent = Tone(from_hue(state.hue_degrees))
        place = f"{state.pointer[0]} {state.pointer[1]}" if state.pointer else "-"
        for row, text in enumerate((place, f"{state.wheel_notches:+.2f}", state.last_code or "-")):
            write(painter, self._font, text[:16], *self._line(row, 1), accent)

    def _button(self, layout: Layout, left: int) -> Coverage:
        """Return the light of a button, cut to the body that it belongs to."""
        px, body = layout.px, self._body
        height = px(104)
        canvas = np.zeros((height, body.width, 4), np.uint8)
        light = shapes.halo(px(54), px(90), px(8), px(6))
        add(canvas, left - px(6), px(8) - px(6), np.repeat(light[..., None], 4, axis=2))
        inside = shapes.box(body.width, body.height, px(58))[:height]
        return canvas[..., 0] & inside

    def _turn_wheel(self, painter: Painter, state: SceneState, left: int, top: int) -> None:
        """Draw three notches that move down by a third of the wheel with each notch."""
        reach, tone = self._layout.px(40), Tone(from_hue(state.hue_degrees), 0.9)
        for notch in range(3):
            share = (state.wheel_notches / 3 + notch / 3) % 1.0
            painter.light(left, top + round(share * (reach - self._notch.shape[0])), self._notch, tone)

    def _line(self, row: int, part: int) -> tuple[int, int]:
        px = self._layout.px
        return self._body.right + px(22), self._body.top + px(14) + row * px(82) + part * px(26)


class Dial:
    """A ring of sixty ticks, one for each frame, around a running clock: a missing frame is a gap that the eye sees."""

    _TICKS, _TAIL = 60, 24

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._ticks = [self._tick(i) for i in range(self._TICKS)]
        self._clock = Font(13.5 * layout.scale, max(1.1, 1.7 * layout.scale))
        self._count = Font(10 * layout.scale, max(1.0, 1.2 * layout.scale))

    def draw_still(self, image: Image) -> None:
        """Draw what never changes."""
        disc = shapes.disc(self._layout.dial_radius)
        blend(image, *self._corner(disc), disc, (6, 8, 20), 0.45)
        for x, y, tick in self._ticks:
            blend(image, x, y, tick, INK, 0.16)
        caption = self._count.line("frame")
        y = self._layout.dial_y + self._layout.px(16)
        blend(image, self._layout.dial_x - caption.shape[1] // 2, y, caption, INK, 0.45)

    def draw(self, painter: Painter, state: SceneState, number: int, elapsed_us: int) -> None:
        """Add the lit ticks, the time since the start and the number of the frame."""
        colour = from_hue(state.hue_degrees)
        for age in range(min(self._TAIL, number + 1)):
            x, y, tick = self._ticks[(number - age) % self._TICKS]
            painter.light(x, y, tick, Tone(colour, (1 - age / self._TAIL) ** 2, 0.6 if age == 0 else 0.0))
        seconds, milliseconds = divmod(elapsed_us // 1000, 1000)
        clock = f"{seconds // 60 % 100:02}:{seconds % 60:02}.{milliseconds:03}"
        self._write(painter, self._clock, clock, self._layout.dial_y - self._layout.px(17))
        self._write(painter, self._count, str(number), self._layout.dial_y + self._layout.px(36))

    def _write(self, painter: Painter, font: Font, text: str, y: int) -> None:
        x = self._layout.dial_x - len(text) * font.advance_px // 2
        write(painter, font, text, x, y, Tone(INK, 0.95))

    def _tick(self, index: int) -> tuple[int, int, Coverage]:
        angle = 2 * math.pi * index / self._TICKS
        outer = self._layout.dial_radius - self._layout.px(4)
        inner = outer - self._layout.px(12 if index % 5 == 0 else 8)
        x0, y0, x1, y1 = (radius * part for radius in (inner, outer) for part in (math.sin(angle), -math.cos(angle)))
        weight = max(1.2, 3.0 * self._layout.scale)
        tick = shapes.line(x1 - x0, y1 - y0, weight)
        margin = weight / 2 + 1
        left, top = self._layout.dial_x + min(x0, x1) - margin, self._layout.dial_y + min(y0, y1) - margin
        return round(left), round(top), tick

    def _corner(self, coverage: Coverage) -> tuple[int, int]:
        return self._layout.dial_x - coverage.shape[1] // 2, self._layout.dial_y - coverage.shape[0] // 2
