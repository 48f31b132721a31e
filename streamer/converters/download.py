"""Copy pictures from an NVIDIA GPU into host memory, for encoders that read nothing else.

The copy is the only one that a picture of a GPU ever makes into host memory. It goes into pinned memory, which the GPU
fills at the speed of the bus without the processor. Colour and size stay: other converters come before it or after.
"""

from dataclasses import replace

from streamer.converters._device import check_device_surface
from streamer.converters.base import ConverterSettings
from streamer.cuda.errors import CudaError
from streamer.cuda.gpu import Gpu, why_missing
from streamer.cuda.memory import PinnedMemory, Rows, copy_rows
from streamer.errors import ConverterError, Unavailable
from streamer.media.frame import ColourDescription, MemoryKind, Plane, Surface, VideoFrame
from streamer.media.planes import plane_shapes

_NAME = "download"


def why_unavailable() -> str | None:
    """Return None if there is a GPU to copy from, else what is missing."""
    return why_missing()


def create(settings: ConverterSettings) -> "DownloadConverter":
    """Prepare the copy.

    Raises:
        Unavailable: there is no such GPU, or there is more to do than to copy.
        ConverterError: there is no memory left that could be pinned.
    """
    if (settings.input_memory, settings.output_memory) != (MemoryKind.CUDA, MemoryKind.HOST):
        raise Unavailable(_NAME, f"copies from cuda to host memory, not from {settings.input_memory} to others")
    came, wanted = (
        (settings.input_format, settings.input_resolution),
        (settings.output_format, settings.output_resolution),
    )
    if came != wanted:
        raise Unavailable(_NAME, "copies pictures as they are, in format and size")
    reason = why_missing(settings.device or 0)
    if reason is not None:
        raise Unavailable(_NAME, reason)
    try:
        return DownloadConverter(settings)
    except CudaError as exc:
        raise ConverterError(_NAME, str(exc)) from exc


class DownloadConverter:
    """One format and size. All calls come from the thread of its rendition."""

    def __init__(self, settings: ConverterSettings) -> None:
        self._settings = settings
        self._gpu = Gpu.open(settings.device or 0)
        self._stream = self._gpu.open_stream()
        self._shapes = plane_shapes(settings.input_format, settings.input_resolution)
        size_bytes = sum(rows * width_bytes for rows, width_bytes in self._shapes)
        self._memory: PinnedMemory | None = PinnedMemory(self._gpu, size_bytes)
        whole, begin, planes = self._memory.array.data, 0, []
        for rows, width_bytes in self._shapes:
            end = begin + rows * width_bytes
            planes.append(Plane(width_bytes, whole[begin:end], self._memory.pointer + begin))
            begin = end
        self._surface = Surface(
            MemoryKind.HOST,
            settings.input_format,
            settings.input_resolution,
            tuple(planes),
            settings.input_colour,
        )

    @property
    def colour(self) -> ColourDescription:
        return self._settings.input_colour

    def convert(self, frame: VideoFrame) -> VideoFrame:
        if self._memory is None:
            raise ConverterError(_NAME, "the converter is closed")
        check_device_surface(_NAME, self._settings, frame.surface)
        try:
            self._copy(frame.surface)
        except CudaError as exc:
            raise ConverterError(_NAME, str(exc)) from exc
        # The colours are those of this picture; the memory is ours.
        return replace(frame, surface=replace(self._surface, colour=frame.surface.colour))

    def close(self) -> None:
        self._memory = None

    def _copy(self, surface: Surface) -> None:
        with self._gpu.current():
            if surface.stream is not None:
                self._stream.follow(self._gpu.borrow_stream(surface.stream))
            pairs = zip(surface.planes, self._surface.planes, self._shapes, strict=True)
            for source, target, (rows, width_bytes) in pairs:
                assert source.pointer is not None
                assert target.pointer is not None
                copy_rows(
                    self._gpu,
                    Rows(source.pointer, source.pitch_bytes),
                    Rows(target.pointer, target.pitch_bytes, is_host=True),
                    width_bytes,
                    rows,
                    self._stream,
                )
            self._stream.wait()
