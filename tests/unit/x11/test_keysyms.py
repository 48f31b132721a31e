import pytest

from streamer.x11.keysyms import keysyms_of


@pytest.mark.parametrize(
    ("character", "keysyms"),
    [
        ("a", (0x61,)),
        ("ÿ", (0xFF,)),
        ("\n", (0xFF0D,)),
        ("\t", (0xFF09,)),
        ("€", (0x20AC, 0x10020AC)),
        ("Ł", (0x1A3, 0x1000141)),
        ("Ж", (0x6F6, 0x1000416)),
        ("ß", (0xDF,)),
        ("Ω", (0x7D9, 0x10003A9)),
        ("א", (0xCE0, 0x10005D0)),
        ("漢", (0x1006F22,)),
        ("😀", (0x101F600,)),
        ("\x00", ()),
        ("\x85", ()),
        ("\ud800", ()),
    ],
)
def test_keysyms_of_a_character(character, keysyms):
    assert keysyms_of(character) == keysyms


def test_every_character_has_at_most_two_keysyms_and_the_last_is_its_own():
    for code_point in range(0x100, 0x3000):
        keysyms = keysyms_of(chr(code_point))
        assert 1 <= len(keysyms) <= 2
        assert keysyms[-1] == 0x01000000 | code_point
