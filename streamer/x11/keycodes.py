"""Where a key is, from the browser's name for the place to X's number for it.

The names are those of W3C UI Events KeyboardEvent code Values; the numbers are those of linux/input-event-codes.h. X
servers on Linux number their keys eight higher (xkeyboard-config, keycodes/evdev). Power, Sleep and WakeUp are left
out on purpose: a viewer types into programs, it does not switch the machine off.
"""

_X_OFFSET = 8

_WRITING = {
    "Backquote": 41, "Backslash": 43, "BracketLeft": 26, "BracketRight": 27, "Comma": 51, "Digit0": 11, "Digit1": 2,
    "Digit2": 3, "Digit3": 4, "Digit4": 5, "Digit5": 6, "Digit6": 7, "Digit7": 8, "Digit8": 9, "Digit9": 10,
    "Equal": 13, "IntlBackslash": 86, "IntlRo": 89, "IntlYen": 124, "KeyA": 30, "KeyB": 48, "KeyC": 46, "KeyD": 32,
    "KeyE": 18, "KeyF": 33, "KeyG": 34, "KeyH": 35, "KeyI": 23, "KeyJ": 36, "KeyK": 37, "KeyL": 38, "KeyM": 50,
    "KeyN": 49, "KeyO": 24, "KeyP": 25, "KeyQ": 16, "KeyR": 19, "KeyS": 31, "KeyT": 20, "KeyU": 22, "KeyV": 47,
    "KeyW": 17, "KeyX": 45, "KeyY": 21, "KeyZ": 44, "Minus": 12, "Period": 52, "Quote": 40, "Semicolon": 39,
    "Slash": 53,
}  # fmt: skip

_FUNCTIONAL = {
    "AltLeft": 56, "AltRight": 100, "Backspace": 14, "CapsLock": 58, "ContextMenu": 127, "ControlLeft": 29,
    "ControlRight": 97, "Enter": 28, "MetaLeft": 125, "MetaRight": 126, "OSLeft": 125, "OSRight": 126,
    "ShiftLeft": 42, "ShiftRight": 54, "Space": 57, "Tab": 15, "Convert": 92, "KanaMode": 93, "Lang1": 122,
    "Lang2": 123, "Lang3": 90, "Lang4": 91, "Lang5": 85, "NonConvert": 94, "Hiragana": 91, "Katakana": 90,
    "Delete": 111, "End": 107, "Help": 138, "Home": 102, "Insert": 110, "PageDown": 109, "PageUp": 104,
    "ArrowDown": 108, "ArrowLeft": 105, "ArrowRight": 106, "ArrowUp": 103, "Escape": 1, "PrintScreen": 99,
    "ScrollLock": 70, "Pause": 119,
}  # fmt: skip

_NUMPAD = {
    "NumLock": 69, "Numpad0": 82, "Numpad1": 79, "Numpad2": 80, "Numpad3": 81, "Numpad4": 75, "Numpad5": 76,
    "Numpad6": 77, "Numpad7": 71, "Numpad8": 72, "Numpad9": 73, "NumpadAdd": 78, "NumpadChangeSign": 118,
    "NumpadComma": 121, "NumpadDecimal": 83, "NumpadDivide": 98, "NumpadEnter": 96, "NumpadEqual": 117,
    "NumpadMultiply": 55, "NumpadParenLeft": 179, "NumpadParenRight": 180, "NumpadStar": 55, "NumpadSubtract": 74,
}  # fmt: skip

_FUNCTION = {
    "F1": 59, "F2": 60, "F3": 61, "F4": 62, "F5": 63, "F6": 64, "F7": 65, "F8": 66, "F9": 67, "F10": 68, "F11": 87,
    "F12": 88, "F13": 183, "F14": 184, "F15": 185, "F16": 186, "F17": 187, "F18": 188, "F19": 189, "F20": 190,
    "F21": 191, "F22": 192, "F23": 193, "F24": 194,
}  # fmt: skip

_MEDIA = {
    "Again": 129, "AudioVolumeDown": 114, "AudioVolumeMute": 113, "AudioVolumeUp": 115, "BrightnessDown": 224,
    "BrightnessUp": 225, "BrowserBack": 158, "BrowserFavorites": 156, "BrowserForward": 159, "BrowserHome": 172,
    "BrowserRefresh": 173, "BrowserSearch": 217, "BrowserStop": 128, "Copy": 133, "Cut": 137, "Eject": 161,
    "Find": 136, "LaunchApp1": 144, "LaunchApp2": 140, "LaunchMail": 155, "MailForward": 233, "MailReply": 232,
    "MailSend": 231, "MediaFastForward": 208, "MediaPause": 201, "MediaPlay": 207, "MediaPlayPause": 164,
    "MediaRecord": 167, "MediaRewind": 168, "MediaSelect": 171, "MediaStop": 166, "MediaTrackNext": 163,
    "MediaTrackPrevious": 165, "Open": 134, "Paste": 135, "Props": 130, "Select": 132, "Undo": 131,
    "VolumeDown": 114, "VolumeMute": 113, "VolumeUp": 115,
}  # fmt: skip

EVDEV_CODES: dict[str, int] = _WRITING | _FUNCTIONAL | _NUMPAD | _FUNCTION | _MEDIA


def keycode_of(code: str) -> int | None:
    """Return X's number for the key that the browser calls `code`, or None if no keyboard here has it."""
    evdev = EVDEV_CODES.get(code)
    return None if evdev is None else evdev + _X_OFFSET
