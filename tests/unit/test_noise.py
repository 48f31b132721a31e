import numpy as np

from streamer.media.frame import PixelFormat, Resolution
from streamer.media.planes import why_planes_unfit
from streamer.noise import moving

SIZE = Resolution(100, 60)


def luma(number: int, noise: int) -> np.ndarray:
    plane = moving(SIZE, number, noise).surface.planes[0]
    return np.frombuffer(plane.buffer, np.uint8).reshape(SIZE.height_px, SIZE.width_px).astype(int)


def test_moving_noise_is_a_picture_that_encoders_take() -> None:
    surface = moving(SIZE, 3).surface

    assert (surface.format, surface.resolution) == (PixelFormat.NV12, SIZE)
    assert why_planes_unfit(surface) is None


def test_moving_noise_pans_under_noise_that_is_new_in_each_picture() -> None:
    first, second = luma(0, 57), luma(1, 57)
    texture = luma(0, 1)

    np.testing.assert_array_equal(luma(1, 1), np.roll(texture, 6, axis=1))
    grains = first - texture, second - luma(1, 1)
    # The strongest noise fits above the brightest cells.
    assert all((grain.min(), grain.max()) == (0, 56) for grain in grains)
    assert (grains[0] != grains[1]).mean() > 0.9
