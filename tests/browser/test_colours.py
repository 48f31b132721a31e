"""Colours on the screen of the server and on that of the viewer: each patch of a test card within 3/255.

Two of them belong to Chromium: without a GPU it turns chroma into RGB with coefficients of seven bits, which puts full
blue 2 off even where converter and encoder are exact.
"""

from collections.abc import Iterator

import numpy as np
import pytest

from tests.fakes import stage
from tests.fakes.availability import available
from tests.fakes.refusals import only_codec
from tests.fakes.staged import Stage, staged
from tests.fakes.tab import SIZE, OpenTab, Rgb, largest_difference
from tests.fakes.xvfb import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.x11]

_LARGEST = 3.0
# What is beside a patch colours its edge: chroma has half the resolution, and encoders filter across blocks.
_MARGIN_PX = 12
# From near the top of each patch down, clear of the row's neighbours and of the pointer of X in the middle.
_PATCH_WIDTH_PX, _PATCH_HEIGHT_PX = stage.patch_px(SIZE.width_px, SIZE.height_px)


@pytest.fixture(scope="module", params=["libyuv", "opencv", "swscale"])
def converter(request: pytest.FixtureRequest) -> str:
    return available("converters", request.param)


@pytest.fixture(scope="module")
def card(converter: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("colours"), "--size", str(SIZE), "--converter", converter) as running:
        yield running


@pytest.mark.parametrize("codec", ["h264", "vp8"])
def test_colours_arrive_as_they_were_drawn(card: Stage, open_tab: OpenTab, codec: str) -> None:
    tab = open_tab(only_codec(codec))
    tab.watch(card.url)
    tab.wait_until(f"player.stream?.codec === '{codec}'")

    def is_near() -> bool:
        return all(largest_difference(patch, colour) <= _LARGEST for patch, colour in _patches(tab.pixels()))

    # The first frame is coarse; it is refined once the picture has stood still for a while.
    wait_for(is_near)


def _patches(picture: Rgb) -> Iterator[tuple[Rgb, tuple[int, int, int]]]:
    for row, colours in enumerate(stage.PATCHES):
        for column, colour in enumerate(colours):
            top, left = row * _PATCH_HEIGHT_PX, column * _PATCH_WIDTH_PX
            inner = np.s_[
                top + _MARGIN_PX : top + _PATCH_HEIGHT_PX - _MARGIN_PX,
                left + _MARGIN_PX : left + _PATCH_WIDTH_PX - _MARGIN_PX,
            ]
            yield picture[inner], colour
