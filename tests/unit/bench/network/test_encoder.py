import random
from statistics import fmean

import pytest

from streamer.bench.network.encoder import Encoder
from streamer.media.frame import EncodeOrder

# 10 000 bytes a frame.
_ORDER = EncodeOrder(target_bps=4_800_000, fps=60)
_SHARE_BYTES = 10_000


def _sizes(count, order=_ORDER, size_ratio=1.0):
    encoder = Encoder(random.Random(1))
    return [encoder.encode(order, size_ratio, is_keyframe=False) for _ in range(count)]


def test_encoder_holds_the_target():
    assert fmean(_sizes(3_000)) == pytest.approx(_SHARE_BYTES, rel=0.05)


def test_encoder_spreads_sizes_within_its_bounds():
    sizes = _sizes(3_000)

    assert min(sizes) < 0.85 * _SHARE_BYTES
    assert 1.15 * _SHARE_BYTES < max(sizes) <= 1.5 * _SHARE_BYTES


def test_encoder_makes_small_frames_of_pictures_in_which_little_is_new():
    assert fmean(_sizes(1_000, size_ratio=0.15)) == pytest.approx(0.15 * _SHARE_BYTES, rel=0.05)


def test_keyframe_is_three_frames_large_and_is_paid_back():
    encoder = Encoder(random.Random(1))

    keyframe = encoder.encode(_ORDER, 1.0, is_keyframe=True)
    after = [encoder.encode(_ORDER, 1.0, is_keyframe=False) for _ in range(10)]

    assert keyframe == pytest.approx(3 * _SHARE_BYTES, rel=0.4)
    assert after[0] < 0.5 * _SHARE_BYTES
    assert after[-1] == pytest.approx(_SHARE_BYTES, rel=0.3)


@pytest.mark.parametrize("is_keyframe", [False, True])
def test_encoder_obeys_the_largest_frame(is_keyframe):
    encoder = Encoder(random.Random(1))
    order = EncodeOrder(target_bps=4_800_000, fps=60, max_frame_bytes=6_000)

    assert all(encoder.encode(order, 1.0, is_keyframe=is_keyframe) <= 6_000 for _ in range(100))


def test_encoder_obeys_a_new_target_at_once():
    encoder = Encoder(random.Random(1))
    encoder.encode(_ORDER, 1.0, is_keyframe=False)

    size_bytes = encoder.encode(EncodeOrder(target_bps=480_000, fps=60), 1.0, is_keyframe=False)

    assert size_bytes < 0.15 * _SHARE_BYTES
