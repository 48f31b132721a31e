import json
from pathlib import Path

import pytest

from streamer.media import stamp as stamps
from streamer.media.frame import Resolution
from streamer.media.stamp import Stamp

_VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "stamp.json").read_text())["stamps"]


def _stamp(vector) -> Stamp:
    return Stamp(vector["time_100us"], vector["frame_number"], vector["input_number"])


def _lumas(bits: str) -> list[int]:
    return [224 if bit == "1" else 24 for bit in bits]


@pytest.mark.parametrize("vector", _VECTORS, ids=lambda vector: str(vector["time_100us"]))
def test_stamp_encodes_the_shared_vector(vector):
    assert stamps.encode(_stamp(vector)) == tuple(bit == "1" for bit in vector["bits"])


@pytest.mark.parametrize("vector", _VECTORS, ids=lambda vector: str(vector["time_100us"]))
def test_stamp_decodes_the_shared_vector(vector):
    assert stamps.decode(_lumas(vector["bits"])) == _stamp(vector)


def test_stamp_survives_lumas_that_the_encoder_moved():
    vector = _VECTORS[-1]

    assert stamps.decode([124 if bit == "1" else 123 for bit in vector["bits"]]) == _stamp(vector)


@pytest.mark.parametrize("place", range(stamps.BITS))
def test_stamp_with_one_wrong_bit_is_none(place):
    lumas = _lumas(_VECTORS[1]["bits"])
    lumas[place] = 248 - lumas[place]

    assert stamps.decode(lumas) is None


@pytest.mark.parametrize("lumas", [[], [24] * 71, [24] * 73, [24] * 72, [224] * 72], ids=len)
def test_stamp_is_none_where_there_is_none(lumas):
    assert stamps.decode(lumas) is None


def test_stamp_of_a_frame_keeps_the_low_bits():
    stamp = Stamp.of(capture_us=(1 << 32) * 100 + 12_345_678, frame_number=65536 + 7, input_number=256 + 9)

    assert stamp == Stamp(123_456, 7, 9)


@pytest.mark.parametrize("capture_us", [0, 1_234_500, (1 << 32) * 100 - 100, (1 << 32) * 100, 5 * (1 << 32) * 100])
@pytest.mark.parametrize("age_us", [-1_000_000, 0, 250_000, 3_600_000_000])
def test_stamp_finds_the_capture_time_near_the_reading(capture_us, age_us):
    stamp = Stamp.of(capture_us, 0, 0)

    assert stamp.capture_us(near_us=capture_us + age_us) == capture_us


@pytest.mark.parametrize(("width_px", "side_px"), [(1280, 16), (1920, 24), (1366, 17), (80, 1), (64, 1)])
def test_stamp_block_is_an_eightieth_of_the_width(width_px, side_px):
    assert stamps.block_px(Resolution(width_px, 720)) == side_px


def test_stamp_samples_lie_in_the_middle_of_the_blocks():
    columns_px = stamps.sample_columns_px(Resolution(1280, 720))

    assert len(columns_px) == 72
    assert columns_px[0] == 8
    assert columns_px[-1] == 71 * 16 + 8
