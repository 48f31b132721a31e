"""What the engines behind `software` have in common: the bits of the next frame, and what an engine is."""

from typing import Any, Protocol

import av
from av.packet import Packet

from streamer.media.frame import EncodeOrder, PixelFormat, Resolution

BITS_PER_BYTE = 8
# From this height on, two threads are worth their price. 1080p took one thread 10 to 11 ms with libx264 and 16 ms with
# libvpx, two threads 7 to 8 and 10 ms (medians, texture at 12 Mbit/s); 720p took one thread 4 to 5 and 8 ms, which is
# well within a frame interval and less work in all.
_TWO_THREADS_FROM_HEIGHT_PX = 1000


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


def default_threads(resolution: Resolution) -> int:
    """Return how many threads share one frame where nobody has said."""
    return 2 if resolution.height_px >= _TWO_THREADS_FROM_HEIGHT_PX else 1


def frame_bits(order: EncodeOrder, *, share_of_limit: float) -> float:
    """Return how many bits the next frame may take.

    `share_of_limit` is how much of `max_frame_bytes` to aim at, so that a frame that misses its aim stays below it.
    """
    bits = order.target_bps / order.fps
    if order.max_frame_bytes is not None:
        bits = min(bits, order.max_frame_bytes * BITS_PER_BYTE * share_of_limit)
    return bits
