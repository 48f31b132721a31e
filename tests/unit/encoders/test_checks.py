import pytest

from streamer.encoders._checks import KeyframeCheck
from streamer.errors import EncoderError
from streamer.media.frame import EncodeOrder

KEYFRAME, DELTA = b"\0\0\1\x65\x88", b"\0\0\1\x41\x9a"
ORDER = EncodeOrder(2_000_000, 60.0)
KEYFRAME_ORDER = EncodeOrder(2_000_000, 60.0, keyframe=True)


@pytest.mark.parametrize(
    ("data", "order", "is_keyframe"), [(KEYFRAME, KEYFRAME_ORDER, True), (KEYFRAME, ORDER, True), (DELTA, ORDER, False)]
)
def test_keyframe_check_lets_frames_pass_that_are_what_they_are_said_to_be(data, order, is_keyframe):
    KeyframeCheck("software", "h264").check(data, order, is_keyframe=is_keyframe)


@pytest.mark.parametrize(
    ("data", "order", "is_keyframe", "complaint"),
    [
        pytest.param(DELTA, ORDER, True, "marked keyframe=True", id="false-keyframe"),
        pytest.param(KEYFRAME, ORDER, False, "marked keyframe=False", id="hidden-keyframe"),
        pytest.param(DELTA, KEYFRAME_ORDER, False, "ordered and did not come", id="missing-keyframe"),
        pytest.param(b"", ORDER, False, "made no h264 frame", id="nothing"),
    ],
)
def test_keyframe_check_refuses_frames_that_would_freeze_viewers(data, order, is_keyframe, complaint):
    with pytest.raises(EncoderError, match=complaint):
        KeyframeCheck("software", "h264").check(data, order, is_keyframe=is_keyframe)


def test_keyframe_check_knows_orders_of_codecs_that_we_cannot_read():
    check = KeyframeCheck("nvenc", "theora")

    check.check(b"anything", ORDER, is_keyframe=True)
    with pytest.raises(EncoderError, match="did not come"):
        check.check(b"anything", KEYFRAME_ORDER, is_keyframe=False)
