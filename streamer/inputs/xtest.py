"""Carry out input on an X11 display: keys by their place, text by its characters, pointer, buttons and wheel (XTEST).

A character that the layout lacks is made by a spare key, which stands for it until another character needs that key;
when all spare keys were used a moment ago, the rest waits its turn. A held key is repeated by the X server, as for a
real keyboard. There is no smooth scrolling: the wheel turns by whole notches.
"""

import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from streamer import x11
from streamer.alarm import Timer
from streamer.clock import Clock, SystemClock
from streamer.errors import ConfigError, DeviceError, InputError
from streamer.inputs.base import InputSettings
from streamer.protocol.actions import (
    ButtonChange,
    InputAction,
    KeyChange,
    PointerMove,
    PointerShift,
    TextEntry,
    WheelTurn,
)
from streamer.x11.keycodes import keycode_of

if TYPE_CHECKING:
    from streamer.x11.connection import Connection
    from streamer.x11.fake_input import FakeInput
    from streamer.x11.typist import Typist

logger = logging.getLogger(__name__)

_NAME = "xtest"
# W3C MouseEvent.button to X; 4 to 7 are the wheel.
_BUTTONS = {0: 1, 1: 2, 2: 3, 3: 8, 4: 9}
_WHEEL_UP, _WHEEL_DOWN, _WHEEL_LEFT, _WHEEL_RIGHT = 4, 5, 6, 7
_UNITS_PER_NOTCH = 120
# More clicks than this in one turn are a mistake or an attack; a flick of a free wheel makes about twenty.
_MAX_CLICKS = 64
# A long text is typed in steps, between which the event loop does other things: a character costs up to 60 us.
_STEP_CHARACTERS = 16
_STEP_US = 1_000
# How long the rest of a text waits for spare keys.
_RETRY_US = 50_000
# How much text may wait: the most that a viewer enters at once, two seconds of typing.
MAX_WAITING_CHARACTERS = 32 * 1024


