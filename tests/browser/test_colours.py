"""Colours on the screen of the server and on that of the viewer: each patch of a test card within 3/255.

Two exceptions, both measured with every converter alike: Chromium without a GPU turns chroma into RGB with coefficients
of seven bits, which puts fully saturated blue 4 off, and libvpx leaves single patches 4 off.
"""

import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from streamer import registry
from streamer.bench.served import ServedProcess
from tests.fakes import stage
from tests.fakes.program import served
from tests.fakes.refusals import only_codec
from tests.fakes.tab import SIZE, OpenTab, Rgb, largest_difference
from tests.fakes.xvfb import WITHOUT_XVFB, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.x11]

_LARGEST = 3.0
_LARGEST_EXCEPTION = 4.5
# What is beside a patch colours its edge: chroma has half the resolution, and encoders filter across blocks.
_MARGIN_PX = 12
# From near the top of each patch down, clear of the row's neighbours and of the pointer of X in the middle.
_PATCH_WIDTH_PX, _PATCH_HEIGHT_PX = stage.patch_px(SIZE.width_px, SIZE.height_px)


@pytest.fixture(scope="module", params=["libyuv", "opencv", "swscale"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedProcess]:
    if shutil.which("Xvfb") is None:
        pytest.skip(WITHOUT_XVFB)
    reason = registry.why_unavailable("converters", request.param)
    if reason is not None:
        pytest.skip(reason)
    diary = tmp_path_factory.mktemp("colours") / "diary"
    program = shlex.join([sys.executable, str(Path(stage.__file__)), str(diary)])
    with served("--app", program, "--size", str(SIZE), "--converter", request.param) as running:
        yield running


@pytest.mark.parametrize("codec", ["h264", "vp8"])
def test_colours_arrive_as_they_were_drawn(server: ServedProcess, open_tab: OpenTab, codec: str) -> None:
    tab = open_tab(only_codec(codec))
    tab.watch(server.url)
    tab.wait_until(f"player.stream?.codec === '{codec}'")

    def is_near() -> bool:
        return all(
            largest_difference(patch, colour) <= _limit(codec, colour) for patch, colour in _patches(tab.pixels())
        )

    # The first frame is coarse; it is refined once the picture has stood still for a while.
    wait_for(is_near)


def _limit(codec: str, colour: tuple[int, int, int]) -> float:
    is_saturated = set(colour) <= {0, 255}
    return _LARGEST_EXCEPTION if is_saturated or codec == "vp8" else _LARGEST


def _patches(picture: Rgb) -> Iterator[tuple[Rgb, tuple[int, int, int]]]:
    for row, colours in enumerate(stage.PATCHES):
        for column, colour in enumerate(colours):
            top, left = row * _PATCH_HEIGHT_PX, column * _PATCH_WIDTH_PX
            inner = np.s_[
                top + _MARGIN_PX : top + _PATCH_HEIGHT_PX - _MARGIN_PX,
                left + _MARGIN_PX : left + _PATCH_WIDTH_PX - _MARGIN_PX,
            ]
            yield picture[inner], colour
