import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
_FILES = ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE", ".gitignore")
_FOLDERS = ("config", "streamer", "web")
_NOT_COPIED = shutil.ignore_patterns("node_modules", "__pycache__")


@pytest.fixture(scope="session")
def checkout(tmp_path_factory):
    """A copy of what packages are built from, so that builds leave nothing in the working tree."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in _FILES:
        shutil.copy2(ROOT / name, copy / name)
    for name in _FOLDERS:
        shutil.copytree(ROOT / name, copy / name, ignore=_NOT_COPIED)
    # No folder above the copy may lend it its ignore rules.
    (copy / ".git").mkdir()
    return copy
