import numpy as np
import pytest

from streamer.errors import ConfigError
from streamer.media.frame import PixelFormat, Resolution
from streamer.sources import pattern
from streamer.sources.base import SourceSettings
from tests.fakes.clock import ManualClock
from tests.fakes.sources import luma_of, read_stamp

LONG_US = 30_000_000


def open_pattern(size: Resolution) -> pattern.PatternSource:
    return pattern.create(SourceSettings(size, 59.7, ManualClock()))


@pytest.mark.parametrize(
    "size",
    [Resolution(1920, 1080), Resolution(1280, 720), Resolution(640, 360), Resolution(1366, 768), Resolution(80, 2)],
    ids=str,
)
def test_stamp_is_read_at_every_size(size):
    source = open_pattern(size)

    frame = source.grab(LONG_US)

    stamp = read_stamp(frame)
    assert stamp is not None
    assert stamp.frame_number == frame.number
    assert frame.surface.format is PixelFormat.I420


def test_texture_pans_by_the_same_step_over_its_whole_period():
    source = open_pattern(Resolution(320, 180))
    lumas = []
    for _ in range(130):
        frame = source.grab(LONG_US)
        lumas.append(luma_of(frame)[16:])
        source.release(frame)

    # The same grain comes back after four frames, when the texture has moved by 16 and 8 pixels.
    for earlier, later in zip(lumas[:-4], lumas[4:], strict=True):
        assert np.array_equal(earlier[8:, 16:], later[:-8, :-16])


def test_chroma_moves_with_luma():
    source = open_pattern(Resolution(320, 180))
    planes = []
    for _ in range(2):
        frame = source.grab(LONG_US)
        plane = frame.surface.planes[1]
        planes.append(np.frombuffer(bytes(plane.buffer), np.uint8).reshape(90, 160)[8:])

    assert np.array_equal(planes[0][1:, 2:], planes[1][:-1, :-2])
    assert planes[0].std() > 5


def test_odd_sizes_are_refused():
    with pytest.raises(ConfigError, match="641x360"):
        open_pattern(Resolution(641, 360))
