"""What the engines behind `software` have in common: the bits of the next frame, and what an engine is."""

from typing import Any, Protocol

import av
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext

from streamer.media.frame import ColourDescription, EncodeOrder, PixelFormat, Resolution
from streamer.media.units import BITS_PER_BYTE

# NVENC is taken to keep single frames of H.264 within a one-frame buffer. Of other codecs nobody knows: the bound is
# that of libx265 in the substitute driver, where the first frame of a new scene took 3.1 budgets.
NVENC_STEERED_CODECS = ("h264",)
NVENC_DELTA_RATIOS = {"h264": 1.5, "h265": 3.5, "av1": 3.5}
# From this height on, a second thread is worth its price; each engine says what it measured.
_TWO_THREADS_FROM_HEIGHT_PX = 720
# FFmpeg's AVCOL_RANGE_MPEG and AVCOL_RANGE_JPEG.
_LIMITED_RANGE, _FULL_RANGE = 1, 2
# What an encoder that pays for a new rate with a keyframe may be off by before it pays: less above than below, since
# what is above has to wait in the pacer.
_SPARED_RATIOS = (0.87, 1.05)


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


def frame_bits(order: EncodeOrder, *, share_of_limit: float) -> float:
    """Return how many bits the next frame may take.

    `share_of_limit` is how much of `max_frame_bytes` to aim at, so that a frame that misses its aim stays below it.
    """
    bits = order.target_bps / order.fps
    if order.max_frame_bytes is not None:
        bits = min(bits, order.max_frame_bytes * BITS_PER_BYTE * share_of_limit)
    return bits


def is_worth_a_keyframe(open_bits: float, bits: float) -> bool:
    """Return whether an encoder whose frames take `open_bits` is to be opened anew for frames of `bits`."""
    least, most = _SPARED_RATIOS
    return not least * bits <= open_bits <= most * bits


def describe_colours(context: VideoCodecContext, colour: ColourDescription) -> None:
    """Have the bitstream say how its samples become colours."""
    context.color_primaries = colour.primaries
    context.color_trc = colour.transfer
    context.colorspace = colour.matrix
    context.color_range = _FULL_RANGE if colour.is_full_range else _LIMITED_RANGE
