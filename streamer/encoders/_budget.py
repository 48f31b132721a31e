"""What the engines behind `software` have in common: the bits of the next frame, and what an engine is."""

from typing import Any, Protocol

import av
from av.packet import Packet

from streamer.media.frame import EncodeOrder, PixelFormat, Resolution

BITS_PER_BYTE = 8


class Engine(Protocol):
    """One library with one open encoder. Used by the thread that owns the encoder."""

    @property
    def takes(self) -> PixelFormat:
        """The one format that its pictures must have."""

    @property
    def description(self) -> str:
        """Library, preset and how rates are changed, for people."""

    @property
    def rate_change_needs_keyframe(self) -> bool: ...

    def encode(self, picture: av.VideoFrame, order: EncodeOrder) -> "list[Packet[Any]]":
        """Encode one picture as ordered; whether exactly one packet came is the caller's to check."""


def default_threads(resolution: Resolution, *, two_from_height_px: int) -> int:
    """Return how many threads share one frame where nobody has said."""
    return 2 if resolution.height_px >= two_from_height_px else 1


def frame_bits(order: EncodeOrder, *, share_of_limit: float) -> float:
    """Return how many bits the next frame may take.

    `share_of_limit` is how much of `max_frame_bytes` to aim at, so that a frame that misses its aim stays below it.
    """
    bits = order.target_bps / order.fps
    if order.max_frame_bytes is not None:
        bits = min(bits, order.max_frame_bytes * BITS_PER_BYTE * share_of_limit)
    return bits
