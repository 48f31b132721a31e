"""What becomes of large blocks of memory; run in a process of its own, since the setting is the process's."""

import platform
import subprocess
import sys

import pytest

# A freed block of 1 MiB makes glibc raise its threshold; the next such block would then come from the heap, which
# `mallinfo2` counts in its field 4 (mapped blocks) and not.
_PROGRAM = """
import ctypes
from streamer.allocator import return_large_blocks

class Counts(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in "arena ordblks smblks hblks hblkhd a b c d e".split()]

if FIXED:
    assert return_large_blocks()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
libc.mallinfo2.restype = Counts
libc.free(libc.malloc(1 << 20))
before = libc.mallinfo2().hblks
libc.malloc(1 << 20)
print(libc.mallinfo2().hblks - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the setting is glibc's")
@pytest.mark.parametrize(("is_fixed", "mapped"), [(False, "0"), (True, "1")])
def test_large_blocks_stay_mapped_one_by_one_with_a_fixed_threshold(*, is_fixed: bool, mapped: str) -> None:
    program = _PROGRAM.replace("FIXED", str(is_fixed))

    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)

    assert done.stdout.strip() == mapped
