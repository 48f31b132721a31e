"""How large encoded frames are: a model of an encoder that holds its rate with a buffer of one frame.

Obeys the `EncodeOrder` of each frame as the encoders of the product do: the target at once, `max_frame_bytes` always.
"""

import random

from streamer.media.frame import EncodeOrder
from streamer.media.units import BITS_PER_BYTE

# Sizes around the target are spread like this: the standard deviation of their logarithm.
_SPREAD = 0.12
# The largest delta frame and the usual keyframe, as multiples of target / fps: what the product's encoders may declare
# (media.frame.Capabilities), which is more than its x264 takes.
_MAX_DELTA_RATIO = 1.5
_KEYFRAME_RATIO = 3.0
# What a frame took beyond its share is taken off the next ones, half of it each time.
_REPAID_RATIO = 0.5
# A keyframe's debt is not repaid beyond this many frames' bytes: quality would suffer for longer than a buffer of one
# frame can remember.
_MAX_DEBT_RATIO = 2.0
# Headers, motion vectors: a frame in which nothing is new.
_MIN_FRAME_BYTES = 120


class Encoder:
    """The sizes of one rendition's frames."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._debt_bytes = 0.0

    def encode(self, order: EncodeOrder, size_ratio: float, *, is_keyframe: bool) -> int:
        """Return the size of the next frame in bytes; `size_ratio` is how much of its share the picture needs."""
        share_bytes = order.target_bps / order.fps / BITS_PER_BYTE
        spread = self._rng.lognormvariate(-_SPREAD * _SPREAD / 2, _SPREAD)
        if is_keyframe:
            size_bytes = share_bytes * _KEYFRAME_RATIO * spread
        else:
            wanted_bytes = share_bytes * size_ratio * spread
            size_bytes = min(wanted_bytes - _REPAID_RATIO * self._debt_bytes, share_bytes * _MAX_DELTA_RATIO)
        if order.max_frame_bytes is not None:
            size_bytes = min(size_bytes, order.max_frame_bytes)
        size_bytes = max(size_bytes, _MIN_FRAME_BYTES)
        debt_bytes = self._debt_bytes + size_bytes - share_bytes
        self._debt_bytes = max(0.0, min(debt_bytes, _MAX_DEBT_RATIO * share_bytes))
        return round(size_bytes)
