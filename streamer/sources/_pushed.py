"""Pictures that a program pushes, in host memory or on a GPU, behind one face: shape, type, ring and copy.

A picture on a GPU is copied there, once, in the producer's stream: after all that has been drawn, before all that will
be. It is not lent out in place of the copy, because nobody would tell the program when it may draw again; the copy of a
1080p picture moves 8 MB twice, which GPUs do in a hundredth of a millisecond or two.
"""

import functools
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from streamer.cuda.errors import ForeignArrayError
from streamer.cuda.foreign import DeviceArray, view
from streamer.cuda.gpu import Gpu, Stream
from streamer.cuda.memory import Rows
from streamer.cuda.surface import DeviceSurface, allocate
from streamer.media.frame import MemoryKind, PixelFormat, Resolution
from streamer.sources._ring import Canvas, Ring, SurfaceRing

AnyCanvas = Canvas | DeviceSurface
# A surface of each kind of memory comes from a ring of its own.
AnyRing = SurfaceRing | Ring[DeviceSurface]


class Pushed(Protocol):
    """A picture that came with `push`."""

    memory: MemoryKind
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def why_unreadable(self) -> str | None:
        """Return what is wrong with how its rows lie."""

    def open_ring(self, pixel_format: PixelFormat, resolution: Resolution, surfaces: int) -> AnyRing:
        """Return a ring of surfaces in the same kind of memory."""

    def copy_to(self, canvas: Any) -> None:
        """Copy the picture; its program may draw on the array once this returns."""


class HostPicture:
    """A numpy array, or what numpy makes one of."""

    memory = MemoryKind.HOST

    def __init__(self, array: npt.ArrayLike) -> None:
        """Look at an array.

        Raises:
            ForeignArrayError: numpy makes none of it.
        """
        try:
            self._pixels = np.asarray(array)
        # What the object raises is its own: torch refuses tensors that carry gradients, for example.
        except Exception as exc:
            raise ForeignArrayError(f"an object that numpy does not read ({exc})") from exc
        self.shape, self.dtype = self._pixels.shape, self._pixels.dtype

    def why_unreadable(self) -> str | None:
        return None

    def open_ring(self, pixel_format: PixelFormat, resolution: Resolution, surfaces: int) -> SurfaceRing:
        return SurfaceRing(pixel_format, resolution, surfaces)

    def copy_to(self, canvas: Canvas) -> None:
        begin = 0
        for target in canvas.arrays:
            np.copyto(target, self._pixels[begin : begin + len(target)])
            begin += len(target)


class Intake:
    """Takes arrays of one GPU. Usable from any thread."""

    def __init__(self, gpu_index: int) -> None:
        """Use a GPU.

        Raises:
            CudaError: it is not there, or what it takes to use it is missing.
        """
        self.gpu = Gpu.open(gpu_index)
        # Waits for producers whose stream is not known.
        self.stream = self.gpu.open_stream()

    def look(self, array: Any, producer: int | None) -> "DevicePicture":
        """Return a picture over the memory of `array`, whose producer draws in the stream with that handle.

        Raises:
            ForeignArrayError: the array is not what it says, or on another GPU.
            CudaError: the driver refuses.
        """
        return DevicePicture(self, view(array, self.gpu, self.stream, producer))


class DevicePicture:
    """An array on a GPU."""

    memory = MemoryKind.CUDA

    def __init__(self, intake: Intake, array: DeviceArray) -> None:
        self._intake = intake
        self._array = array
        self.shape, self.dtype = array.shape, array.dtype

    def why_unreadable(self) -> str | None:
        pitch_bytes, *within = self._array.strides_bytes
        dense = [1] if len(self.shape) == 2 else [self.shape[2], 1]  # noqa: PLR2004 - rows and columns
        if within == dense and pitch_bytes >= self.shape[1] * dense[0]:
            return None
        return (
            f"its strides of {self._array.strides_bytes} bytes; rows on a GPU may be padded, but must follow each "
            "other downwards with their pixels side by side (`contiguous()` in PyTorch, `ascontiguousarray` in CuPy)"
        )

    def open_ring(self, pixel_format: PixelFormat, resolution: Resolution, surfaces: int) -> Ring[DeviceSurface]:
        return Ring(functools.partial(allocate, self._intake.gpu), pixel_format, resolution, surfaces)

    def copy_to(self, canvas: DeviceSurface) -> None:
        array, gpu = self._array, self._intake.gpu
        stream: Stream = self._intake.stream if array.stream is None else gpu.borrow_stream(array.stream)
        with gpu.current():
            canvas.fill(gpu, Rows(array.pointer, array.strides_bytes[0]), stream)
            if array.stream is None:
                # The program's next drawing is in a stream that cannot be told to wait.
                canvas.stream.wait()
