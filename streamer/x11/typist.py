"""Type text on a display's keyboard, whatever its layout is and whatever keys are held."""

import logging
from collections.abc import Iterable

from streamer.x11.connection import Connection
from streamer.x11.fake_input import FakeInput
from streamer.x11.keycodes import keycode_of
from streamer.x11.keymap import Keymap, Stroke

logger = logging.getLogger(__name__)

# To let go of one of these and press it again would switch it over.
_LOCKS = frozenset(keycode_of(code) for code in ("CapsLock", "NumLock", "ScrollLock"))


class Typist:
    """Turns text into key strokes. Used by the connection's thread; strokes are queued, the owner flushes."""

    def __init__(self, connection: Connection, fake_input: FakeInput) -> None:
        self._connection = connection
        self._fake_input = fake_input
        self._keymap = Keymap(connection)
        self._is_keymap_stale = False

    def take_news(self) -> None:
        """Take in what the server has sent, without waiting."""
        for event in self._connection.events():
            self._is_keymap_stale = self._is_keymap_stale or self._keymap.is_stale(event)

    def type(self, text: str, held: Iterable[int], now_us: int) -> str:
        """Type as much of `text` as the spare keys allow, and return the rest. `held` keys are down before and after.

        Raises:
            DeviceError: the display is gone.
        """
        if self._is_keymap_stale:
            self._keymap.load()
            self._is_keymap_stale = False
        strokes, rest = self._plan(text, now_us)
        # A held Ctrl would make commands of the text; the text's own keys must be up to be pressed.
        ours = {stroke.keycode for stroke in strokes} | (self._keymap.modifiers - _LOCKS)
        lifted = [keycode for keycode in held if keycode in ours]
        for keycode in lifted:
            self._fake_input.key(keycode, is_down=False)
        for stroke in strokes:
            self._strike(stroke)
        for keycode in lifted:
            self._fake_input.key(keycode, is_down=True)
        return rest

    def restore(self) -> None:
        """Give the spare keys back."""
        self._keymap.restore()

    def _plan(self, text: str, now_us: int) -> tuple[list[Stroke], str]:
        state = self._keymap.state()
        strokes: list[Stroke] = []
        for position, character in enumerate(text):
            stroke = self._keymap.stroke(character, state)
            if stroke is None and self._keymap.can_lend(character):
                stroke = self._keymap.lend(character, now_us)
                if stroke is None:
                    return strokes, text[position:]
            if stroke is None:
                logger.debug("a character was left out because no key can make it")
                continue
            strokes.append(stroke)
        return strokes, ""

    def _strike(self, stroke: Stroke) -> None:
        for keycode in stroke.modifiers:
            self._fake_input.key(keycode, is_down=True)
        self._fake_input.key(stroke.keycode, is_down=True)
        self._fake_input.key(stroke.keycode, is_down=False)
        for keycode in reversed(stroke.modifiers):
            self._fake_input.key(keycode, is_down=False)
