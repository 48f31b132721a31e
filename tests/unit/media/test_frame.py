import pytest

from streamer.media.frame import EncodedFrame, Resolution
from streamer.media.trace import Stage


def test_resolution_reads_as_people_write_it():
    assert str(Resolution(1280, 720)) == "1280x720"


def test_resolution_counts_its_pixels():
    assert Resolution(4, 3).pixels == 12


@pytest.mark.parametrize(
    ("width_px", "height_px", "expected"), [(4, 3, True), (3, 3, True), (5, 3, False), (4, 4, False), (5, 1, False)]
)
def test_resolution_fits_when_neither_side_is_longer(width_px, height_px, expected):
    assert Resolution(width_px, height_px).fits_in(Resolution(4, 3)) is expected


def test_encoded_frames_do_not_share_a_trace():
    first, second = (
        EncodedFrame(codec="h264", data=b"", is_keyframe=True, capture_us=0, resolution=Resolution(2, 2))
        for _ in range(2)
    )

    first.trace.stamp(Stage.SEND, 5)

    assert second.trace.at_us(Stage.SEND) is None
