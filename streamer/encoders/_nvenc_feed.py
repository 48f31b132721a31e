"""Show a surface to PyNvVideoCodec: host memory as an array, device memory as it is.

The extension checks neither the size nor the type of an array, and reads past the end of one that is too short. All
that it is given is therefore checked and shaped here. Device memory is handed over by its address and copied by the GPU
into the encoder's own surface; nothing of it passes through the host.
"""

from collections.abc import Sequence
from typing import Any

from streamer.encoders._cuda import Context, CudaError, answers
from streamer.encoders._nvenc_reasons import LOST
from streamer.encoders._picture import Blocks, check_surface
from streamer.encoders.base import EncoderSettings
from streamer.errors import EncoderError, UnfitError
from streamer.media.frame import MemoryKind, PixelFormat, Resolution, Surface
from streamer.media.planes import PIXEL_BYTES, plane_shapes

# NVENC names packed formats by the order in a word of 32 bits, low byte last; ours are by address.
FORMAT_NAMES = {PixelFormat.NV12: "NV12", PixelFormat.BGRA: "ARGB", PixelFormat.RGBA: "ABGR"}
_CUDA_ARRAY_INTERFACE_VERSION = 3


class Feed:
    """Makes what the extension takes of the surfaces of one encoder. Used by one thread."""

    def __init__(self, name: str, settings: EncoderSettings, gpu: int) -> None:
        """Get ready for one kind of surface, on behalf of backend `name`.

        Raises:
            CudaError: the GPU's context cannot be had.
        """
        self._name = name
        self._settings = settings
        self._gpu = gpu
        self._accepted = settings.resolution, (settings.format,), (settings.memory,)
        self._blocks = Blocks(settings.format, settings.resolution)
        self._device_frame = DeviceFrame(settings.format, settings.resolution)
        # Host frames go through the extension's own staging memory and need no context of ours.
        self._context = None if settings.memory == MemoryKind.HOST else Context(gpu)

    @property
    def context(self) -> int | None:
        """The CUDA context that the encoder shall use, if it matters."""
        return None if self._context is None else self._context.handle

    def show(self, surface: Surface) -> Any:
        """Return what `Encode` takes. It is read until `Encode` returns, and stands until the next call.

        Raises:
            UnfitError: the surface does not fit the encoder.
            EncoderError: the GPU is lost.
        """
        check_surface(self._name, surface, *self._accepted)
        return self._host(surface) if self._context is None else self._device(surface, self._context)

    def _host(self, surface: Surface) -> Any:
        block = self._blocks.block(surface)
        if self._settings.format == PixelFormat.NV12:
            return block
        resolution = self._settings.resolution
        return block.reshape(resolution.height_px, resolution.width_px, PIXEL_BYTES[self._settings.format])

    def _device(self, surface: Surface, context: Context) -> "DeviceFrame":
        if surface.device not in (None, self._gpu):
            raise UnfitError(self._name, f"a surface on GPU {surface.device}; the encoder runs on GPU {self._gpu}")
        if surface.stream is not None:
            try:
                context.wait_for(surface.stream)
            except CudaError as exc:
                if not answers(self._gpu):
                    raise EncoderError(self._name, LOST) from exc
                raise UnfitError(self._name, f"a surface whose stream cannot be waited for: {exc}") from exc
        self._device_frame.point_at(surface)
        return self._device_frame


class DevicePlane:
    """One plane in device memory, by the CUDA array interface."""

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self.__cuda_array_interface__: dict[str, Any] = {
            "shape": shape,
            "strides": (shape[1] * shape[2], shape[2], 1),
            "typestr": "|u1",
            "data": (0, False),
            "version": _CUDA_ARRAY_INTERFACE_VERSION,
            # It has been waited for.
            "stream": None,
        }

    def point_at(self, pointer: int) -> None:
        """Be the plane at this address."""
        self.__cuda_array_interface__["data"] = (pointer, False)


class DeviceFrame:
    """A picture in device memory, in the form that the extension asks for. It is made once: frames differ in place."""

    def __init__(self, pixel_format: PixelFormat, resolution: Resolution) -> None:
        channels = (PIXEL_BYTES[pixel_format],) if pixel_format in PIXEL_BYTES else (1, 2)
        self._planes = [
            DevicePlane((rows, width_bytes // depth, depth))
            for (rows, width_bytes), depth in zip(plane_shapes(pixel_format, resolution), channels, strict=True)
        ]

    def point_at(self, surface: Surface) -> None:
        """Be the picture of a surface that `check_surface` lets pass."""
        for own, plane in zip(self._planes, surface.planes, strict=True):
            own.point_at(plane.pointer or 0)

    def cuda(self) -> DevicePlane | Sequence[DevicePlane]:
        """Return the one plane of a packed picture, or the list of planes."""
        return self._planes[0] if len(self._planes) == 1 else self._planes
