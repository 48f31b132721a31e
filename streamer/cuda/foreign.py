"""Arrays that other libraries keep on a GPU, by DLPack or the CUDA array interface, as one value.

Whoever draws on the array and we work in different streams. `view` either knows the producer's stream, or makes a
stream of ours follow it: DLPack's producer does that itself; where the array interface names no stream, it is the
legacy one. So version 2 has it. In version 3 it should mean that nothing is under way, but Numba names its streams
except the legacy one.
"""

import operator
from dataclasses import dataclass
from typing import Any

import numpy as np

from streamer.cuda.errors import CudaError, ForeignArrayError
from streamer.cuda.gpu import LEGACY_STREAM, Gpu, Stream

# Of DLPack's device types.
_CUDA, _CUDA_MANAGED = 2, 13
_HOST_TYPES = (1, 3)
_OLDEST_INTERFACE = 2


@dataclass(frozen=True, slots=True)
class DeviceArray:
    """Where an array lies, how, and who keeps it alive.

    `stream` is the producer's, None if it is not known. Strides are in bytes.
    """

    pointer: int
    shape: tuple[int, ...]
    strides_bytes: tuple[int, ...]
    dtype: np.dtype[Any]
    device: int
    stream: int | None
    owner: object


def is_on_device(array: object) -> bool:
    """Return whether `array` says that it lies in the memory of a device.

    Raises:
        ForeignArrayError: it does not know.
    """
    try:
        ask = getattr(array, "__dlpack_device__", None)
        if ask is not None:
            return int(ask()[0]) not in _HOST_TYPES
        return getattr(array, "__cuda_array_interface__", None) is not None
    # PyTorch raises for tensors without memory, for example.
    except Exception as exc:
        raise ForeignArrayError(f"an array that does not say where it lies ({exc})") from exc


def stream_handle(stream: Any) -> int:
    """Return the handle of a CUDA stream, which is given as that number or as an object with NVIDIA's protocol.

    Raises:
        TypeError: it is neither.
    """
    tell = getattr(stream, "__cuda_stream__", None)
    try:
        handle = operator.index(stream if tell is None else tell()[1])
    except TypeError:
        handle = -1
    # The driver takes any number for an address.
    if handle < 0:
        raise TypeError(f"stream is {stream!r}; accepted is the handle of a CUDA stream or what has __cuda_stream__")
    return handle


def view(array: Any, gpu: Gpu, follower: Stream, producer: int | None = None) -> DeviceArray:
    """Return the array as a value.

    Unless the producer's stream is known, which is when `producer` or the array names it, `follower` waits for what the
    producer has queued.

    Raises:
        ForeignArrayError: what the object says of itself cannot be, or it lies elsewhere than on `gpu`.
        CudaError: the driver refuses.
    """
    interface = _interface(array)
    # With the producer's stream known, nobody has to wait; only version 3 names it.
    names_stream = interface is not None and interface.get("stream") is not None
    if interface is not None and (names_stream or not hasattr(array, "__dlpack__")):
        return _by_interface(array, interface, gpu, follower, producer)
    return _by_dlpack(array, gpu, follower, producer)


def _by_dlpack(array: Any, gpu: Gpu, follower: Stream, producer: int | None) -> DeviceArray:
    kind, device = (int(each) for each in array.__dlpack_device__())
    if kind not in (_CUDA, _CUDA_MANAGED):
        raise ForeignArrayError(f"an array on a device of DLPack's type {kind}; accepted are CUDA's {_CUDA} and 13")
    _check_device(device, gpu)
    # The producer takes its current stream to be that of the current GPU, which need not be the one of the array.
    with gpu.current():
        try:
            # -1: no stream has to wait for the producer's.
            found = gpu.core.utils.StridedMemoryView.from_dlpack(array, follower.handle if producer is None else -1)
            dtype = np.dtype(found.dtype)
        # What the producer raises is its own: torch refuses tensors that carry gradients, for example.
        except Exception as exc:
            raise ForeignArrayError(f"an array that does not come by DLPack ({exc})") from exc
    shape = tuple(found.shape)
    # In elements.
    strides = tuple(found.strides) if found.strides is not None else _dense(shape, 1)
    strides_bytes = tuple(stride * dtype.itemsize for stride in strides)
    return DeviceArray(int(found.ptr), shape, strides_bytes, dtype, device, producer, found)


def _interface(array: Any) -> dict[str, Any] | None:
    try:
        return dict(array.__cuda_array_interface__)
    # PyTorch raises for tensors that carry gradients; those that speak DLPack say it again there.
    except Exception as exc:
        if hasattr(array, "__dlpack__"):
            return None
        raise ForeignArrayError(f"an array whose __cuda_array_interface__ cannot be read ({exc!r})") from exc


def _by_interface(
    array: object, interface: dict[str, Any], gpu: Gpu, follower: Stream, producer: int | None
) -> DeviceArray:
    try:
        version = int(interface["version"])
        shape = tuple(int(side) for side in interface["shape"])
        pointer = int(interface["data"][0])
        dtype = np.dtype(interface["typestr"])
        strides = interface.get("strides")
        strides_bytes = _dense(shape, dtype.itemsize) if strides is None else tuple(int(each) for each in strides)
        stream = interface.get("stream")
        stream = None if stream is None else int(stream)
    except (KeyError, IndexError, TypeError, ValueError, OverflowError) as exc:
        raise ForeignArrayError(f"an array whose __cuda_array_interface__ cannot be read ({exc!r})") from exc
    if version < _OLDEST_INTERFACE or interface.get("mask") is not None or len(strides_bytes) != len(shape):
        raise ForeignArrayError(
            f"an array with version {version} of __cuda_array_interface__, {len(shape)} sides, {len(strides_bytes)} "
            f"strides{' and a mask' if interface.get('mask') is not None else ''}; accepted are versions from 2 on, "
            "as many strides as sides, and no mask"
        )
    if stream == 0:
        raise ForeignArrayError("an array whose __cuda_array_interface__ names stream 0, which may be two; use 1 or 2")
    device = _device_at(pointer, gpu)
    _check_device(device, gpu)
    known = stream if producer is None else producer
    if known is None:
        with gpu.current():
            follower.follow(gpu.borrow_stream(LEGACY_STREAM))
    return DeviceArray(pointer, shape, strides_bytes, dtype, device, known, array)


def _dense(shape: tuple[int, ...], item_bytes: int) -> tuple[int, ...]:
    """Return the strides of an array without gaps."""
    strides: list[int] = []
    for side in reversed(shape):
        strides.insert(0, item_bytes)
        item_bytes *= side
    return tuple(strides)


def _device_at(pointer: int, gpu: Gpu) -> int:
    """Return the number of the GPU that holds an address."""
    attribute = gpu.driver.CUpointer_attribute.CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL
    try:
        with gpu.current():
            return int(gpu.call("cuPointerGetAttribute", attribute, pointer))
    except CudaError as exc:
        raise ForeignArrayError(f"an array at {pointer:#x}, which CUDA does not know ({exc})") from exc


def _check_device(device: int, gpu: Gpu) -> None:
    if device != gpu.index:
        raise ForeignArrayError(f"an array on GPU {device}; accepted is GPU {gpu.index}, which encodes")
