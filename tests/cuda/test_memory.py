"""Memory of ours is given back, and only when nobody reads it any more."""

import gc

import pytest

from streamer.cuda.errors import CudaError
from streamer.cuda.gpu import Gpu
from streamer.cuda.memory import DeviceMemory, PinnedMemory


@pytest.fixture
def freed(monkeypatch):
    """Return the addresses that are given back."""
    log = []
    call = Gpu.call

    def logged(self, name, *arguments):
        if name.startswith("cuMemFree"):
            log.append((name, arguments[0]))
        return call(self, name, *arguments)

    monkeypatch.setattr(Gpu, "call", logged)
    return log


def test_device_memory_is_given_back(freed):
    memory = DeviceMemory(Gpu.open(0), 4096)
    pointer = memory.pointer

    del memory
    gc.collect()

    assert ("cuMemFree", pointer) in freed


def test_pinned_memory_lives_as_long_as_its_views(freed):
    memory = PinnedMemory(Gpu.open(0), 4096)
    pointer, view = memory.pointer, memory.array.data[100:200]

    del memory
    gc.collect()
    is_freed = ("cuMemFreeHost", pointer) in freed
    del view
    gc.collect()

    assert not is_freed
    assert ("cuMemFreeHost", pointer) in freed


def test_memory_that_cannot_be_had_is_an_error_in_words():
    with pytest.raises(CudaError, match="CUDA_ERROR_OUT_OF_MEMORY on GPU 0"):
        DeviceMemory(Gpu.open(0), 1 << 60)
