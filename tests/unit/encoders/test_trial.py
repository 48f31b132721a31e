from dataclasses import replace

import pytest

from streamer.encoders import _trial, software
from streamer.media.frame import BT601_LIMITED, BT709_LIMITED, ColourDescription, EncodedFrame


class Altered:
    """A software encoder whose frames are tampered with on their way out."""

    def __init__(self, settings, alter):
        self._encoder = software.create(settings)
        self._alter = alter
        self.capabilities = self._encoder.capabilities

    def encode(self, frame, order) -> EncodedFrame:
        return self._alter(order, frame.number, lambda changed: self._encoder.encode(frame, changed))

    def close(self):
        self._encoder.close()


def run(alter):
    _trial.run(lambda settings: Altered(settings, alter), "h264")


def test_trial_believes_an_encoder_that_keeps_the_contract():
    run(lambda order, _, encode: encode(order))


def damaged(order, number, encode):
    frame = encode(order)
    return replace(frame, data=b"\0\0\1\x65") if number == 0 else frame


def rateless(order, _number, encode):
    return encode(replace(order, target_bps=2_000_000))


def everything_is_a_keyframe(order, _number, encode):
    return encode(replace(order, keyframe=True))


def change_makes_a_keyframe(order, number, encode):
    return encode(replace(order, keyframe=order.keyframe or number == 10))


def sudden_keyframe(order, number, encode):
    return encode(replace(order, keyframe=order.keyframe or number == 17))


def no_keyframe(order, _number, encode):
    return encode(replace(order, keyframe=False))


@pytest.mark.parametrize(
    ("alter", "complaint"),
    [
        (everything_is_a_keyframe, "each frame became a keyframe"),
        (change_makes_a_keyframe, "a change of the rate made a keyframe"),
        (sudden_keyframe, "of 30 frames, frame 17 became a keyframe that nobody ordered"),
        (no_keyframe, "a keyframe was ordered and did not come"),
        (rateless, "the rate is not obeyed: told to go from 2.0 to 0.6 Mbit/s, it went to"),
        (damaged, "does not decode|decodes to"),
    ],
)
def test_trial_says_how_the_contract_was_broken(alter, complaint):
    with pytest.raises(_trial.TrialError, match=complaint):
        run(alter)


@pytest.mark.parametrize(
    ("samples", "colour"),
    [
        # The trial's colour by H.273, clause 8.3.
        ((130.3, 91.2, 65.5), BT601_LIMITED),
        ((147.8, 81.4, 58.4), BT709_LIMITED),
        ((133.2, 86.1, 56.9), ColourDescription(1, 1, 6, is_full_range=True)),
        ((153.7, 74.9, 48.7), ColourDescription(1, 1, 1, is_full_range=True)),
        ((128.0, 128.0, 128.0), None),
    ],
)
def test_trial_tells_conversions_apart(samples, colour):
    assert _trial.match_colour(samples) == colour