class Options(BaseModel):
    """Which display takes the input."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    display: str | None = Field(default=None, min_length=1, description="X display; that of the environment if absent.")
    xauthority: Path | None = Field(
        default=None, description="File with the display's secret; that of the environment if absent."
    )


@dataclass(slots=True)
class _Wheel:
    """One direction of the wheel: the part of a notch that has not become a click."""

    forward: int
    backward: int
    rest: int = 0

    def turn(self, units: int) -> tuple[int, int]:
        """Return the button that stands for this turn and how often it is clicked."""
        # What was left of the other direction is not owed any more.
        self.rest = units if self.rest * units < 0 else self.rest + units
        clicks = abs(self.rest) // _UNITS_PER_NOTCH
        button = self.forward if self.rest > 0 else self.backward
        self.rest = abs(self.rest) % _UNITS_PER_NOTCH * (1 if self.rest > 0 else -1)
        return button, min(clicks, _MAX_CLICKS)


class XtestBackend:
    """Input of one display. Used on the event loop only."""

    def __init__(self, connection: "Connection", fake_input: "FakeInput", typist: "Typist", clock: Clock) -> None:
        self._connection = connection
        self._fake_input = fake_input
        self._typist = typist
        self._clock = clock
        self._keys: set[int] = set()
        self._buttons: set[int] = set()
        self._wheels = (_Wheel(_WHEEL_RIGHT, _WHEEL_LEFT), _Wheel(_WHEEL_DOWN, _WHEEL_UP))
        self._waiting: deque[InputAction] = deque()
        self._retry: Timer | None = None
        self._failure: InputError | None = None

    def apply(self, actions: Sequence[InputAction]) -> Sequence[TextEntry]:
        if self._failure is not None:
            raise self._failure
        refused = self._queue(actions)
        if self._retry is None:
            self._carry_out()
        return refused

    def release_all(self) -> None:
        self._forget_waiting()
        try:
            with self._connection.translating():
                self._let_go()
                self._connection.raw.flush()
        except DeviceError as exc:
            logger.debug("nothing was released because %s", exc.reason)

    def close(self) -> None:
        if not self._connection.is_open:
            return
        self.release_all()
        try:
            self._typist.restore()
            self._connection.sync()
        except DeviceError as exc:
            logger.debug("keys and spare keys were not given back because %s", exc.reason)
        self._connection.close()

    def _queue(self, actions: Sequence[InputAction]) -> list[TextEntry]:
        """Let the actions wait for their turn, and return the texts that do not fit as a whole."""
        refused: list[TextEntry] = []
        for action in actions:
            if isinstance(action, TextEntry) and not self._has_room_for(action):
                logger.debug("a text is refused because too many characters wait already")
                refused.append(action)
            else:
                self._waiting.append(action)
        return refused

    def _has_room_for(self, entry: TextEntry) -> bool:
        waiting = sum(len(other.text) for other in self._waiting if isinstance(other, TextEntry))
        return waiting + len(entry.text) <= MAX_WAITING_CHARACTERS

    def _carry_out(self) -> None:
        """Carry out what waits, in order, until a text has to wait for spare keys; flush once."""
        try:
            with self._connection.translating():
                self._typist.take_news()
                while self._waiting and self._retry is None:
                    self._apply_one(self._waiting.popleft())
                self._connection.raw.flush()
        except DeviceError as exc:
            self._failure = InputError(_NAME, exc.reason)
            raise self._failure from exc

    def _apply_one(self, action: InputAction) -> None:
        match action:
            case PointerMove():
                size = self._connection.size
                self._fake_input.move_to(*action.pixel(size.width_px, size.height_px))
            case PointerShift(dx_px, dy_px):
                self._fake_input.move_by(dx_px, dy_px)
            case KeyChange(code, is_down):
                self._change_key(code, is_down=is_down)
            case ButtonChange(button, is_down):
                self._change_button(button, is_down=is_down)
            case WheelTurn(dx, dy):
                self._turn_wheel(dx, dy)
            case TextEntry(text):
                self._type(text)

    def _change_key(self, code: str, *, is_down: bool) -> None:
        keycode = keycode_of(code)
        if keycode is None:
            logger.debug("key %r was ignored because no X keyboard has it", code)
        elif is_down != (keycode in self._keys):
            self._fake_input.key(keycode, is_down=is_down)
            self._keys ^= {keycode}

    def _change_button(self, button: int, *, is_down: bool) -> None:
        number = _BUTTONS.get(button)
        if number is not None and is_down != (number in self._buttons):
            self._fake_input.button(number, is_down=is_down)
            self._buttons ^= {number}

    def _turn_wheel(self, dx: int, dy: int) -> None:
        for wheel, units in zip(self._wheels, (dx, dy), strict=True):
            button, clicks = wheel.turn(units)
            for _ in range(clicks):
                self._fake_input.button(button, is_down=True)
                self._fake_input.button(button, is_down=False)

    def _type(self, text: str) -> None:
        text = text.replace("\r\n", "\n")
        step, later = text[:_STEP_CHARACTERS], text[_STEP_CHARACTERS:]
        refused = self._typist.type(step, sorted(self._keys), self._clock.now_us())
        if refused or later:
            self._waiting.appendleft(TextEntry(refused + later))
            wait_us = _RETRY_US if refused else _STEP_US
            self._retry = self._clock.call_at_us(self._clock.now_us() + wait_us, self._retry_waiting)

    def _retry_waiting(self) -> None:
        self._retry = None
        try:
            self._carry_out()
        except InputError as exc:
            # The next call of `apply` raises it: a timer has nobody to tell.
            logger.debug("waiting text was lost because %s", exc.reason)

    def _forget_waiting(self) -> None:
        self._waiting.clear()
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None

    def _let_go(self) -> None:
        for number in sorted(self._buttons):
            self._fake_input.button(number, is_down=False)
        for keycode in sorted(self._keys):
            self._fake_input.key(keycode, is_down=False)
        self._buttons.clear()
        self._keys.clear()
        for wheel in self._wheels:
            wheel.rest = 0


def why_unavailable() -> str | None:
    """Return None if this backend can run here, else the reason it cannot."""
    return x11.why_unavailable()


def create(settings: InputSettings, clock: Clock | None = None) -> XtestBackend:
    """Open the display that the options name.

    Raises:
        ConfigError: there is no such display, or it may not be used.
        InputError: the display takes no input of ours.
    """
    from streamer.x11.connection import Connection
    from streamer.x11.fake_input import FakeInput
    from streamer.x11.typist import Typist

    options = settings.options if settings.options is not None else Options()
    if not isinstance(options, Options):
        raise ConfigError(f"options of the input backend {_NAME!r} are {options!r}, not its own Options")
    connection = Connection(options.display, options.xauthority)
    try:
        with connection.translating():
            fake_input = FakeInput(connection)
            typist = Typist(connection, fake_input)
            connection.watch_size()
            connection.query_size()
        return XtestBackend(connection, fake_input, typist, clock if clock is not None else SystemClock())
    except DeviceError as exc:
        connection.close()
        raise InputError(_NAME, exc.reason) from exc
