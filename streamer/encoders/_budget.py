"""What an order means to an engine: the bits of the next frame, and a frame rate as a fraction."""

from fractions import Fraction

from streamer.media.frame import EncodeOrder
from streamer.media.units import BITS_PER_BYTE

# That of the NTSC rates, such as 60000/1001: no rate in use needs a larger one.
_MAX_FPS_DENOMINATOR = 1001


def frame_bits(order: EncodeOrder, *, share_of_limit: float) -> float:
    """Return how many bits the next frame may take.

    `share_of_limit` is how much of `max_frame_bytes` to aim at, so that a frame that misses its aim stays below it.
    """
    bits = order.target_bps / order.fps
    if order.max_frame_bytes is not None:
        bits = min(bits, order.max_frame_bytes * BITS_PER_BYTE * share_of_limit)
    return bits


def fps_fraction(fps: float) -> Fraction:
    """Return a frame rate as engines are told it."""
    return Fraction(fps).limit_denominator(_MAX_FPS_DENOMINATOR)
