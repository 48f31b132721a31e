"""What a broken or hostile sender makes of messages: the inputs that lie next to what a parser takes, and how many.

Places are drawn apart from the messages and wrap around at their ends: that is much cheaper to draw than a place within
each message.
"""

from hypothesis import settings
from hypothesis import strategies as st

# Of what we write ourselves, and of what parsing gives back then, a tenth of the inputs tells as much.
round_trips = settings(max_examples=max(100, settings.default.max_examples // 10))

_PLACES = st.integers(0, 4095)
_ENDS = st.none() | _PLACES
_BYTES = st.integers(0, 255)
_TEXTS = st.text(max_size=3)
_LEFT_OUT_CHARACTERS = st.integers(0, 3)


def changed_bytes(messages):
    """Return a strategy of these messages with one byte changed, cut off or not."""
    return st.builds(_with_byte, messages, _PLACES, _BYTES, _ENDS)


def changed_text(texts):
    """Return a strategy of these texts with a few characters put in, or in the place of others."""
    return st.builds(_with_text, texts, _PLACES, _TEXTS, _LEFT_OUT_CHARACTERS)


def _with_byte(message, place, value, end):
    changed = bytearray(message)
    changed[place % len(changed)] = value
    return bytes(changed if end is None else changed[: end % (len(changed) + 1)])


def _with_text(text, place, added, left_out_characters):
    at = place % (len(text) + 1)
    return text[:at] + added + text[at + left_out_characters :]
