import string

import pytest

from streamer.x11.keycodes import EVDEV_CODES, keycode_of


@pytest.mark.parametrize(
    ("code", "keycode"),
    [
        ("Escape", 9),
        ("KeyA", 38),
        ("Space", 65),
        ("IntlBackslash", 94),
        ("IntlRo", 97),
        ("NumpadEnter", 104),
        ("AltRight", 108),
        ("ArrowUp", 111),
        ("AudioVolumeUp", 123),
        ("MetaLeft", 133),
        ("F24", 202),
    ],
)
def test_keycode_is_that_of_the_evdev_rules(code, keycode):
    assert keycode_of(code) == keycode


def test_every_letter_digit_and_function_key_has_a_code():
    wanted = {f"Key{letter}" for letter in string.ascii_uppercase} | {f"Digit{digit}" for digit in range(10)}
    wanted |= {f"F{number}" for number in range(1, 25)} | {f"Numpad{digit}" for digit in range(10)}

    assert wanted <= EVDEV_CODES.keys()


def test_codes_fit_into_a_keycode():
    assert all(9 <= keycode_of(code) <= 255 for code in EVDEV_CODES)


@pytest.mark.parametrize("code", ["Power", "Sleep", "WakeUp", "", "keya"])
def test_unknown_keys_and_those_of_the_machine_have_none(code):
    assert keycode_of(code) is None
