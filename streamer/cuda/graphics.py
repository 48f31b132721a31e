"""OpenGL's pixels in CUDA: what a pixel buffer holds, without a way through the host.

The OpenGL context must be current in the thread that calls, and its GPU be the one of CUDA.
"""

from typing import Any

from streamer.cuda.errors import CudaError, translated
from streamer.cuda.gpu import Gpu
from streamer.cuda.memory import Rows
from streamer.cuda.surface import DeviceSurface


class PixelBuffer:
    """One buffer of OpenGL's, registered with CUDA."""

    def __init__(self, gpu: Gpu, name: int, pitch_bytes: int) -> None:
        """Register buffer `name`.

        Raises:
            CudaError: the buffer is on another GPU, or OpenGL is not NVIDIA's.
        """
        self._gpu = gpu
        self._pitch_bytes = pitch_bytes
        with gpu.current(), translated("register a pixel buffer of OpenGL's"):
            self._resource: Any = gpu.core.GraphicsResource.from_gl_buffer(name, flags="read_only")

    def copy_to(self, canvas: DeviceSurface) -> None:
        """Queue a copy of all rows, after what OpenGL has written and before what it will write.

        Raises:
            CudaError: the driver refuses.
        """
        # Mapping makes the stream wait for OpenGL, unmapping makes OpenGL wait for the stream.
        with self._gpu.current(), self._resource.map(stream=canvas.stream.core) as mapped:
            canvas.fill(self._gpu, Rows(int(mapped.handle), self._pitch_bytes), canvas.stream)

    def close(self) -> None:
        """Give the buffer back to OpenGL alone."""
        try:
            with self._gpu.current():
                self._resource.close()
        except CudaError:
            # The GPU is lost, and the buffer with it.
            return
