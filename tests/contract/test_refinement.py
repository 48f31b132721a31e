"""A still picture becomes sharp: what the cadence's refinements are for, with each real encoder."""

from contextlib import ExitStack, closing

import av
import numpy as np
import pytest

from streamer import registry
from streamer.congestion.fold import Fold
from streamer.decoder import open_decoder
from streamer.encoders.base import EncoderSettings
from streamer.media.cadence import MAX_REFINEMENTS, REFINED_BYTES, is_settled
from streamer.media.frame import (
    BT601_LIMITED,
    EncodeOrder,
    MemoryKind,
    PixelFormat,
    Plane,
    Resolution,
    Surface,
    VideoFrame,
    Wish,
)
from tests.fakes import clips
from tests.fakes.availability import available

_SIZE = Resolution(1280, 720)
_TARGET_BPS, _MAX_TARGET_BPS, _FPS = 8_000_000, 20_000_000, 60.0
# Below this, blocks around letters are plain to see; at the keyframe they are.
_SHARP_DB = 40.0
_LINE_PX, _GLYPH_PX = 24, 10
_PAPER, _INK = 30, 210
_CARD_SIZE = Resolution(640, 360)
# Columns and rows of patches, and what is not looked at around each: filters work across its edges.
_COLUMNS, _ROWS, _MARGIN_PX = 8, 6, 10


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


def _card():
    """Return a 4:2:0 block of patches of colour; no two samples of chroma are the same."""
    width_px, height_px = _CARD_SIZE.width_px, _CARD_SIZE.height_px
    numbers = np.arange(_COLUMNS * _ROWS).reshape(_ROWS, _COLUMNS)

    def plane(samples, shrink):
        return samples.repeat(height_px // _ROWS // shrink, 0).repeat(width_px // _COLUMNS // shrink, 1)

    luma, blue, red = 40 + 4 * numbers, 16 + 224 * (5 * numbers % 48) // 47, 16 + 224 * (11 * numbers % 48) // 47
    planes = (plane(luma, 1), plane(blue, 2), plane(red, 2))
    return np.concatenate([each.ravel() for each in planes]).astype(np.uint8).reshape(-1, width_px)


def _patch_means(block):
    """Return the mean of each plane in the middle of each patch."""
    width_px, height_px = _CARD_SIZE.width_px, _CARD_SIZE.height_px
    planes = np.split(block.reshape(-1), [width_px * height_px, width_px * height_px * 5 // 4])
    means = []
    for plane, shrink in zip(planes, (1, 2, 2), strict=True):
        patches = plane.reshape(_ROWS, height_px // _ROWS // shrink, _COLUMNS, width_px // _COLUMNS // shrink)
        edge = _MARGIN_PX // shrink
        means.append(patches[:, edge:-edge, :, edge:-edge].mean(axis=(1, 3)))
    return np.array(means)


def _psnr_db(luma, decoded):
    shown = decoded.to_ndarray()[: _SIZE.height_px, : _SIZE.width_px].astype(float)
    return float(10 * np.log10(255**2 / ((shown - luma) ** 2).mean()))


@pytest.fixture
def open_encoder():
    """Return what opens the software encoder; what it opened is closed with the test."""
    module = registry.load("encoders", available("encoders", "software"))
    with ExitStack() as opened:

        def open_encoder(
            codec: str, size: Resolution, target_bps: int, max_target_bps: int, threads: int | None = None
        ):
            options = module.Options(threads=threads)
            settings = EncoderSettings(
                codec, size, PixelFormat.I420, BT601_LIMITED, _FPS, target_bps, max_target_bps, options
            )
            return opened.enter_context(closing(module.create(settings)))

        yield open_encoder


@pytest.mark.parametrize("codec", ["h264", "vp8", "av1"])
def test_page_of_text_is_sharp_after_the_refinements(open_encoder, codec):
    encoder = open_encoder(codec, _SIZE, _TARGET_BPS, _TARGET_BPS)
    reader = open_decoder(codec)
    luma = _page()
    orders = [EncodeOrder(_TARGET_BPS, _FPS, keyframe=True)]
    orders += [EncodeOrder(_TARGET_BPS, _FPS, is_refinement=True)] * MAX_REFINEMENTS

    for number, order in enumerate(orders):
        for shown in reader.decode(av.Packet(encoder.encode(_frame(luma, number), order).data)):
            quality_db = _psnr_db(luma, shown)

    assert quality_db >= _SHARP_DB


@pytest.mark.parametrize("target_bps", [300_000, 500_000])
# What two threads make of a picture differs from run to run.
@pytest.mark.parametrize(("codec", "threads"), [("h264", 1), ("h264", 2), ("vp8", 1)])
def test_page_of_text_becomes_sharp_at_a_low_target_too(open_encoder, codec, threads, target_bps):
    encoder = open_encoder(codec, _SIZE, target_bps, _MAX_TARGET_BPS, threads)
    reader = open_decoder(codec)
    luma, fold, number, refined_bytes = _page(), Fold(encoder.capabilities), 0, 0

    while refined_bytes < REFINED_BYTES:
        wish = Wish(target_bps, _FPS, _SIZE, max_frame_bytes=round(target_bps / _FPS / 8 * 2), keyframe=number == 0)
        order = fold.order([wish], 1_000_000 * number, is_refinement=number > 0)
        encoded = encoder.encode(_frame(luma, number), order)
        for shown in reader.decode(av.Packet(encoded.data)):
            quality_db = _psnr_db(luma, shown)
        refined_bytes += len(encoded.data) if number else 0
        if number and is_settled(encoded, order):
            break
        number += 1

    assert quality_db >= _SHARP_DB


@pytest.mark.parametrize("target_bps", [4_000_000, 8_000_000, 16_000_000])
@pytest.mark.parametrize("codec", ["h264", "vp8"])
def test_patches_of_colour_are_right_once_the_refinements_have_settled(open_encoder, codec, target_bps):
    encoder = open_encoder(codec, _CARD_SIZE, target_bps, _MAX_TARGET_BPS)
    reader = open_decoder(codec)
    card = _card()
    shown = []

    for number in range(1 + MAX_REFINEMENTS):
        order = EncodeOrder(target_bps, _FPS, keyframe=number == 0, is_refinement=number > 0)
        encoded = encoder.encode(clips.block_frame(card, PixelFormat.I420, _CARD_SIZE, number), order)
        shown += reader.decode(av.Packet(encoded.data))
        if number and is_settled(encoded, order):
            break
    shown += reader.decode(None)

    # A step of chroma is up to 2.1 of 255 in a colour: half of one leaves room for the rounding of converter and page.
    assert np.abs(_patch_means(shown[-1].to_ndarray()) - _patch_means(card)).max() <= 0.5
