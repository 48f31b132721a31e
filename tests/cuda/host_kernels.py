"""The converter's kernels on a processor, where device memory is host memory: over the substitute driver."""

import ctypes
import functools
import tempfile
from pathlib import Path

from streamer.cuda.gpu import Stream
from streamer.cuda.kernels import Pointer
from tests.nvidia_driver.build import compile_c


class _Place(ctypes.Structure):
    _fields_ = (("x", ctypes.c_int), ("y", ctypes.c_int))


class HostKernels:
    """Takes the place of `Kernels`: plays all threads before `launch` returns."""

    def __init__(self, path: Path) -> None:
        self._library = _library(path)
        self._block = _Place.in_dll(self._library, "blockIdx")

    def launch(self, name: str, _: Stream, columns: int, rows: int, *arguments: int | Pointer) -> None:
        kernel = getattr(self._library, name)
        kernel.restype = None
        given = [ctypes.c_void_p(each) if isinstance(each, Pointer) else ctypes.c_int(each) for each in arguments]
        # One row and column more than asked for: blocks of a GPU reach beyond the last, too.
        for self._block.y in range(rows + 1):
            for self._block.x in range(columns + 1):
                kernel(*given)


@functools.cache
def _library(path: Path) -> ctypes.CDLL:
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "kernels.so"
        source = Path(__file__).with_name("kernels.c")
        compile_c([source], target, "-fPIC", "-shared", f'-DKERNELS="{path}"')
        return ctypes.CDLL(str(target))
