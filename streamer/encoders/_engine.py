"""What `software` asks of each of its libraries, and what it tells all of them where nobody has said anything."""

from typing import Any, Protocol

import av
from av.packet import Packet

from streamer.media.frame import EncodeOrder, PixelFormat, Resolution

# From this height on, a second thread is worth its price; each engine says what it measured.
_TWO_THREADS_FROM_HEIGHT_PX = 720


class Engine(Protocol):
    """One library with one open encoder. Used by the thread that owns the encoder."""

    @property
    def takes(self) -> PixelFormat:
        """The one format that its pictures must have."""

    @property
    def description(self) -> str:
        """Library, preset and how rates are changed, for people."""

    def encode(self, picture: av.VideoFrame, order: EncodeOrder) -> "list[Packet[Any]]":
        """Encode one picture as ordered; whether exactly one packet came is the caller's to check."""

    def close(self) -> None:
        """Give up the library's encoder. Harmless when called twice."""


def default_threads(resolution: Resolution) -> int:
    """Return how many threads share one frame where nobody has said."""
    return 2 if resolution.height_px >= _TWO_THREADS_FROM_HEIGHT_PX else 1
