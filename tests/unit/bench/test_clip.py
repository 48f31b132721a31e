import numpy as np
import pytest

from streamer.bench.clip import encode, noise_frames, pattern_frames, write_annex_b
from streamer.media import stamp
from streamer.media.frame import Resolution
from streamer.sources._reading import read_recording

SIZE = Resolution(320, 180)


def test_pattern_is_stamped_one_interval_after_the_other():
    stamps = []
    for frame in pattern_frames(SIZE, 50.0, 3):
        luma = np.frombuffer(frame.surface.planes[0].buffer, np.uint8)
        stamps.append(stamp.decode([int(luma[column]) for column in stamp.sample_columns_px(SIZE)]))

    assert [found.frame_number for found in stamps if found] == [0, 1, 2]
    assert [found.time_100us - stamps[0].time_100us for found in stamps] == [0, 200, 400]


def test_annex_b_file_is_read_back_frame_by_frame(tmp_path):
    file = tmp_path / "clip.h264"

    count = write_annex_b(file, encode(pattern_frames(SIZE, 60.0, 20), SIZE, 60.0, 1_000_000))

    units = read_recording(file).units
    assert count == 20
    assert [unit.is_keyframe for unit in units] == [True] + [False] * 19


def test_noise_fills_its_target():
    units = list(encode(noise_frames(SIZE, 60), SIZE, 60.0, 4_000_000))

    assert sum(len(unit.data) for unit in units) * 8 == pytest.approx(4_000_000, rel=0.15)
    assert [unit.is_keyframe for unit in units] == [True] + [False] * 59
