"""What encoders make of noise: frames of real libraries, large and the same each time."""

import random
from fractions import Fraction

import av

from streamer.media.frame import Resolution

NOISE_SIZE = Resolution(160, 96)
_SEED = 7


def encoded_noise(library: str, count: int, options: dict[str, str], pixel_format: str = "yuv420p") -> list[bytes]:
    """Return the data of `count` frames of noise at 60 fps."""
    context = av.CodecContext.create(library, "w")
    context.width, context.height, context.pix_fmt = NOISE_SIZE.width_px, NOISE_SIZE.height_px, pixel_format
    context.time_base, context.framerate = Fraction(1, 60), Fraction(60, 1)
    # One thread makes the same on every machine, and libvpx waits for a second one for ever on a busy one.
    context.thread_count = 1
    context.options = options
    rng = random.Random(_SEED)
    frames = []
    for number in range(count):
        picture = av.VideoFrame(context.width, context.height, pixel_format)
        for plane in picture.planes:
            plane.update(rng.randbytes(plane.buffer_size))
        picture.pts = number
        frames += context.encode(picture)
    return [bytes(frame) for frame in (*frames, *context.encode(None))]
