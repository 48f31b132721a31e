import os
import subprocess
import sys

import av

from streamer.decoder import open_decoder
from streamer.encoders import software
from streamer.encoders.base import EncoderSettings
from streamer.media.frame import BT709_LIMITED, EncodeOrder, PixelFormat, Resolution
from tests.fakes import clips

SIZE = Resolution(320, 180)
SETTINGS = EncoderSettings("av1", SIZE, PixelFormat.NV12, BT709_LIMITED, 60.0, 2_000_000, 8_000_000)
# An encoder that nobody closes, in a program that ends.
ABANDONED = """
from streamer.encoders import software
from tests.fakes import clips
from tests.unit.encoders.test_svt_av1 import SETTINGS, SIZE
from streamer.media.frame import EncodeOrder
encoder = software.create(SETTINGS)
for frame in clips.textured_clip(SIZE, 5):
    encoder.encode(frame, EncodeOrder(2_000_000, 60.0))
"""


def test_av1_signals_the_colours_of_its_pictures() -> None:
    encoder = software.create(SETTINGS)
    decoder = open_decoder("av1")

    encoded = encoder.encode(clips.smooth_frame(SIZE), EncodeOrder(2_000_000, 60.0))
    encoder.close()

    (picture,) = decoder.decode(av.Packet(encoded.data))
    assert (picture.color_primaries, picture.color_trc, picture.colorspace) == (1, 1, 1)
    assert picture.color_range == 1


def test_av1_says_nothing_on_standard_error_and_ends_with_its_program() -> None:
    environment = {key: value for key, value in os.environ.items() if key != "SVT_LOG"}

    ended = subprocess.run(
        [sys.executable, "-c", ABANDONED], capture_output=True, text=True, check=True, timeout=60, env=environment
    )

    assert ended.stderr == ""


def test_av1_that_was_opened_and_never_used_closes() -> None:
    encoder = software.create(SETTINGS)

    encoder.close()
    encoder.close()

    assert "SVT-AV1" in encoder.description
