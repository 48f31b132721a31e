"""What converters check of a surface on a GPU before they hand its address to the driver."""

from streamer.converters.base import ConverterSettings
from streamer.errors import ConverterError
from streamer.media.frame import Surface
from streamer.media.planes import why_planes_unfit


def check_device_surface(backend: str, settings: ConverterSettings, surface: Surface) -> None:
    """Raise `ConverterError` if a surface is not what the settings promised, or does not hold what it says."""
    came = surface.memory, surface.format, surface.resolution, surface.device or 0
    accepted = settings.input_memory, settings.input_format, settings.input_resolution, settings.device or 0
    if came != accepted:
        raise ConverterError(backend, f"{_words(*came)} came; accepted is {_words(*accepted)}")
    reason = why_planes_unfit(surface)
    if reason is not None:
        raise ConverterError(backend, reason)


def _words(memory: str, pixel_format: str, resolution: object, device: int) -> str:
    return f"{pixel_format} of {resolution} in {memory} memory{f' of GPU {device}' if memory == 'cuda' else ''}"
