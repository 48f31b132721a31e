import builtins
from typing import Any

import pytest

from streamer import registry
from streamer.converters import PREFERENCE, libyuv
from streamer.converters.base import ConverterSettings
from streamer.errors import Unavailable
from streamer.media.frame import PixelFormat, Resolution

SETTINGS = ConverterSettings(PixelFormat.BGRA, Resolution(64, 32), PixelFormat.NV12, Resolution(64, 32))


@pytest.fixture
def _unloaded() -> Any:
    libyuv._load.cache_clear()
    yield
    libyuv._load.cache_clear()


def test_preference_names_every_converter_of_ours() -> None:
    assert sorted(PREFERENCE) == registry.names("converters")


def test_swscale_is_always_there() -> None:
    assert registry.why_unavailable("converters", "swscale") is None


@pytest.mark.usefixtures("_unloaded")
def test_libyuv_names_library_and_package_when_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libyuv, "_LIBRARY", "libyuv-of-nowhere.so")

    reason = libyuv.why_unavailable()

    assert reason is not None
    assert "libyuv-of-nowhere.so" in reason
    assert "libyuv0" in reason
    with pytest.raises(Unavailable, match="libyuv-of-nowhere"):
        libyuv.create(SETTINGS)


@pytest.mark.usefixtures("_unloaded")
def test_libyuv_names_the_functions_that_a_library_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libyuv, "_LIBRARY", "libc.so.6")

    assert "ARGBToJ420" in (libyuv.why_unavailable() or "")


def test_opencv_names_its_package_when_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    opencv = registry.load("converters", "opencv")
    original = builtins.__import__

    def without_opencv(name: str, *arguments: Any, **more: Any) -> Any:
        if name == "cv2":
            raise ImportError("No module named 'cv2'")
        return original(name, *arguments, **more)

    monkeypatch.setattr(builtins, "__import__", without_opencv)

    assert "opencv-python-headless" in (opencv.why_unavailable() or "")
    with pytest.raises(Unavailable, match="not installed"):
        opencv.create(SETTINGS)
