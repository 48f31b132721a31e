"""The driver counts the time that a thread spends in it, so that the rest can be laid at somebody else's door."""

import json
from typing import Any

from tests.nvidia_driver.driver import NvidiaDriver

BEGIN = """
import ctypes, json, threading, time
cuda, encode = ctypes.CDLL("libcuda.so.1"), ctypes.CDLL("libnvidia-encode.so.1")
for library in (cuda, encode):
    library.nvidia_substitute_spent_ns.restype = ctypes.c_int64
context, memory, length = ctypes.c_void_p(), ctypes.c_uint64(), ctypes.c_size_t(1 << 24)
assert cuda.cuInit(0) == 0
assert cuda.cuDevicePrimaryCtxRetain(ctypes.byref(context), 0) == 0
assert cuda.cuCtxPushCurrent_v2(context) == 0
assert cuda.cuMemAlloc_v2(ctypes.byref(memory), length) == 0
def fill():
    assert cuda.cuMemsetD8Async(memory, 1, length, None) == 0
def timed(work):
    begun_ns, spent_ns = time.monotonic_ns(), cuda.nvidia_substitute_spent_ns(0)
    work()
    return cuda.nvidia_substitute_spent_ns(0) - spent_ns, time.monotonic_ns() - begun_ns
"""
NESTED = """
inner = []
@ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
def callback(*_):
    inner.append(timed(fill))
def queue():
    assert cuda.cuStreamAddCallback(None, callback, None, 0) == 0
outer = timed(queue)
print(json.dumps([inner[0], outer]))
"""
BOTH = """
def ask():
    assert encode.NvEncodeAPIGetMaxSupportedVersion(ctypes.byref(ctypes.c_uint32())) == 0
print(json.dumps([timed(ask), encode.nvidia_substitute_spent_ns(0)]))
"""
THREADS = """
seen = []
def look():
    seen.append(cuda.nvidia_substitute_spent_ns(0))
thread = threading.Thread(target=look)
fill()
thread.start()
thread.join()
print(json.dumps(seen + [cuda.nvidia_substitute_spent_ns(0)]))
"""


def run(program: str) -> Any:
    done = NvidiaDriver().run_python("-c", BEGIN + program)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_driver_counts_calls_within_a_call_once():
    (inner_spent_ns, inner_took_ns), (spent_ns, took_ns) = run(NESTED)

    # A call counts when it has ended, and the outer one had not.
    assert inner_spent_ns == 0
    assert inner_took_ns <= spent_ns <= took_ns


def test_driver_counts_both_libraries_in_one_place():
    (spent_ns, took_ns), elsewhere_ns = run(BOTH)

    assert 0 < spent_ns <= took_ns
    assert elsewhere_ns == 0


def test_driver_counts_each_thread_for_itself():
    other_ns, own_ns = run(THREADS)

    assert other_ns == 0
    assert own_ns > 0
