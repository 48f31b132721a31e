import pytest

from streamer.encoders._watch import Watch
from streamer.errors import EncoderError
from streamer.media.frame import EncodedFrame, EncodeOrder, Resolution

ORDER = EncodeOrder(1_200_000, 60.0)
KEYFRAME_ORDER = EncodeOrder(1_200_000, 60.0, keyframe=True)
BUDGET_BYTES = 2_500
WINDOW_FRAMES = 120


def frame(number=0, *, size_bytes=BUDGET_BYTES, is_keyframe=False):
    return EncodedFrame("h264", bytes(size_bytes), is_keyframe, 0, Resolution(320, 192), number=number)


def watch(size_bytes=BUDGET_BYTES, frames=WINDOW_FRAMES, order=ORDER, first=None):
    watch = Watch("nvenc")
    watch.note(first or frame(is_keyframe=True), order)
    for number in range(1, frames):
        watch.note(frame(number, size_bytes=size_bytes), order)
    return watch


@pytest.mark.parametrize("size_bytes", [0, 1_000, BUDGET_BYTES, 3_750])
def test_watch_has_nothing_against_frames_around_their_budget_or_far_below(size_bytes):
    watch(size_bytes, 10 * WINDOW_FRAMES)


def test_watch_reports_a_rate_far_above_the_ordered_one_after_two_seconds():
    watch(3_800, WINDOW_FRAMES - 1)

    with pytest.raises(EncoderError, match=r"spent 1\.8 Mbit/s over two seconds that were ordered at 1\.2 Mbit/s"):
        watch(3_800, WINDOW_FRAMES)


def test_watch_counts_seconds_by_the_ordered_frame_rate():
    order = EncodeOrder(1_200_000, 30.0)
    watch(7_600, WINDOW_FRAMES // 2, order)

    with pytest.raises(EncoderError, match="over two seconds"):
        watch(7_600, WINDOW_FRAMES // 2 + 1, order)


def test_watch_takes_the_limit_of_a_frame_for_its_budget():
    with pytest.raises(EncoderError, match=r"ordered at 0\.5 Mbit/s"):
        watch(BUDGET_BYTES, WINDOW_FRAMES, EncodeOrder(1_200_000, 60.0, max_frame_bytes=1_000))


def test_watch_leaves_keyframes_out_of_the_rate():
    watch(first=frame(size_bytes=10**6, is_keyframe=True), frames=2 * WINDOW_FRAMES)


def test_watch_forgives_a_short_overshoot():
    noted = watch(3_000, WINDOW_FRAMES // 2)
    for number in range(WINDOW_FRAMES):
        noted.note(frame(number, size_bytes=5_000 if number < 20 else 1_000), ORDER)


def test_watch_reports_a_keyframe_that_nobody_ordered():
    noted = watch(frames=7)
    noted.note(frame(7, is_keyframe=True), KEYFRAME_ORDER)
    noted.note(frame(8, is_keyframe=True), ORDER, may_be_keyframe=True)

    with pytest.raises(EncoderError, match="frame 9 became a keyframe that nobody ordered"):
        noted.note(frame(9, is_keyframe=True), ORDER)
