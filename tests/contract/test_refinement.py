"""A still page of text becomes sharp: what the cadence's refinements are for, with each real encoder."""

import av
import numpy as np
import pytest

from streamer import registry
from streamer.encoders.base import EncoderSettings
from streamer.media.cadence import MAX_REFINEMENTS
from streamer.media.frame import (
    BT601_LIMITED,
    EncodeOrder,
    MemoryKind,
    PixelFormat,
    Plane,
    Resolution,
    Surface,
    VideoFrame,
)

_SIZE = Resolution(1280, 720)
_TARGET_BPS, _FPS = 8_000_000, 60.0
# Below this, blocks around letters are plain to see; at the keyframe they are.
_SHARP_DB = 40.0
_LINE_PX, _GLYPH_PX = 24, 10
_PAPER, _INK = 30, 210


def _page():
    """Return the luma of a page: lines of random glyphs, each a few strokes wide, on a dark ground."""
    generator = np.random.default_rng(1)
    luma = np.full((_SIZE.height_px, _SIZE.width_px), _PAPER, np.uint8)
    for top in range(4, _SIZE.height_px - _LINE_PX, _LINE_PX):
        for left in range(4, 800, _GLYPH_PX):
            strokes = generator.random((6, 4)) < 0.3
            luma[top : top + 12, left : left + 8][strokes.repeat(2, axis=0).repeat(2, axis=1)] = _INK
    return luma


def _frame(luma, number):
    chroma = np.full(luma.size // 4, 128, np.uint8)
    memory = memoryview(np.concatenate([luma.ravel(), chroma, chroma]))
    width, size = _SIZE.width_px, luma.size
    planes = (
        Plane(width, memory[:size]),
        Plane(width // 2, memory[size : size * 5 // 4]),
        Plane(width // 2, memory[size * 5 // 4 :]),
    )
    surface = Surface(MemoryKind.HOST, PixelFormat.I420, _SIZE, planes, BT601_LIMITED)
    return VideoFrame(surface, number * 16_667, number)


def _psnr_db(luma, decoded):
    shown = decoded.to_ndarray()[: _SIZE.height_px, : _SIZE.width_px].astype(float)
    return float(10 * np.log10(255**2 / ((shown - luma) ** 2).mean()))


@pytest.mark.parametrize(("codec", "decoder"), [("h264", "h264"), ("vp8", "vp8")])
def test_page_of_text_is_sharp_after_the_refinements(codec, decoder):
    reason = registry.why_unavailable("encoders", "software")
    if reason is not None:
        pytest.skip(reason)
    settings = EncoderSettings(codec, _SIZE, PixelFormat.I420, BT601_LIMITED, _FPS, _TARGET_BPS, _TARGET_BPS)
    encoder = registry.load("encoders", "software").create(settings)
    reader = av.CodecContext.create(decoder, "r")
    luma = _page()
    orders = [EncodeOrder(_TARGET_BPS, _FPS, keyframe=True)]
    orders += [EncodeOrder(_TARGET_BPS, _FPS, is_refinement=True)] * MAX_REFINEMENTS

    for number, order in enumerate(orders):
        for shown in reader.decode(av.Packet(encoder.encode(_frame(luma, number), order).data)):
            quality_db = _psnr_db(luma, shown)
    encoder.close()

    assert quality_db >= _SHARP_DB
