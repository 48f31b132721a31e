"""Surfaces on a GPU, each with a stream of its own, for the sources and converters that fill them.

A surface's stream holds what must be done before the picture may be read, and nothing of the picture after it: waiting
for one frame is never waiting for the next.
"""

from dataclasses import dataclass

from streamer.cuda.gpu import Gpu, Stream
from streamer.cuda.memory import DeviceMemory, Rows, copy_rows
from streamer.errors import ConfigError
from streamer.media.frame import (
    BT601_LIMITED,
    SRGB_FULL,
    ColourDescription,
    MemoryKind,
    PixelFormat,
    Plane,
    Resolution,
    Surface,
)
from streamer.media.planes import PIXEL_BYTES, plane_shapes


@dataclass(frozen=True, slots=True, eq=False)
class DeviceSurface:
    """One surface, its memory, which lives as long as this does, and its stream."""

    surface: Surface
    memory: DeviceMemory
    stream: Stream

    def fill(self, gpu: Gpu, source: Rows, stream: Stream) -> None:
        """Queue in `stream` a copy of all rows from `source`, and have the surface wait for it. The GPU is current.

        It comes after copies that others have queued before: one that nobody took may be under way when its surface is
        filled again.

        The planes lie one behind the other, in the source as here: rows of NV12 are as wide as those of its luma.
        """
        shapes = plane_shapes(self.surface.format, self.surface.resolution)
        width_bytes, rows = shapes[0][1], sum(rows for rows, _ in shapes)
        if stream is not self.stream:
            stream.follow(self.stream)
        copy_rows(gpu, source, Rows(self.memory.pointer, width_bytes), width_bytes, rows, stream)
        if stream is not self.stream:
            self.stream.follow(stream)


def allocate(
    gpu: Gpu, pixel_format: PixelFormat, resolution: Resolution, colour: ColourDescription | None = None
) -> DeviceSurface:
    """Return a surface whose planes lie one behind the other without gaps. Its content is undefined.

    Raises:
        ConfigError: the format halves the colour resolution and a side is odd.
        CudaError: there is no memory left.
    """
    is_packed = pixel_format in PIXEL_BYTES
    if not is_packed and (resolution.width_px % 2 or resolution.height_px % 2):
        raise ConfigError(f"resolution {resolution} is odd: {pixel_format} needs an even width and height")
    shapes = plane_shapes(pixel_format, resolution)
    memory = DeviceMemory(gpu, sum(rows * width_bytes for rows, width_bytes in shapes))
    stream = gpu.open_stream()
    planes, begin = [], memory.pointer
    for rows, width_bytes in shapes:
        planes.append(Plane(pitch_bytes=width_bytes, pointer=begin))
        begin += rows * width_bytes
    surface = Surface(
        memory=MemoryKind.CUDA,
        format=pixel_format,
        resolution=resolution,
        planes=tuple(planes),
        colour=colour or (SRGB_FULL if is_packed else BT601_LIMITED),
        device=gpu.index,
        stream=stream.handle,
    )
    return DeviceSurface(surface, memory, stream)
