"""The right to send input: who holds it, and the way from a viewer's bytes to the input backend.

The first viewer holds the seat and the others watch; when the holder leaves, the next in the line gets it. Everything
that a holder holds down is released when the seat moves, when its channels close and when it falls silent.
"""

import logging
from collections.abc import Callable, Sequence

from streamer.alarm import Timer
from streamer.clock import Clock
from streamer.errors import InputError
from streamer.inputs.base import InputBackend
from streamer.protocol.actions import InputAction
from streamer.protocol.allowance import Allowance
from streamer.protocol.input import Motion, MotionMessage, parse
from streamer.session.controls import Controls

logger = logging.getLogger(__name__)

# A pointer at 250 messages a second, a wheel and fast typing stay far below; above it motion is dropped, before the
# viewer's channels have sent so much that it is closed.
_MESSAGES_PER_S = 1_000
_BURST_MESSAGES = 2_000
_LOW_BYTE = 0xFF


def _nothing() -> None:
    """Hasten no source: there is none yet."""


class _Place:
    """A viewer in the line: its controls, and what it may send before its motion is dropped."""

    __slots__ = ("allowance", "controls", "is_present")

    def __init__(self, now_us: int) -> None:
        self.controls = Controls()
        self.is_present = True
        self.allowance = Allowance(_MESSAGES_PER_S, _BURST_MESSAGES, now_us)


class Seat:
    """The seat of one session. Event loop only, but for `last_input`."""

    def __init__(self, clock: Clock, on_changed: Callable[[], None], on_text_refused: Callable[[str], None]) -> None:
        self._backend: InputBackend | None = None
        self._hasten: Callable[[], None] = _nothing
        self._clock = clock
        self._on_changed = on_changed
        self._on_text_refused = on_text_refused
        self._line: dict[str, _Place] = {}
        self._holder: str | None = None
        self._is_open = False
        self._timer: Timer | None = None
        self._last_input = 0

    @property
    def holder(self) -> str | None:
        """Who holds the seat; None as well where input changes nothing, so that nobody is told to be in control."""
        return self._holder if self._is_open else None

    def has_place(self, viewer: str) -> bool:
        """Return whether the viewer is in the line, or away from its place in it for a moment."""
        return viewer in self._line

    def last_input(self) -> int:
        """Return the low byte of the sequence number of the last applied message. Callable from any thread."""
        return self._last_input

    def connect(self, backend: InputBackend | None, hasten: Callable[[], None], *, is_open: bool) -> None:
        """Carry out input with `backend` from now on; the seat does not close it.

        `hasten` is called when something was applied whose picture should not wait for its turn. `is_open` says whether
        input changes anything: a source can show it without a backend.
        """
        self._backend = backend
        self._hasten = hasten
        self._is_open = is_open

    def join(self, viewer: str) -> None:
        """Put a viewer at the end of the line; one that was away has kept its place but starts with fresh controls."""
        self._release(viewer)
        place = _Place(self._clock.now_us())
        self._line[viewer] = place
        self._pass_on()

    def step_out(self, viewer: str) -> None:
        """Release what the viewer holds and keep its place: it may be back in a moment."""
        if viewer in self._line:
            self._release(viewer)
            self._line[viewer].is_present = False

    def leave(self, viewer: str) -> None:
        """Take the viewer out of the line."""
        self._release(viewer)
        self._line.pop(viewer, None)
        self._pass_on()

    def take(self, viewer: str, data: bytes) -> None:
        """Carry out one input message of a viewer; that of a viewer without the seat changes nothing.

        Raises:
            RemoteProtocolError: the bytes are malformed, hold more keys than there are or make too long a text.
        """
        message = parse(data)
        place = self._line.get(viewer)
        if place is None or not self._is_open:
            return
        now_us = self._clock.now_us()
        is_within = place.allowance.take(now_us)
        # Of this channel everything is said again, by totals or by the other channel.
        if isinstance(message, MotionMessage) and not is_within:
            return
        actions = place.controls.take(message, now_us)
        if viewer != self._holder:
            place.controls.release()
            return
        self._apply(actions)
        self._last_input = place.controls.newest_sequence & _LOW_BYTE
        # Motion comes so often that the next turn shows most of it, and it would use up the haste of the clicks.
        if actions and not isinstance(message, Motion):
            self._hasten()
        self._watch_silence(place.controls)

    def close(self) -> None:
        """Release everything and send everybody away."""
        for viewer in list(self._line):
            self.leave(viewer)
        self._cancel_timer()
        self._backend = None

    def _apply(self, actions: Sequence[InputAction]) -> None:
        if not actions or self._backend is None:
            return
        try:
            refused = self._backend.apply(actions)
        except InputError as exc:
            logger.warning("input is off because %s", exc)
            self._backend, self._is_open = None, False
            self._on_changed()
            return
        if refused and self._holder is not None:
            self._on_text_refused(self._holder)

    def _release(self, viewer: str) -> None:
        place = self._line.get(viewer)
        if place is not None:
            actions = place.controls.release()
            if viewer == self._holder:
                self._apply(actions)

    def _pass_on(self) -> None:
        if self._holder not in self._line:
            self._holder = next((viewer for viewer, place in self._line.items() if place.is_present), None)
            self._cancel_timer()
        self._on_changed()

    def _watch_silence(self, controls: Controls) -> None:
        if controls.expires_at_us is not None and self._timer is None:
            self._timer = self._clock.call_at_us(controls.expires_at_us, self._check_silence)

    def _check_silence(self) -> None:
        self._timer = None
        place = self._line.get(self._holder or "")
        if place is None or place.controls.expires_at_us is None:
            return
        if self._clock.now_us() >= place.controls.expires_at_us:
            logger.info("everything is released because the holder of the seat fell silent")
            self._release(self._holder or "")
        else:
            self._watch_silence(place.controls)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
