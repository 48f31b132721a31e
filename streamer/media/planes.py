"""How the pictures of each format lie in memory: how many planes, how many rows, how many bytes in a row.

Knows nothing of arrays: reading and writing the memory is up to sources, converters and encoders.
"""

from streamer.media.frame import ColourDescription, MemoryKind, PixelFormat, Plane, Resolution, Surface

# The packed formats: one plane with all channels of a pixel side by side.
PIXEL_BYTES = {PixelFormat.BGRA: 4, PixelFormat.RGBA: 4, PixelFormat.BGR24: 3, PixelFormat.RGB24: 3}


def plane_shapes(pixel_format: PixelFormat, resolution: Resolution) -> list[tuple[int, int]]:
    """Return rows and bytes per row of each plane; chroma planes of odd sizes are rounded up."""
    width_px, height_px = resolution.width_px, resolution.height_px
    if pixel_format in PIXEL_BYTES:
        return [(height_px, width_px * PIXEL_BYTES[pixel_format])]
    half_width_px, half_height_px = (width_px + 1) // 2, (height_px + 1) // 2
    if pixel_format == PixelFormat.NV12:
        return [(height_px, width_px), (half_height_px, 2 * half_width_px)]
    return [(height_px, width_px), (half_height_px, half_width_px), (half_height_px, half_width_px)]


def host_surface(
    content: memoryview, pixel_format: PixelFormat, resolution: Resolution, colour: ColourDescription
) -> Surface:
    """Return the picture whose planes lie one behind the other in `content`, without padding."""
    planes, begin = [], 0
    for rows, width_bytes in plane_shapes(pixel_format, resolution):
        end = begin + rows * width_bytes
        planes.append(Plane(width_bytes, content[begin:end]))
        begin = end
    return Surface(MemoryKind.HOST, pixel_format, resolution, tuple(planes), colour)


def why_planes_unfit(surface: Surface) -> str | None:
    """Return why a surface does not hold the picture that it says; None if it does.

    Device memory has to lie without padding between its rows: its takers copy whole blocks.
    """
    shapes = plane_shapes(surface.format, surface.resolution)
    if len(surface.planes) != len(shapes):
        return f"a surface of {len(surface.planes)} planes; accepted are {len(shapes)} for {surface.format}"
    for number, (plane, (rows, width_bytes)) in enumerate(zip(surface.planes, shapes, strict=True)):
        is_device = surface.memory == MemoryKind.CUDA
        why_unfit = _why_device_plane_unfit if is_device else _why_plane_unfit
        reason = why_unfit(plane, rows, width_bytes)
        if reason is not None:
            return f"plane {number} of {surface.format} {surface.resolution}: {reason}"
    return None


def _why_device_plane_unfit(plane: Plane, rows: int, width_bytes: int) -> str | None:
    if not plane.pointer:
        return "no address in device memory"
    if plane.pitch_bytes != width_bytes and rows > 1:
        return f"a pitch of {plane.pitch_bytes} bytes; accepted is {width_bytes}, rows without padding"
    return None


def _why_plane_unfit(plane: Plane, rows: int, width_bytes: int) -> str | None:
    if plane.buffer is None:
        return "no buffer that the host can read"
    if not plane.buffer.c_contiguous:
        return "a buffer that is not contiguous"
    if plane.pitch_bytes < width_bytes:
        return f"a pitch of {plane.pitch_bytes} bytes; accepted is {width_bytes} or more"
    # The last row needs no padding behind it.
    needed_bytes = (rows - 1) * plane.pitch_bytes + width_bytes
    if plane.buffer.nbytes < needed_bytes:
        return f"{plane.buffer.nbytes} bytes; {rows} rows of pitch {plane.pitch_bytes} take {needed_bytes}"
    return None
