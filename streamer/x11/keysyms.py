"""What X calls a character: its keysyms, the most usual first.

X11 protocol, appendix A: Latin-1 characters and control keys have keysyms of their own, every character has
0x01000000 plus its code point, and the older sets have 256 times the set plus the character's code in that set.
"""

import unicodedata

_UNICODE_BASE = 0x0100_0000
_LAST_LATIN_1 = 0xFF
# General categories of Unicode: control characters and surrogates.
_NOT_TYPED = ("Cc", "Cs")

_CONTROL = {"\b": 0xFF08, "\t": 0xFF09, "\n": 0xFF0D, "\r": 0xFF0D, "\x1b": 0xFF1B, "\x7f": 0xFFFF}

# Layouts still use the sets of before Unicode. Set number, the codec with the same code points, and where they agree.
_OLD_SETS = (
    (0x01, "iso8859_2", 0xA1, 0xFF),
    (0x02, "iso8859_3", 0xA1, 0xFE),
    (0x03, "iso8859_4", 0xA2, 0xFE),
    (0x05, "iso8859_6", 0xAC, 0xF2),
    (0x06, "koi8_u", 0xC0, 0xFF),
    (0x07, "iso8859_7", 0xC1, 0xF9),
    (0x0C, "iso8859_8", 0xE0, 0xFA),
    (0x0D, "tis_620", 0xA1, 0xF9),
)
# The euro sign stands in a set of currencies whose codes are the last two digits of the Unicode ones.
_EURO_SIGN, _EURO_KEYSYM = "\u20ac", 0x20AC


def keysyms_of(character: str) -> tuple[int, ...]:
    """Return the keysyms that stand for `character`; none for a control character that no key makes."""
    if character in _CONTROL:
        return (_CONTROL[character],)
    if unicodedata.category(character) in _NOT_TYPED:
        return ()
    code_point = ord(character)
    if code_point <= _LAST_LATIN_1:
        return (code_point,)
    found = [_UNICODE_BASE | code_point]
    if character == _EURO_SIGN:
        found.insert(0, _EURO_KEYSYM)
    for set_number, codec, first, last in _OLD_SETS:
        encoded = character.encode(codec, "ignore")
        if encoded and first <= encoded[0] <= last:
            found.insert(0, set_number << 8 | encoded[0])
            break
    return tuple(found)
