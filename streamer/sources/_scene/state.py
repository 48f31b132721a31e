"""What the scene knows: where the pointer is, what is held down, what was typed, where everything moves.

Rules of this file: no drawing and no time. An action changes it at once; `step` moves it on by exactly one frame.
Called from the capture thread only. Lengths are pixels of the picture.
"""

import math
from collections import deque
from dataclasses import dataclass, field

from streamer.media.frame import Resolution
from streamer.protocol.actions import (
    ButtonChange,
    InputAction,
    KeyChange,
    PointerMove,
    PointerShift,
    TextEntry,
    WheelTurn,
)
from streamer.sources._scene.keyboard import CODES, SHIFTS, typed
from streamer.sources._scene.layout import Layout, Rect

_WHEEL_NOTCH = 120
_HUE_PER_NOTCH_DEGREES = 15.0
# A cool blue: it stands out from the backdrop, and every button's colour from it.
_FIRST_HUE_DEGREES = 190.0
TRAIL_FRAMES = 18
RIPPLE_FRAMES = 36
# More clicks than these within one ripple's life push out the oldest.
_RIPPLES = 6
_FADE_FRAMES = 14
_TEXT_CHARACTERS = 34
# Button numbers that the scene has colours for, as in W3C MouseEvent.button.
BUTTONS = 5
# The ball at 1280x720 and 60 frames per second: pixels per frame, both even, so that each step is a whole number at
# half the size.
_BALL_STEP = (8.0, 4.0)
_REFERENCE_FPS = 60.0


@dataclass(slots=True)
class Ripple:
    """A circle that grows from where a button went down."""

    x: int
    y: int
    button: int
    age_frames: int = 0


@dataclass(slots=True)
class Ball:
    """It moves by the same step in every frame: whatever else it seems to do was added on the way to the eye."""

    x: float
    y: float
    dx: float
    dy: float

    def step(self, court: Rect) -> None:
        """Move on and bounce off the edges of `court`."""
        self.x, self.dx = _bounce(self.x + self.dx, self.dx, court.left, court.right)
        self.y, self.dy = _bounce(self.y + self.dy, self.dy, court.top, court.bottom)


def _bounce(position: float, step: float, low: float, high: float) -> tuple[float, float]:
    if position < low:
        return 2 * low - position, abs(step)
    if position > high:
        return 2 * high - position, -abs(step)
    return position, step


@dataclass(slots=True)
class SceneState:
    """Everything that the parts of the scene draw from."""

    layout: Layout
    fps: float
    pointer: tuple[int, int] | None = None
    hue_degrees: float = _FIRST_HUE_DEGREES
    wheel_notches: float = 0.0
    text: str = ""
    frames: int = 0
    ball: Ball = field(init=False)
    buttons: set[int] = field(default_factory=set)
    trail: deque[tuple[int, int] | None] = field(default_factory=lambda: deque(maxlen=TRAIL_FRAMES))
    ripples: deque[Ripple] = field(default_factory=lambda: deque(maxlen=_RIPPLES))
    held: set[str] = field(default_factory=set)
    # Key code to the frames for which its light still goes on after it was released.
    fading: dict[str, int] = field(default_factory=dict)
    last_code: str = ""

    def __post_init__(self) -> None:
        step = self.layout.scale * _REFERENCE_FPS / self.fps
        court = self.layout.court
        self.ball = Ball(court.left, court.top, _BALL_STEP[0] * step, _BALL_STEP[1] * step)

    @property
    def resolution(self) -> Resolution:
        return self.layout.resolution

    def apply(self, action: InputAction) -> None:
        """Take one input action; buttons and keys that the scene does not know are no error."""
        match action:
            case PointerMove():
                self._point(*action.pixel(self.resolution.width_px, self.resolution.height_px))
            case PointerShift(dx_px, dy_px):
                x, y = self._place
                self._point(x + dx_px, y + dy_px)
            case WheelTurn(dx, dy):
                notches = (dx + dy) / _WHEEL_NOTCH
                self.wheel_notches += notches
                self.hue_degrees = math.fmod(self.hue_degrees + notches * _HUE_PER_NOTCH_DEGREES, 360.0) % 360.0
            case ButtonChange(button, is_down):
                self._press(button, is_down=is_down)
            case KeyChange(code, is_down):
                self._key(code, is_down=is_down)
            case TextEntry(text):
                self._type(text)

    def step(self) -> None:
        """Move everything on by one frame."""
        self.frames += 1
        self.trail.append(self.pointer)
        self.ball.step(self.layout.court)
        for ripple in self.ripples:
            ripple.age_frames += 1
        while self.ripples and self.ripples[0].age_frames > RIPPLE_FRAMES:
            self.ripples.popleft()
        self.fading = {code: left - 1 for code, left in self.fading.items() if left > 1}

    def light(self, code: str) -> float:
        """Return how brightly a key is lit, 0 to 1."""
        return 1.0 if code in self.held else self.fading.get(code, 0) / _FADE_FRAMES

    @property
    def _place(self) -> tuple[int, int]:
        """Where the pointer is, or would be if it had been seen: in the middle."""
        return self.pointer or (self.resolution.width_px // 2, self.resolution.height_px // 2)

    def _point(self, x: int, y: int) -> None:
        self.pointer = (
            min(max(x, 0), self.resolution.width_px - 1),
            min(max(y, 0), self.resolution.height_px - 1),
        )

    def _press(self, button: int, *, is_down: bool) -> None:
        if not is_down:
            self.buttons.discard(button)
            return
        self.buttons.add(button)
        x, y = self._place
        self.ripples.append(Ripple(x, y, button % BUTTONS))

    def _key(self, code: str, *, is_down: bool) -> None:
        if not is_down:
            if code in self.held:
                self.held.discard(code)
                self.fading[code] = _FADE_FRAMES
            return
        is_first, self.last_code = code not in self.held, code
        # Others are not shown, and what is remembered must not grow with what a viewer invents.
        self.held |= {code} & CODES
        if code == "Backspace":
            self.text = self.text[:-1]
        elif code == "Enter":
            self.text = ""
        elif is_first:
            self._type(typed(code, is_shifted=not self.held.isdisjoint(SHIFTS)))

    def _type(self, text: str) -> None:
        shown = "".join(character if character.isprintable() else " " for character in text)
        self.text = (self.text + shown)[-_TEXT_CHARACTERS:]
