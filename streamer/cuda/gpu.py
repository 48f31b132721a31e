"""One GPU: its primary context, which PyTorch, CuPy and the encoders share, and the streams in which work is queued.

Work of one stream is done in order, work of several in any. Nothing here waits but `Stream.wait`.
"""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from streamer.cuda.errors import CudaError, translated

# The stream that a program uses which asks for none; CUDA gives it a handle of its own.
LEGACY_STREAM = 1


@functools.cache
def why_missing(index: int = 0) -> str | None:
    """Return None if there is such a GPU and all that it takes to use it, else what is missing."""
    try:
        Gpu.open(index)
    except CudaError as exc:
        return str(exc)
    return None


class Gpu:
    """One GPU. Usable from any thread."""

    def __init__(self, index: int) -> None:
        """Use `open`: it gives the same one to all."""
        self.index = index
        self.core = core()
        self.driver = _driver()
        try:
            self._check(self.driver.cuInit(0))
            count = self._check(self.driver.cuDeviceGetCount())
        except CudaError as exc:
            raise CudaError(f"{exc} (nvidia-smi shows what it sees)") from exc
        # The bindings look for the driver at the first call; what they raise then is the loader's own.
        except Exception as exc:
            raise CudaError(
                "there is no NVIDIA driver: libcuda.so.1 cannot be loaded (a container needs --gpus all)"
            ) from exc
        if not 0 <= index < count:
            raise CudaError(f"GPU {index} is asked for, but there are {count}, counted from 0")
        with translated(f"use GPU {index}"):
            self.device = self.core.Device(index)
            # Kept for the life of the process: the program has its own arrays in it.
            self._context = self._check(self.driver.cuDevicePrimaryCtxRetain(index))

    @staticmethod
    @functools.cache
    def open(index: int) -> "Gpu":
        """Return the GPU with this number.

        Raises:
            CudaError: there is none, or the package or the driver is missing.
        """
        return Gpu(index)

    @contextmanager
    def current(self) -> Iterator[None]:
        """Make this the GPU of the calling thread for a while.

        Raises:
            CudaError: what is done within fails.
        """
        with translated(f"use GPU {self.index}"):
            self._check(self.driver.cuCtxPushCurrent(self._context))
            try:
                # Every thread tells the package once; it costs nothing afterwards.
                self.core.Device(self.index).set_current()
                yield
            finally:
                self._check(self.driver.cuCtxPopCurrent())

    def open_stream(self) -> "Stream":
        """Return a stream of our own, which waits for no other unless it is told to."""
        with self.current():
            return Stream(self.device.create_stream())

    def borrow_stream(self, handle: int) -> "Stream":
        """Return somebody else's stream; it must outlive the value. 0 is the legacy stream, as for the runtime."""
        with self.current():
            return Stream(self.core.Stream.from_handle(handle or LEGACY_STREAM))

    def call(self, name: str, *arguments: Any) -> Any:
        """Call the driver, the GPU being current, and return what it returns besides its status."""
        return self._check(getattr(self.driver, name)(*arguments))

    def _check(self, answer: tuple[Any, ...]) -> Any:
        status, *values = answer
        if status != self.driver.CUresult.CUDA_SUCCESS:
            raise CudaError(f"the NVIDIA driver says {getattr(status, 'name', status)} on GPU {self.index}")
        return values[0] if values else None


class Stream:
    """A queue of work on one GPU. Usable from any thread, the GPU being current there."""

    def __init__(self, core_stream: Any) -> None:
        self.core = core_stream
        self.handle = int(core_stream.handle)

    def follow(self, other: "Stream") -> None:
        """Let what is queued from here on begin when all is done that `other` holds by now."""
        self.core.wait(other.core)

    def wait(self) -> None:
        """Block until all is done that was queued so far."""
        self.core.sync()


def core() -> Any:
    """Return the package `cuda.core`.

    Raises:
        CudaError: it is not installed, or does not load.
    """
    with translated("load cuda.core (pip install 'render-streamer[cuda]')"):
        import cuda.core

    return cuda.core


def _driver() -> Any:
    with translated("load the NVIDIA driver's bindings (pip install 'render-streamer[cuda]')"):
        from cuda.bindings import driver

    return driver
