"""Programs of ours for a GPU, compiled for it by NVIDIA's NVRTC when they are first needed."""

import functools
from pathlib import Path
from typing import Any

import numpy as np

from streamer.cuda.errors import CudaError, translated
from streamer.cuda.gpu import Gpu, Stream

# A warp wide, so that neighbours read neighbouring bytes; eight of them fill a block on every GPU.
_BLOCK = (32, 8)


@functools.cache
def why_no_compiler() -> str | None:
    """Return None if programs can be compiled here, else what is missing."""
    try:
        with translated("load NVRTC (pip install 'render-streamer[cuda]')"):
            from cuda.bindings import nvrtc

            nvrtc.nvrtcVersion()
    except CudaError as exc:
        return str(exc)
    return None


class Kernels:
    """The kernels of one file, for one GPU."""

    def __init__(self, gpu: Gpu, path: Path, names: tuple[str, ...]) -> None:
        """Use `compiled`: it compiles once."""
        self._gpu = gpu
        core = gpu.core
        with gpu.current(), translated(f"compile {path.name}"):
            options = core.ProgramOptions(arch=f"sm_{gpu.device.arch}")
            code = core.Program(path.read_text(encoding="utf-8"), "c++", options).compile("cubin")
            # Loaded at once: what the driver does not take is to be known before the first frame.
            self._kernels: dict[str, Any] = {name: code.get_kernel(name) for name in names}

    @staticmethod
    @functools.cache
    def compiled(gpu: Gpu, path: Path, names: tuple[str, ...]) -> "Kernels":
        """Return the kernels of `path` that have these names.

        Raises:
            CudaError: they do not compile, or the driver does not load them.
        """
        return Kernels(gpu, path, names)

    def launch(self, name: str, stream: Stream, columns: int, rows: int, *arguments: "int | Pointer") -> None:
        """Queue one thread for each column and row; those beyond the last must end by themselves. The GPU is current.

        Plain numbers are `int` in the program.
        """
        core = self._gpu.core
        grid = tuple(-(-count // side) for count, side in zip((columns, rows), _BLOCK, strict=True))
        given = [int(each) if isinstance(each, Pointer) else np.int32(each) for each in arguments]
        core.launch(stream.core, core.LaunchConfig(grid=grid, block=_BLOCK), self._kernels[name], *given)


class Pointer(int):
    """An address on the GPU."""
