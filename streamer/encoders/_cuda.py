"""Ask the CUDA driver for its GPUs, and wait for what others have queued on them.

Knows a handful of calls of the driver's library and nothing of kernels. It is loaded when the first of them is needed:
a machine without a driver loses nothing by importing this file.
"""

import ctypes
import functools
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_LIBRARY = "libcuda.so.1"
# CUresult.
_NO_GPU = 100
_NOT_READY = 600
_NAME_BYTES = 256
# CU_STREAM_PER_THREAD: whose stream it is depends on the thread that says it.
_PER_THREAD_STREAM = 2
_DRIVER_VERSION = Path("/proc/driver/nvidia/version")
# Reasons, and what others have in them, for whoever gives advice about them.
NO_DRIVER = f"there is no NVIDIA driver: {_LIBRARY} cannot be loaded (a container needs --gpus all)"
NO_GPU = "the NVIDIA driver sees no GPU (nvidia-smi shows what it sees)"
NOT_THERE, FAILED = "is asked for, but there", "failed with CUDA error"


class CudaError(Exception):
    """The driver cannot do what was asked; the message is a reason in words, `status` its number if it gave one."""

    def __init__(self, reason: str, status: int = 0) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, slots=True)
class Gpu:
    """What tells one GPU with one driver from all others."""

    index: int
    name: str
    uuid: str
    driver: str


def find(index: int) -> Gpu:
    """Return the GPU with this ordinal.

    Raises:
        CudaError: there is no driver, no GPU, or none with this ordinal.
    """
    count = count_gpus()
    if not 0 <= index < count:
        known = "is 1 GPU, number 0" if count == 1 else f"are {count} GPUs, numbers 0 to {count - 1}"
        raise CudaError(f"GPU {index} {NOT_THERE} {known}")
    device = ctypes.c_int()
    name, identity = ctypes.create_string_buffer(_NAME_BYTES), ctypes.create_string_buffer(16)
    _call("cuDeviceGet", ctypes.byref(device), index)
    _call("cuDeviceGetName", name, _NAME_BYTES, device)
    _call("cuDeviceGetUuid", identity, device)
    return Gpu(index, name.value.decode(errors="replace"), str(uuid.UUID(bytes=identity.raw)), _driver_version())


def count_gpus() -> int:
    """Return how many GPUs there are, at least one.

    Raises:
        CudaError: there is no driver, or no GPU.
    """
    count = ctypes.c_int()
    _call("cuDeviceGetCount", ctypes.byref(count))
    if not count.value:
        raise CudaError(NO_GPU)
    return count.value


def memory_bytes(index: int) -> int:
    """Return how much memory a GPU has.

    Raises:
        CudaError: the driver does not say.
    """
    device, size = ctypes.c_int(), ctypes.c_size_t()
    _call("cuDeviceGet", ctypes.byref(device), index)
    _call("cuDeviceTotalMem_v2", ctypes.byref(size), device)
    return size.value


def cuda_version() -> str:
    """Return the newest version of CUDA that the driver knows.

    Raises:
        CudaError: there is no driver.
    """
    version = ctypes.c_int()
    _call("cuDriverGetVersion", ctypes.byref(version))
    return f"{version.value // 1000}.{version.value % 1000 // 10}"


def answers(index: int) -> bool:
    """Return whether the GPU can still be reached. Waits for nothing."""
    try:
        with Context(index).current():
            _call("cuStreamQuery", ctypes.c_void_p(0))
    except CudaError as exc:
        return exc.status == _NOT_READY
    return True


class Context:
    """The primary context of one GPU, which PyTorch, CuPy and the CUDA runtime share. Usable from any thread."""

    def __init__(self, index: int) -> None:
        """Hold the context.

        Raises:
            CudaError: the driver refuses.
        """
        self.handle = self._retain(find(index).index)

    def wait_for(self, stream: int) -> None:
        """Block until everything that was queued on the stream so far has run.

        Raises:
            CudaError: there is no such stream, or what ran on it failed.
        """
        with self.current():
            if stream == _PER_THREAD_STREAM:
                # The thread that queued the work is another one: only all streams together include its own.
                _call("cuCtxSynchronize")
            else:
                _call("cuStreamSynchronize", ctypes.c_void_p(stream))

    @contextmanager
    def current(self) -> Iterator[None]:
        """Make the context that of the calling thread for a while."""
        _call("cuCtxPushCurrent_v2", ctypes.c_void_p(self.handle))
        try:
            yield
        finally:
            _call("cuCtxPopCurrent_v2", ctypes.byref(ctypes.c_void_p()))

    @staticmethod
    @functools.cache
    def _retain(index: int) -> int:
        """Retain the context for the life of the process: its owner is the application, and encoders come and go."""
        device, handle = ctypes.c_int(), ctypes.c_void_p()
        _call("cuDeviceGet", ctypes.byref(device), index)
        _call("cuDevicePrimaryCtxRetain", ctypes.byref(handle), device)
        assert handle.value is not None
        return handle.value


class DeviceMemory:
    """A copy of host bytes in the memory of one GPU, for trials."""

    def __init__(self, index: int, content: bytes) -> None:
        """Copy the content.

        Raises:
            CudaError: there is no memory left, or the driver refuses.
        """
        self._context = Context(index)
        pointer = ctypes.c_uint64()
        with self._context.current():
            _call("cuMemAlloc_v2", ctypes.byref(pointer), ctypes.c_size_t(len(content)))
            self.pointer = pointer.value
            _call("cuMemcpyHtoD_v2", pointer, content, ctypes.c_size_t(len(content)))

    def close(self) -> None:
        """Free the memory."""
        with self._context.current():
            _call("cuMemFree_v2", ctypes.c_uint64(self.pointer))


def _driver_version() -> str:
    """Return the version line of the kernel's driver, or CUDA's version where that file is not there."""
    try:
        return _DRIVER_VERSION.read_text(encoding="ascii", errors="replace").splitlines()[0]
    except (OSError, IndexError):
        return f"CUDA {cuda_version()}"


def _call(name: str, *arguments: object) -> None:
    _check(name, getattr(_library(), name)(*arguments))


def _check(name: str, status: int) -> None:
    if status == _NO_GPU:
        raise CudaError(NO_GPU, status)
    if status:
        raise CudaError(f"{name} {FAILED} {status}; nvidia-smi and the kernel's log say more", status)


@functools.cache
def _library() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(_LIBRARY)
    except OSError as exc:
        raise CudaError(NO_DRIVER) from exc
    _check("cuInit", library.cuInit(0))
    return library
