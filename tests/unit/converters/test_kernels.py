"""The converter's kernels are a program for every GPU that has an encoder: NVRTC compiles them without one."""

import pytest

from streamer.converters import cuda
from streamer.cuda.kernels import why_no_compiler

# Turing, Ampere, Ada, Hopper, Blackwell.
ARCHITECTURES = ("sm_75", "sm_86", "sm_89", "sm_90", "sm_100", "sm_120")

pytestmark = pytest.mark.skipif(why_no_compiler() is not None, reason=str(why_no_compiler()))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_kernels_compile_without_a_word(architecture):
    from cuda.bindings import nvrtc

    _, program = nvrtc.nvrtcCreateProgram(cuda._KERNELS.read_bytes(), b"kernels.cu", 0, [], [])
    options = [f"--gpu-architecture={architecture}".encode()]

    (status,) = nvrtc.nvrtcCompileProgram(program, len(options), options)

    _, length_bytes = nvrtc.nvrtcGetProgramLogSize(program)
    log = b" " * length_bytes
    nvrtc.nvrtcGetProgramLog(program, log)
    assert log.strip(b"\0 ") == b""
    assert status == nvrtc.nvrtcResult.NVRTC_SUCCESS
    assert nvrtc.nvrtcGetCUBINSize(program)[1] > 0
