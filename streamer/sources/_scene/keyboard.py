"""The keys that the scene shows: where they lie, what is written on them, and what they type.

Named by W3C `KeyboardEvent.code`, laid out as the US keyboard of that specification.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Key:
    """One key: its left edge, row and width in units of an ordinary key."""

    code: str
    label: str
    left: float
    row: int
    width: float


_SHIFTED = dict(zip("`1234567890-=[]\\;',./", '~!@#$%^&*()_+{}|:"<>?', strict=True))
_NAMED = {
    "`": "Backquote", "-": "Minus", "=": "Equal", "[": "BracketLeft", "]": "BracketRight", "\\": "Backslash",
    ";": "Semicolon", "'": "Quote", ",": "Comma", ".": "Period", "/": "Slash",
}  # fmt: skip
# Rows of keys: a character types itself; `code:label:width` is a key that types nothing.
_ROWS = (
    "Escape:esc:1 1 2 3 4 5 6 7 8 9 0 - = Backspace:back:2",
    "Tab:tab:1.5 Q W E R T Y U I O P [ ] \\:\\:1.5",
    "CapsLock:caps:1.75 A S D F G H J K L ; ' Enter:enter:2.25",
    "ShiftLeft:shift:2.25 Z X C V B N M , . / ShiftRight:shift:2.75",
    (
        "ControlLeft:ctrl:1.5 MetaLeft:meta:1.25 AltLeft:alt:1.25 Space::6 AltRight:alt:1.25 MetaRight:meta:1.25 "
        "ControlRight:ctrl:2.5"
    ),
)
_ARROWS = (
    Key("ArrowUp", "\u2191", 16.5, 3, 1),
    Key("ArrowLeft", "\u2190", 15.5, 4, 1),
    Key("ArrowDown", "\u2193", 16.5, 4, 1),
    Key("ArrowRight", "\u2192", 17.5, 4, 1),
)
ROWS: Final = len(_ROWS)
WIDTH: Final = 18.5
SHIFTS: Final = frozenset({"ShiftLeft", "ShiftRight"})


def _code(character: str) -> str:
    if character.isdigit():
        return f"Digit{character}"
    return _NAMED.get(character, f"Key{character}")


def _lay_out() -> tuple[Key, ...]:
    keys: list[Key] = []
    for row, names in enumerate(_ROWS):
        left = 0.0
        for name in names.split():
            code, label, width = name.split(":") if ":" in name[1:] else (_code(name), name, "1")
            keys.append(Key(_NAMED.get(code, code), label, left, row, float(width)))
            left += float(width)
    return (*keys, *_ARROWS)


KEYS: Final = _lay_out()
CODES: Final = frozenset(key.code for key in KEYS)


def _typing() -> dict[str, tuple[str, str]]:
    typed = {"Space": (" ", " ")}
    for character, shifted in _SHIFTED.items():
        typed[_code(character)] = (character, shifted)
    for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ":
        typed[f"Key{letter}"] = (letter.lower(), letter)
    return typed


_TYPING = _typing()


def typed(code: str, *, is_shifted: bool) -> str:
    """Return the character that a key types on a US keyboard, or nothing."""
    return _TYPING.get(code, ("", ""))[is_shifted]
