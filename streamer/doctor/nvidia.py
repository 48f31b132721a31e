"""Ask NVIDIA's driver and its encode library about themselves. Only in a process of its own: either may crash."""

import ctypes
from typing import Any

from streamer.encoders import _cuda, _nvenc_library, _proof, nvenc
from streamer.encoders._nvenc_reasons import ENCODE_LIBRARY, explain
from streamer.errors import DeviceError, EncoderError, Unavailable

_NAME = "nvenc"


def describe_cuda() -> dict[str, Any]:
    """Return the version of CUDA that the driver knows, and its GPUs.

    Raises:
        CudaError: there is no driver, or no GPU.
    """
    gpus = [_cuda.find(index) for index in range(_cuda.count_gpus())]
    return {
        "version": _cuda.cuda_version(),
        "gpus": [{"name": gpu.name, "uuid": gpu.uuid, "memory_bytes": _cuda.memory_bytes(gpu.index)} for gpu in gpus],
    }


def nvenc_api() -> tuple[int, int]:
    """Return the newest version of the NVENC API that the driver offers.

    Raises:
        Unavailable: its library is not there, or does not say.
    """
    try:
        library = ctypes.CDLL(ENCODE_LIBRARY)
    except OSError as exc:
        raise Unavailable(_NAME, explain(exc, "h264")) from exc
    version = ctypes.c_uint32()
    status = library.NvEncodeAPIGetMaxSupportedVersion(ctypes.byref(version))
    if status:
        raise Unavailable(_NAME, f"{ENCODE_LIBRARY} does not say its version (NVENC error {status})")
    # As in nvEncodeAPI.h: the major version, and four bits of the minor one.
    return version.value >> 4, version.value & 0xF


def describe_engine(gpu: int) -> dict[str, Any]:
    """Return the codecs of a GPU's encoder with the largest size of each, and why others are not among them.

    Raises:
        CudaError: there is no such GPU.
        DeviceError: it encodes nothing; says why.
    """
    _cuda.find(gpu)
    largest: dict[str, str] = {}
    refusals: dict[str, str] = {}
    for codec in nvenc.LIBRARY_NAMES:
        try:
            largest[codec] = _largest(codec, gpu)
        except DeviceError as exc:
            refusals[codec] = exc.reason
    if not largest:
        # All codecs are refused alike where the GPU or its driver is to blame.
        raise Unavailable(_NAME, refusals["h264"])
    return {"largest": largest, "refusals": refusals}


def _largest(codec: str, gpu: int) -> str:
    if _nvenc_library.why_missing() is not None:
        return str(_proof.prove("nvenc_av", codec, gpu).largest)
    try:
        limits = _nvenc_library.import_cold().GetEncoderCaps(gpuid=gpu, codec=nvenc.LIBRARY_NAMES[codec])
    except Exception as exc:  # What the extension raises shares no base.
        raise EncoderError(_NAME, explain(exc, codec)) from exc
    return f"{limits['width_max']}x{limits['height_max']}"
