import pytest

from streamer.x11.bands import BAND_ROWS, all_bands, bands_of, runs


@pytest.mark.parametrize(("height_px", "bands"), [(1, 0b1), (16, 0b1), (17, 0b11), (1080, (1 << 68) - 1)])
def test_all_bands_cover_the_height(height_px, bands):
    assert all_bands(height_px) == bands


@pytest.mark.parametrize(
    ("y_px", "height_px", "bands"),
    [(0, 1, 0b1), (15, 1, 0b1), (15, 2, 0b11), (16, 16, 0b10), (-5, 6, 0b1), (-5, 5, 0), (40, 0, 0)],
    ids=["first row", "last row of a band", "across", "one band", "partly above", "wholly above", "no rows"],
)
def test_bands_of_rows(y_px, height_px, bands):
    assert bands_of(y_px, height_px) == bands


def test_every_row_is_in_its_band():
    for y_px in range(200):
        for height_px in range(1, 40):
            expected = sum({1 << (row // BAND_ROWS) for row in range(y_px, y_px + height_px)})
            assert bands_of(y_px, height_px) == expected


@pytest.mark.parametrize(
    ("bands", "height_px", "expected"),
    [
        (0, 480, []),
        (0b1, 480, [(0, 16)]),
        (0b110, 480, [(16, 32)]),
        (0b100001, 480, [(0, 96)]),
        (0b1000001, 480, [(0, 16), (96, 16)]),
        (0b11, 20, [(0, 20)]),
        (1 << 60, 20, []),
    ],
    ids=["none", "one", "two", "small gap", "large gap", "last band cut", "beyond the picture"],
)
def test_runs_of_bands(bands, height_px, expected):
    assert runs(bands, height_px) == expected


def test_runs_of_all_bands_are_the_picture():
    for height_px in range(1, 200):
        assert runs(all_bands(height_px), height_px) == [(0, height_px)]
