"""Memory of ours on a GPU and pinned on the host, and copies of rows between the two.

Copies are queued in a stream and never waited for here. Every copy into host memory is counted: there is none between
a program's GPU and its encoder, and tests hold us to that.
"""

import ctypes
import weakref
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.cuda.errors import CudaError
from streamer.cuda.gpu import Gpu, Stream


class DeviceMemory:
    """Bytes on one GPU, freed when nobody holds them any more."""

    def __init__(self, gpu: Gpu, size_bytes: int) -> None:
        """Allocate.

        Raises:
            CudaError: there is no memory left.
        """
        self.gpu = gpu
        self.size_bytes = size_bytes
        with gpu.current():
            # Not from a pool: encoders register it, which not every driver allows pools.
            self.pointer = int(gpu.call("cuMemAlloc", size_bytes))
        weakref.finalize(self, _free, gpu, "cuMemFree", self.pointer).atexit = False


class PinnedMemory:
    """Bytes of the host that a GPU copies to without help of the processor, freed when nobody reads them any more."""

    def __init__(self, gpu: Gpu, size_bytes: int) -> None:
        """Allocate.

        Raises:
            CudaError: there is no memory left that could be pinned.
        """
        with gpu.current():
            self.pointer = int(gpu.call("cuMemAllocHost", size_bytes))
        memory = (ctypes.c_uint8 * size_bytes).from_address(self.pointer)
        # Views of the array may live longer than this.
        weakref.finalize(memory, _free, gpu, "cuMemFreeHost", self.pointer).atexit = False
        self.array: NDArray[np.uint8] = np.frombuffer(memoryview(memory), np.uint8)


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of bytes that lie in memory with the same distance between any two."""

    pointer: int
    pitch_bytes: int
    is_host: bool = False


@dataclass(slots=True)
class HostCopies:
    """How often, and how much of it, went from a GPU into host memory in this process."""

    count: int = 0
    size_bytes: int = 0


host_copies = HostCopies()


def copy_rows(gpu: Gpu, source: Rows, target: Rows, width_bytes: int, rows: int, stream: Stream) -> None:
    """Queue a copy of `rows` rows, of `width_bytes` each. The GPU must be current.

    Raises:
        CudaError: the driver refuses.
    """
    copy = gpu.driver.CUDA_MEMCPY2D()
    copy.srcPitch, copy.dstPitch = source.pitch_bytes, target.pitch_bytes
    copy.WidthInBytes, copy.Height = width_bytes, rows
    kinds = gpu.driver.CUmemorytype
    if source.is_host:
        copy.srcMemoryType, copy.srcHost = kinds.CU_MEMORYTYPE_HOST, source.pointer
    else:
        copy.srcMemoryType, copy.srcDevice = kinds.CU_MEMORYTYPE_DEVICE, source.pointer
    if target.is_host:
        copy.dstMemoryType, copy.dstHost = kinds.CU_MEMORYTYPE_HOST, target.pointer
        host_copies.count += 1
        host_copies.size_bytes += width_bytes * rows
    else:
        copy.dstMemoryType, copy.dstDevice = kinds.CU_MEMORYTYPE_DEVICE, target.pointer
    gpu.call("cuMemcpy2DAsync", copy, stream.handle)


def _free(gpu: Gpu, name: str, pointer: int) -> None:
    try:
        with gpu.current():
            gpu.call(name, pointer)
    except CudaError:
        # The GPU is lost, and its memory with it.
        return
