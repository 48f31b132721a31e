"""Try NVENC, by PyNvVideoCodec or by FFmpeg: the questions that only a GPU can answer.

Belongs to the process of `_nvenc_proof`, for what is called here may crash. The frames, and what is checked of them,
are `_trial`'s; here are the two ways to open an encoder for them, and what else is asked of PyNvVideoCodec.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import numpy as np

from streamer.encoders import _nvenc_library, _trial, nvenc, nvenc_av
from streamer.encoders._cuda import DeviceMemory, Gpu
from streamer.encoders._nvenc_reasons import PASSING, explain
from streamer.encoders._proof import Proof
from streamer.encoders.base import EncoderSettings, VideoEncoder
from streamer.errors import EncoderError
from streamer.media.frame import BT601_LIMITED, BT709_LIMITED, ColourDescription, MemoryKind, PixelFormat, Resolution
from streamer.media.planes import host_surface

# A picture for device memory whose planes cannot be taken for one another, and what encoding may change about it.
_LUMA, _BLUE, _RED = 90, 60, 190
_TOLERANCE = 3.0

FoundT = TypeVar("FoundT")


def try_nvenc(codec: str, gpu: Gpu) -> Proof | str:
    """Return what PyNvVideoCodec does on this GPU, or why it is of no use.

    Raises:
        CudaError: the driver gives no memory.
    """
    try:
        library = _nvenc_library.import_cold()
        limits = library.GetEncoderCaps(gpuid=gpu.index, codec=nvenc.LIBRARY_NAMES[codec])
    except Exception as exc:  # noqa: BLE001 - what the extension raises shares no base
        return explain(exc, codec)
    assumed = Proof(
        gpu=gpu.name,
        driver=gpu.driver,
        smallest=Resolution(limits["width_min"], limits["height_min"]),
        largest=Resolution(limits["width_max"], limits["height_max"]),
        # Encoders take nothing that is not proven: they are told that all of it is, to be tried.
        rgb_colour=BT709_LIMITED,
        takes_device_memory=True,
    )

    def open_encoder(settings: EncoderSettings) -> VideoEncoder:
        options = nvenc.Options(gpu=gpu.index)
        return nvenc.NvencEncoder(replace(settings, options=options), library, assumed, watch=None)

    try:
        _trial.run(open_encoder, codec)
        return replace(
            assumed,
            rgb_colour=_unless_refused(lambda: _rgb_colour(open_encoder, codec)),
            takes_device_memory=bool(_unless_refused(lambda: _takes_device_memory(open_encoder, codec, gpu))),
        )
    except _trial.TrialError as exc:
        return str(exc)
    except EncoderError as exc:
        return exc.reason


def try_nvenc_av(codec: str, gpu: Gpu) -> Proof | str:
    """Return what FFmpeg's wrapper does on this GPU, or why it is of no use."""
    proof = Proof(gpu.name, gpu.driver, nvenc_av.SMALLEST, nvenc_av.LARGEST[codec])

    def open_encoder(settings: EncoderSettings) -> VideoEncoder:
        options = nvenc_av.Options(gpu=gpu.index)
        return nvenc_av.NvencAvEncoder(replace(settings, options=options), proof, watch=None)

    try:
        _trial.run(open_encoder, codec)
    except _trial.TrialError as exc:
        return str(exc)
    except EncoderError as exc:
        return exc.reason
    return proof


TRIALS: dict[str, Callable[[str, Gpu], Proof | str]] = {"nvenc": try_nvenc, "nvenc_av": try_nvenc_av}


def _unless_refused(ask: Callable[[], FoundT]) -> FoundT | None:
    """Return what a further question finds, None if the engine does not do what is asked of it.

    Raises:
        EncoderError: another moment may answer otherwise, and what is proven is kept.
    """
    try:
        return ask()
    except _trial.TrialError:
        return None
    except EncoderError as exc:
        if exc.reason in PASSING:
            raise
        return None


def _rgb_colour(open_encoder: _trial.OpenEncoder, codec: str) -> ColourDescription | None:
    """Return what the engine's own conversion makes of RGB; None if that is not known."""
    colours = {_trial.rgb_colour(open_encoder, codec, packed) for packed in nvenc.PACKED}
    # Both orders of the channels have to be told apart and converted alike.
    return colours.pop() if len(colours) == 1 else None


def _takes_device_memory(open_encoder: _trial.OpenEncoder, codec: str, gpu: Gpu) -> bool:
    """Return whether a picture in device memory comes out as it went in."""
    width_px, height_px = _trial.RESOLUTION.width_px, _trial.RESOLUTION.height_px
    block = np.full((height_px * 3 // 2, width_px), _LUMA, np.uint8)
    block[height_px:, 0::2], block[height_px:, 1::2] = _BLUE, _RED
    content = block.tobytes()
    host = host_surface(memoryview(content), PixelFormat.NV12, _trial.RESOLUTION, BT601_LIMITED)
    memory = DeviceMemory(gpu.index, content)
    try:
        pointers = (memory.pointer, memory.pointer + width_px * height_px)
        planes = tuple(
            replace(plane, buffer=None, pointer=pointer) for plane, pointer in zip(host.planes, pointers, strict=True)
        )
        surface = replace(host, memory=MemoryKind.CUDA, planes=planes, device=gpu.index)
        found = _trial.samples(open_encoder, codec, surface)
    finally:
        memory.close()
    return all(abs(one - other) <= _TOLERANCE for one, other in zip(found, (_LUMA, _BLUE, _RED), strict=True))
