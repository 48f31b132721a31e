"""Draw the frame stamp of `media/stamp.py` across the top of a picture, in the pixel format of its surface."""

import numpy as np

from streamer.media.frame import PixelFormat, Resolution, VideoFrame
from streamer.media.stamp import CHROMA, COLUMNS, LUMA_ONE, LUMA_ZERO, Stamp, block_px, encode
from streamer.sources._ring import Canvas, Pixels

_PLANAR = (PixelFormat.NV12, PixelFormat.I420)


def draw_stamp(canvas: Canvas, frame: VideoFrame) -> None:
    """Draw what identifies `frame` into the surface that it will be shown from."""
    width_px, side_px = stamp_size_px(canvas.surface.resolution)
    bits = np.zeros(COLUMNS, bool)
    marks = encode(Stamp.of(frame.capture_us, frame.number, frame.input_number))
    bits[: len(marks)] = marks
    columns = np.repeat(bits, side_px)[:width_px]
    if canvas.surface.format in _PLANAR:
        _draw_planar(canvas, columns, side_px)
        return
    # Grey has the same value in every channel; the fourth one, where there is one, is ignored.
    canvas.arrays[0][:side_px, :width_px] = np.where(columns, _grey(LUMA_ONE), _grey(LUMA_ZERO))[:, None]


def stamp_size_px(resolution: Resolution) -> tuple[int, int]:
    """Return width and height of the stamp in the upper left corner of a picture."""
    side_px = block_px(resolution)
    return min(COLUMNS * side_px, resolution.width_px), side_px


def _draw_planar(canvas: Canvas, columns: Pixels, side_px: int) -> None:
    luma, *chroma = canvas.arrays
    luma[:side_px, : columns.size] = np.where(columns, LUMA_ONE, LUMA_ZERO)
    for plane in chroma:
        # An I420 plane has half the bytes of a row of luma, the interleaved one of NV12 has as many.
        width_bytes = -(-columns.size * plane.shape[1] // luma.shape[1])
        plane[: -(-side_px // 2), :width_bytes] = CHROMA


def _grey(luma: int) -> int:
    """Return the grey that a converter to limited range turns into `luma`."""
    return round((luma - 16) * 255 / 219)
