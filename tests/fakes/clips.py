"""Short test clips and pictures as frames in host memory: noise texture, panning texture, colour bars."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from streamer.media.frame import (
    BT601_LIMITED,
    SRGB_FULL,
    ColourDescription,
    MemoryKind,
    PixelFormat,
    Plane,
    Resolution,
    Surface,
    VideoFrame,
)

Array = NDArray[np.uint8]

CHANNELS = {PixelFormat.BGRA: "BGRA", PixelFormat.RGBA: "RGBA", PixelFormat.BGR24: "BGR", PixelFormat.RGB24: "RGB"}
# 100 % and 75 % bars, greys, and colours with all channels in between.
BARS = (
    *((255, 255, 255), (255, 255, 0), (0, 255, 255), (0, 255, 0), (255, 0, 255), (255, 0, 0), (0, 0, 255), (0, 0, 0)),
    *((191, 191, 0), (0, 191, 191), (64, 64, 64), (128, 128, 128), (192, 192, 192), (30, 90, 200), (200, 120, 40)),
    (90, 30, 60),
)
FRAME_US = 16_667
# Panning speed of the textures; noise of a frame in steps of luma.
_PAN_PX = (6, 2)
_NOISE = 10
_CELL_PX = 4


def block_frame(
    block: Array,
    pixel_format: PixelFormat,
    resolution: Resolution,
    number: int = 0,
    colour: ColourDescription = BT601_LIMITED,
) -> VideoFrame:
    """Wrap one contiguous 4:2:0 block, as converters make them."""
    width_px, height_px = resolution.width_px, resolution.height_px
    luma, chroma = width_px * height_px, width_px * height_px // 4
    flat = memoryview(block).cast("B")
    if pixel_format == PixelFormat.NV12:
        planes: tuple[Plane, ...] = (Plane(width_px, flat[:luma]), Plane(width_px, flat[luma:]))
    else:
        half = width_px // 2
        parts = (flat[luma : luma + chroma], flat[luma + chroma :])
        planes = (Plane(width_px, flat[:luma]), *(Plane(half, part) for part in parts))
    surface = Surface(MemoryKind.HOST, pixel_format, resolution, planes, colour)
    return VideoFrame(surface, capture_us=1_000_000 + number * FRAME_US, number=number, input_number=number % 256)


def textured_clip(
    resolution: Resolution,
    frames: int,
    pixel_format: PixelFormat = PixelFormat.NV12,
    *,
    noise: int = _NOISE,
    seed: int = 1,
) -> Iterator[VideoFrame]:
    """Pan over a texture, with fresh noise in every frame: it always has more to say than a rate allows."""
    random = np.random.default_rng(seed)
    width_px, height_px = resolution.width_px, resolution.height_px
    rows, columns = height_px + _PAN_PX[1] * frames, width_px + _PAN_PX[0] * frames
    cells = random.integers(16, 236, (rows // _CELL_PX + 1, columns // _CELL_PX + 1), dtype=np.int16)
    sharp = cells.repeat(_CELL_PX, 0).repeat(_CELL_PX, 1)
    # Soft edges, so that a frame costs the same whether or not its cells lie on an encoder's block grid.
    texture = (sharp + np.roll(sharp, 1, 1) + np.roll(sharp, 2, 1) + np.roll(sharp, 1, 0) + np.roll(sharp, 2, 0)) // 5
    grains = random.integers(-noise, noise + 1, (8, height_px, width_px), dtype=np.int16)
    for number in range(frames):
        top, left = number * _PAN_PX[1], number * _PAN_PX[0]
        block = np.full((height_px * 3 // 2, width_px), 128, np.uint8)
        view = texture[top : top + height_px, left : left + width_px]
        block[:height_px] = (view + grains[number * 5 % 8]).clip(16, 235)
        yield block_frame(block, pixel_format, resolution, number)


def smooth_frame(
    resolution: Resolution, pixel_format: PixelFormat = PixelFormat.NV12, number: int = 0, shift_px: int = 0
) -> VideoFrame:
    """Return soft waves in luma and a gradient in chroma: a picture that a modest rate shows well."""
    width_px, height_px = resolution.width_px, resolution.height_px
    across = np.arange(width_px) + shift_px
    down = np.arange(height_px)[:, None]
    block = np.empty((height_px * 3 // 2, width_px), np.uint8)
    block[:height_px] = 126 + 60 * np.sin(across / 17) + 40 * np.cos(down / 23)
    chroma = np.linspace(90, 160, width_px * height_px // 4).astype(np.uint8)
    flat = block.reshape(-1)[width_px * height_px :]
    if pixel_format == PixelFormat.NV12:
        flat[0::2], flat[1::2] = chroma, chroma[::-1]
    else:
        flat[: chroma.size], flat[chroma.size :] = chroma, chroma[::-1]
    return block_frame(block, pixel_format, resolution, number)


def luma_of(frame: VideoFrame) -> Array:
    """Return the luma of a 4:2:0 frame without padding."""
    plane, resolution = frame.surface.planes[0], frame.surface.resolution
    rows = np.frombuffer(plane.buffer, np.uint8)[: plane.pitch_bytes * resolution.height_px]
    return rows.reshape(resolution.height_px, plane.pitch_bytes)[:, : resolution.width_px]


def bars(resolution: Resolution) -> Array:
    """Return the colour bars as rows of R, G, B: four by four patches."""
    patches = np.array(BARS, np.uint8).reshape(4, 4, 3)
    rows = np.arange(resolution.height_px) * 4 // resolution.height_px
    columns = np.arange(resolution.width_px) * 4 // resolution.width_px
    return patches[rows][:, columns]


def packed_frame(rgb: Array, pixel_format: PixelFormat, *, padding_bytes: int = 0, number: int = 0) -> VideoFrame:
    """Wrap rows of R, G, B as a packed frame whose rows have `padding_bytes` of rubbish behind them."""
    height_px, width_px, _ = rgb.shape
    order = ["RGB".index(channel) if channel in "RGB" else 0 for channel in CHANNELS[pixel_format]]
    pixels = rgb[:, :, order].reshape(height_px, -1)
    rows = np.full((height_px, pixels.shape[1] + padding_bytes), 0xA5, np.uint8)
    rows[:, : pixels.shape[1]] = pixels
    # The last row has no padding: a converter that reads past its end reads foreign memory.
    flat = memoryview(rows).cast("B")[: rows.size - padding_bytes]
    resolution = Resolution(width_px, height_px)
    planes = (Plane(rows.shape[1], flat),)
    surface = Surface(MemoryKind.HOST, pixel_format, resolution, planes, SRGB_FULL)
    return VideoFrame(surface, capture_us=77, number=number, input_number=9)
