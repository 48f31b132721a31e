"""Build the substitute NVIDIA driver, once for each version of its sources, compiler and headers.

What is built lies in the system's folder for temporary files, never in the repository: it is linked with libx264 and
libx265, which are GPL, and stays on the machine that made it.
"""

import ctypes
import functools
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

SOURCES = Path(__file__).parent / "source"
PACKAGES = ("gcc", "libc6-dev", "libffmpeg-nvenc-dev", "libx264-dev", "libx265-dev")
CUDA_LIBRARY, ENCODE_LIBRARY = "libcuda.so.1", "libnvidia-encode.so.1"
_COMPILER = "gcc"
_HEADERS = ("stdint.h", "ffnvcodec/nvEncodeAPI.h", "x264.h", "x265.h")
# -Wno-unused-parameter: the signatures of a driver are given, and not every parameter means something here.
_FLAGS = ("-std=gnu11", "-O2", "-g", "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter")
# Functions are instrumented to count the time that is spent in them (source/common/spent.c), but for those of pixels.
_COUNTED = ("-finstrument-functions", "-finstrument-functions-exclude-file-list=encode/pictures.c")
_LIBRARY_FLAGS = ("-fPIC", "-shared", "-fvisibility=hidden", *_COUNTED)
_COMPILE_LIMIT_S = 100


class Libraries(NamedTuple):
    """The folders that hold one library each, so that either can be left out of a search path."""

    cuda: Path
    encode: Path


@functools.cache
def why_unavailable() -> str | None:
    """Return None if the driver can be built here, else the reason it cannot."""
    if sys.platform != "linux":
        return "the substitute NVIDIA driver is for Linux"
    packages = " ".join(PACKAGES)
    if shutil.which(_COMPILER) is None:
        return f"no {_COMPILER} to build the substitute NVIDIA driver with (apt install {packages})"
    tried = _preprocess()
    if tried.returncode:
        complaint = next((line for line in tried.stderr.splitlines() if "error" in line), tried.stderr)
        return f"the substitute NVIDIA driver cannot be built: {complaint} (apt install {packages})"
    return None


@functools.cache
def libraries() -> Libraries:
    """Return the libraries, built if they are not there.

    Raises:
        RuntimeError: `why_unavailable` has a reason, or the sources do not compile.
    """
    reason = why_unavailable()
    if reason is not None:
        raise RuntimeError(reason)
    folder = _cache() / _fingerprint()
    if not folder.is_dir():
        _build(folder)
    return Libraries(folder / "cuda", folder / "encode")


def preload() -> None:
    """Load the driver into this process: whatever asks for the libraries later gets the substitute.

    For tests that cannot start a process of their own with another search path. It stays until the process ends.
    """
    built = libraries()
    ctypes.CDLL(str(built.cuda / CUDA_LIBRARY), ctypes.RTLD_GLOBAL)
    ctypes.CDLL(str(built.encode / ENCODE_LIBRARY), ctypes.RTLD_GLOBAL)


def compile_c(sources: list[Path], target: Path, *flags: str) -> None:
    """Compile with the driver's own strictness.

    Raises:
        RuntimeError: the compiler refuses.
    """
    command = [_COMPILER, *_FLAGS, f"-I{SOURCES}", *map(str, sources), "-o", str(target), *flags]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_COMPILE_LIMIT_S)
    if done.returncode:
        raise RuntimeError(f"{target.name} does not compile:\n{done.stderr}")


def _build(folder: Path) -> None:
    """Make the folder at once, whole: two test runs may build side by side."""
    common = sorted((SOURCES / "common").glob("*.c"))
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        made = Path(name) / "made"
        for part, library, links in (
            ("cuda", CUDA_LIBRARY, ("-ldl", "-lpthread")),
            ("encode", ENCODE_LIBRARY, ("-lx264", "-lx265", "-lm", "-ldl", "-lpthread")),
        ):
            (made / part).mkdir(parents=True)
            sources = sorted((SOURCES / part).glob("*.c"))
            flags = (*_LIBRARY_FLAGS, f"-Wl,-soname,{library}", *links)
            compile_c(sources + common, made / part / library, *flags)
        try:
            made.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise


def _cache() -> Path:
    """Return a folder that is ours alone: what lies in it is loaded as code."""
    folder = Path(tempfile.gettempdir()) / f"substitute-nvidia-driver-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise RuntimeError(f"{folder} is not ours alone")
    return folder


def _fingerprint() -> str:
    digest = hashlib.sha256(" ".join((*_FLAGS, *_LIBRARY_FLAGS)).encode())
    version = subprocess.run([_COMPILER, "--version"], capture_output=True, text=True, check=True)
    digest.update(version.stdout.encode() + _preprocess().stdout.encode() + Path(__file__).read_bytes())
    for path in sorted(SOURCES.rglob("*.[ch]")):
        digest.update(f"{path.relative_to(SOURCES)}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:20]


def _preprocess() -> subprocess.CompletedProcess[str]:
    """Return the headers that the driver is built against, as the compiler finds them."""
    included = "".join(f"#include <{header}>\n" for header in _HEADERS)
    command = [_COMPILER, "-E", "-P", "-x", "c", "-"]
    return subprocess.run(command, input=included, capture_output=True, text=True, check=False)
