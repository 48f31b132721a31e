"""Arrays on a GPU as other libraries hand them out, over memory of ours: by DLPack, by the array interface, or both."""

from typing import Any

import numpy as np

from streamer.cuda.gpu import Gpu, Stream
from streamer.cuda.memory import DeviceMemory, Rows, copy_rows


class DeviceArrayOwner:
    """The content of a numpy array on a GPU, with padding between its rows if they are to have some."""

    def __init__(self, content: np.ndarray, padding_bytes: int = 0, gpu_index: int = 0) -> None:
        self.gpu = Gpu.open(gpu_index)
        self.shape, self.dtype = content.shape, content.dtype
        rows = np.ascontiguousarray(content).reshape(len(content), -1).view(np.uint8)
        self.pitch_bytes = rows.shape[1] + padding_bytes
        self.strides_bytes = (self.pitch_bytes, *content.strides[1:])
        self.memory = DeviceMemory(self.gpu, self.pitch_bytes * len(rows))
        self.pointer = self.memory.pointer
        stream = self.gpu.open_stream()
        with self.gpu.current():
            self._upload(rows, stream)
            stream.wait()

    def _upload(self, rows: np.ndarray, stream: Stream) -> None:
        source = Rows(rows.ctypes.data, rows.shape[1], is_host=True)
        copy_rows(self.gpu, source, Rows(self.pointer, self.pitch_bytes), rows.shape[1], len(rows), stream)


class InterfacedArray(DeviceArrayOwner):
    """What speaks the CUDA array interface alone, as Numba does."""

    def __init__(self, content: np.ndarray, version: int = 3, stream: int | None = None, **more: Any) -> None:
        super().__init__(content, more.pop("padding_bytes", 0), more.pop("gpu_index", 0))
        self.interface = {
            "shape": self.shape,
            "typestr": self.dtype.str,
            "data": (self.pointer, False),
            "strides": self.strides_bytes,
            "version": version,
        }
        if version > 2:
            self.interface["stream"] = stream
        self.interface |= more

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return self.interface


class DlpackArray(DeviceArrayOwner):
    """What speaks DLPack alone, as JAX does. `is_versioned` says whether it knows capsules with a version.

    The capsules are NVIDIA's own: `cuda.core` makes them.
    """

    def __init__(self, content: np.ndarray, padding_bytes: int = 0, gpu_index: int = 0, *, is_versioned: bool = True):
        super().__init__(content, padding_bytes, gpu_index)
        self.is_versioned = is_versioned
        self.device = (2, gpu_index)
        # The consumer's streams that this producer was told, in order.
        self.told: list[int | None] = []
        core = self.gpu.core
        buffer = core.Buffer.from_handle(self.pointer, self.memory.size_bytes, owner=self.memory)
        strides = tuple(stride // self.dtype.itemsize for stride in self.strides_bytes)
        self.view = core.utils.StridedMemoryView.from_buffer(buffer, self.shape, strides, dtype=self.dtype)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.device

    def __dlpack__(self, *, stream: int | None = None, **more: Any) -> Any:
        self.told.append(stream)
        if not self.is_versioned:
            if more:
                raise TypeError(f"unexpected arguments {', '.join(more)}")
            return self.view.__dlpack__(stream=-1)
        return self.view.__dlpack__(stream=-1, max_version=more.get("max_version"))
