"""What the tests over a CUDA driver share: pictures, their content read back, and the log of copies."""

import os
from pathlib import Path

import numpy as np

from streamer.cuda.gpu import Gpu
from streamer.cuda.memory import PinnedMemory, Rows, copy_rows
from streamer.media.frame import Surface
from streamer.media.planes import plane_shapes
from tests.nvidia_driver.calls import Call, read_calls

RNG = np.random.default_rng(4)


def picture(*shape: int) -> np.ndarray:
    """Return noise."""
    return RNG.integers(0, 256, shape, np.uint8)


def read_back(surface: Surface) -> np.ndarray:
    """Return all bytes of a surface on a GPU, those of its planes one after the other."""
    gpu = Gpu.open(surface.device or 0)
    stream = gpu.open_stream()
    blocks = []
    with gpu.current():
        stream.follow(gpu.borrow_stream(surface.stream))
        for plane, (rows, width_bytes) in zip(
            surface.planes, plane_shapes(surface.format, surface.resolution), strict=True
        ):
            memory = PinnedMemory(gpu, rows * width_bytes)
            target = Rows(memory.pointer, width_bytes, is_host=True)
            copy_rows(gpu, Rows(plane.pointer, plane.pitch_bytes), target, width_bytes, rows, stream)
            stream.wait()
            blocks.append(memory.array.copy())
    return np.concatenate(blocks)


def copies() -> list[Call]:
    """Return all copies that this process has made, but those of the substitute engine from its own surfaces."""
    calls = read_calls(Path(os.environ["NVIDIA_SUBSTITUTE_COPIES"]), "copy")
    return [call for call in calls if call.process == os.getpid() and "nvidia-encode" not in str(call["by"])]
