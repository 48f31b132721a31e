"""Tests that need an NVIDIA driver from the start of their process: `tests/contract/test_nvidia.py` runs them over the
substitute driver, in processes of their own. Elsewhere they are not collected.
"""

import os

NAME = "NVIDIA_SUBSTITUTE_LOG"

if NAME not in os.environ:
    collect_ignore_glob = ["test_*.py"]
