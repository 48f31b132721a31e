"""The CUDA library is the machine that the test describes."""

import json
import uuid
from typing import Any

from tests.nvidia_driver.driver import NvidiaDriver

ASK = """
import ctypes, json
cuda = ctypes.CDLL("libcuda.so.1")
count, version = ctypes.c_int(), ctypes.c_int()
name, identity = ctypes.create_string_buffer(64), (ctypes.c_ubyte * 16)()
assert cuda.cuInit(0) == 0
assert cuda.cuDeviceGetCount(ctypes.byref(count)) == 0
assert cuda.cuDriverGetVersion(ctypes.byref(version)) == 0
last = count.value - 1
assert cuda.cuDeviceGetName(name, len(name), last) == 0
assert cuda.cuDeviceGetUuid_v2(identity, last) == 0
assert cuda.cuDeviceGetName(name, len(name), last + 1) == 101
print(json.dumps([count.value, version.value, name.value.decode(), bytes(identity).hex()]))
"""


def ask(driver: NvidiaDriver) -> list[Any]:
    done = driver.run_python("-c", ASK)
    assert done.returncode == 0, done.stderr
    answer: list[Any] = json.loads(done.stdout)
    return answer


def test_driver_is_a_machine_with_one_gpu():
    assert ask(NvidiaDriver()) == [1, 13_000, "Substitute GPU", "0" * 32]


def test_driver_is_the_machine_that_was_described():
    identity = uuid.UUID("0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0")
    driver = NvidiaDriver(devices=3, device_name="Small GPU", device_uuid=identity, cuda_version=12_040)

    assert ask(driver) == [3, 12_040, "Small GPU", "0f1e2d3c4b5a69788796a5b4c3d2e1f2"]
