"""Where pictures of OpenGL go: into host memory, or into CUDA's on the same GPU if that is where they are encoded."""

import functools
import logging
from typing import Any, Protocol

from streamer.cuda.errors import CudaError
from streamer.cuda.gpu import Gpu
from streamer.cuda.graphics import PixelBuffer
from streamer.cuda.memory import Rows, copy_rows
from streamer.cuda.surface import DeviceSurface
from streamer.cuda.surface import allocate as allocate_on
from streamer.media.frame import PixelFormat, Resolution, VideoFrame
from streamer.sources._gl.output import Output
from streamer.sources._ring import Canvas, Ring, SurfaceRing, allocate
from streamer.sources._stamping import draw_stamp, stamp_size_px

logger = logging.getLogger(__name__)

# How NVIDIA's drivers name their maker in OpenGL. Mesa's do not, though they name such a GPU in the renderer.
_VENDOR = "NVIDIA"
_PIXEL_BYTES = 4


class Exit(Protocol):
    """Used by the thread that draws, while the context is current, but for the ring's `release`."""

    ring: Any

    def take_out(self, output: Output, canvas: Any) -> None:
        """Bring what was drawn into a surface of the ring."""

    def stamp(self, canvas: Any, frame: VideoFrame) -> None:
        """Draw the frame stamp on top of it."""

    def close(self) -> None:
        """Forget all surfaces that are not in use."""


def open_exit(context: Any, resolution: Resolution, gpu_index: int | None) -> Exit:
    """Return the shortest way out to an encoder that reads the memory of a GPU, or of the host if that is None."""
    if gpu_index is None:
        return HostExit(resolution)
    vendor = str(context.info["GL_VENDOR"])
    reason = f"OpenGL is done by {vendor} {context.info['GL_RENDERER']}"
    if vendor.startswith(_VENDOR):
        try:
            found = DeviceExit(context, resolution, gpu_index)
        except CudaError as exc:
            reason = str(exc)
        else:
            logger.info("pictures stay on GPU %d", gpu_index)
            return found
    logger.warning("each picture is copied through the host because %s", reason)
    return HostExit(resolution)


class HostExit:
    """One copy into host memory, for which the processor waits."""

    def __init__(self, resolution: Resolution) -> None:
        self.ring = SurfaceRing(PixelFormat.BGRA, resolution)

    def take_out(self, output: Output, canvas: Canvas) -> None:
        output.read_into(canvas.arrays[0])

    def stamp(self, canvas: Canvas, frame: VideoFrame) -> None:
        draw_stamp(canvas, frame)

    def close(self) -> None:
        self.ring.close()


class DeviceExit:
    """Two copies on the GPU, for which nobody waits: into a pixel buffer, and from there into a surface of ours.

    Handing out the pixel buffer itself would spare the second, 0.05 ms of a 4K picture. But it would have to be given
    back to OpenGL by the thread of the context, while frames are released by others.
    """

    def __init__(self, context: Any, resolution: Resolution, gpu_index: int) -> None:
        """Register a pixel buffer with CUDA.

        Raises:
            CudaError: the context is on another GPU, or there is no memory left.
        """
        self._gpu = Gpu.open(gpu_index)
        self._resolution = resolution
        self.ring: Ring[DeviceSurface] = Ring(functools.partial(allocate_on, self._gpu), PixelFormat.BGRA, resolution)
        pitch_bytes = resolution.width_px * _PIXEL_BYTES
        self._buffer = context.buffer(reserve=pitch_bytes * resolution.height_px, dynamic=True)
        try:
            self._pixels = PixelBuffer(self._gpu, self._buffer.glo, pitch_bytes)
        except CudaError:
            self._buffer.release()
            raise
        self._stamped: Canvas | None = None

    def take_out(self, output: Output, canvas: DeviceSurface) -> None:
        output.read_into(self._buffer)
        self._pixels.copy_to(canvas)

    def stamp(self, canvas: DeviceSurface, frame: VideoFrame) -> None:
        # Only who measures has stamps, and the memory for them.
        self._stamped = self._stamped or allocate(PixelFormat.BGRA, self._resolution)
        draw_stamp(self._stamped, frame)
        width_px, height_px = stamp_size_px(self._resolution)
        pitch_bytes = self._resolution.width_px * _PIXEL_BYTES
        source = Rows(self._stamped.arrays[0].ctypes.data, pitch_bytes, is_host=True)
        target = Rows(canvas.memory.pointer, pitch_bytes)
        with self._gpu.current():
            copy_rows(self._gpu, source, target, width_px * _PIXEL_BYTES, height_px, canvas.stream)
            # The host's copy is drawn on again with the next frame.
            canvas.stream.wait()

    def close(self) -> None:
        self.ring.close()
        self._pixels.close()
        self._buffer.release()
