"""Tests of what is done with CUDA that need a driver from the start of their process: `tests/contract/test_cuda.py`
runs them over the substitute driver. Elsewhere they are not collected.
"""

import os

from streamer.sources import gl

if "NVIDIA_SUBSTITUTE_COPIES" not in os.environ:
    collect_ignore_glob = ["test_*.py"]
elif gl.why_unavailable() is not None:
    collect_ignore_glob = ["test_gl.py"]
