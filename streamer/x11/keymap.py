"""Which key and which modifiers make a character on the display's present layout, and keys lent to characters it lacks.

Speaks the core protocol: a row of keysyms for each key, in which columns 0 and 1 are the first layout plain and with
Shift, 2 and 3 the second one, 4 to 7 the same with AltGr.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import xcffib.xproto

from streamer.x11.connection import Connection
from streamer.x11.keysyms import keysyms_of

_SHIFT_L, _SHIFT_R, _CAPS_LOCK, _ISO_LEVEL3_SHIFT, _MODE_SWITCH = 0xFFE1, 0xFFE2, 0xFFE5, 0xFE03, 0xFF7E
_SHIFT_ROW = 0
# XKB: the two bits of the state above the modifiers and buttons are the layout in use.
_GROUP_SHIFT = 13
_GROUP_MASK = 0b11
_LOCK_MASK = 0b10
# Keycode 8 is no key on Linux, and some toolkits drop it.
_LOWEST_SPARE = 9
# What a program may take to look at a key's new meaning before that key can be lent to another character.
REBIND_AFTER_US = 50_000


@dataclass(frozen=True, slots=True)
class Stroke:
    """One key, and the modifier keys that must be down with it."""

    keycode: int
    modifiers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class KeyboardState:
    """Which layout is in use, and whether Caps Lock is on."""

    group: int
    is_caps_locked: bool


@dataclass(slots=True)
class _Lent:
    """A spare key, what it stands for, and when it was last used."""

    keycode: int
    used_at_us: int


class Keymap:
    """The layout of one connection's display. Used by the connection's thread."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        setup = connection.raw.setup
        self._first: int = setup.min_keycode
        self._count: int = setup.max_keycode - setup.min_keycode + 1
        self._width = 1
        self._keysyms: tuple[int, ...] = ()
        self._places: dict[int, list[tuple[int, int]]] = {}
        self._shift: int | None = None
        self._level3: int | None = None
        self._modifiers: frozenset[int] = frozenset()
        self._unused: list[int] = []
        # Least recently used first.
        self._lent: OrderedDict[int, _Lent] = OrderedDict()
        self.load()

    @property
    def modifiers(self) -> frozenset[int]:
        """The keys that act as modifiers."""
        return self._modifiers

    def is_stale(self, event: Any) -> bool:
        """Return whether an event says that somebody else has changed the layout."""
        # Our own changes, and those of other programs that lend keys, are of one key.
        return isinstance(event, xcffib.xproto.MappingNotifyEvent) and event.count != 1

    def load(self) -> None:
        """Read the layout from the display."""
        with self._connection.translating():
            core = self._connection.raw.core
            reply = core.GetKeyboardMapping(self._first, self._count).reply()
            modifiers = core.GetModifierMapping().reply()
        self._width = reply.keysyms_per_keycode
        self._keysyms = tuple(reply.keysyms)
        self._forget_overwritten()
        self._find_places()
        self._find_modifiers(tuple(modifiers.keycodes), modifiers.keycodes_per_modifier)

    def state(self) -> KeyboardState:
        """Ask the display which layout is in use and whether Caps Lock is on."""
        with self._connection.translating():
            mask = self._connection.raw.core.QueryPointer(self._connection.root).reply().mask
        return KeyboardState((mask >> _GROUP_SHIFT) & _GROUP_MASK, bool(mask & _LOCK_MASK))

    def stroke(self, character: str, state: KeyboardState) -> Stroke | None:
        """Return how to make `character` on the layout as it is, or None if it is not on it."""
        for keysym in keysyms_of(character):
            for keycode, column in self._places.get(keysym, ()):
                modifiers = self._modifiers_for(column, state.group)
                if modifiers is not None:
                    return Stroke(keycode, self._under_caps_lock(character, modifiers, state))
        return None

    def lend(self, character: str, now_us: int) -> Stroke | None:
        """Let a spare key stand for `character`; return None while each was used too short a time ago."""
        # The last one is the Unicode one: the toolkits agree on it.
        keysym = keysyms_of(character)[-1]
        lent = self._lent.get(keysym)
        if lent is None:
            keycode = self._spare(now_us)
            if keycode is None:
                return None
            self._bind(keycode, keysym)
            lent = self._lent[keysym] = _Lent(keycode, now_us)
        lent.used_at_us = now_us
        self._lent.move_to_end(keysym)
        return Stroke(lent.keycode)

    def can_lend(self, character: str) -> bool:
        """Return whether there is anything that a spare key could stand for, and a spare key at all."""
        return bool(keysyms_of(character)) and bool(self._unused or self._lent)

    def restore(self) -> None:
        """Take back every lent key."""
        for lent in self._lent.values():
            self._bind(lent.keycode, 0)
        self._lent.clear()

    def _spare(self, now_us: int) -> int | None:
        if self._unused:
            return self._unused.pop()
        if not self._lent:
            return None
        keysym, oldest = next(iter(self._lent.items()))
        if now_us - oldest.used_at_us < REBIND_AFTER_US:
            return None
        del self._lent[keysym]
        return oldest.keycode

    def _bind(self, keycode: int, keysym: int) -> None:
        # Plain and with Shift the same, so that neither Shift nor Caps Lock makes another character of it.
        with self._connection.translating():
            self._connection.raw.core.ChangeKeyboardMapping(1, keycode, 2, [keysym, keysym])

    def _row(self, keycode: int) -> tuple[int, ...]:
        start = (keycode - self._first) * self._width
        return self._keysyms[start : start + self._width]

    def _forget_overwritten(self) -> None:
        for keysym, lent in list(self._lent.items()):
            if keysym not in self._row(lent.keycode):
                del self._lent[keysym]

    def _find_places(self) -> None:
        lent = {entry.keycode for entry in self._lent.values()}
        self._places = {}
        self._unused = []
        for keycode in range(self._first, self._first + self._count):
            row = self._row(keycode)
            if keycode in lent:
                continue
            if not any(row):
                if keycode >= _LOWEST_SPARE:
                    self._unused.append(keycode)
                continue
            for column, keysym in enumerate(row):
                if keysym:
                    self._places.setdefault(keysym, []).append((keycode, column))
        for places in self._places.values():
            places.sort(key=lambda place: place[1])

    def _find_modifiers(self, keycodes: tuple[int, ...], per_modifier: int) -> None:
        self._modifiers = frozenset(keycodes) - {0}
        shifts = [code for code in keycodes[:per_modifier] if code]
        self._shift = shifts[_SHIFT_ROW] if shifts else None
        level3 = self._places.get(_ISO_LEVEL3_SHIFT, []) + self._places.get(_MODE_SWITCH, [])
        self._level3 = next((code for code, _ in level3 if code in self._modifiers), None)

    def _modifiers_for(self, column: int, group: int) -> tuple[int, ...] | None:
        """Return the keys that select a column of the layout in use, or None if none do."""
        if (column >> 1) & 1 != min(group, 1):
            return None
        wanted: list[int | None] = []
        if column & 1:
            wanted.append(self._shift)
        if column & 4:
            wanted.append(self._level3)
        keys = tuple(key for key in wanted if key is not None)
        return keys if len(keys) == len(wanted) else None

    def _under_caps_lock(self, character: str, keys: tuple[int, ...], state: KeyboardState) -> tuple[int, ...]:
        has_case = character.lower() != character.upper()
        if not state.is_caps_locked or not has_case or self._shift is None:
            return keys
        if self._shift in keys:
            return tuple(key for key in keys if key != self._shift)
        return (*keys, self._shift)
