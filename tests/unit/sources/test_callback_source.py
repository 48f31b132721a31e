import itertools
from threading import Thread

import numpy as np
import pytest

from streamer.clock import SystemClock
from streamer.media.frame import PixelFormat, Resolution
from streamer.protocol.actions import WheelTurn
from streamer.sources import callback
from streamer.sources.base import SourceSettings
from tests.fakes.clock import ManualClock
from tests.fakes.sources import bytes_of

SIZE = Resolution(8, 4)
LONG_US = 30_000_000


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def source(clock):
    source = callback.create(SourceSettings(SIZE, 100, clock))
    yield source
    source.close()


def picture(value: int, *shape: int) -> np.ndarray:
    return np.full(shape or (4, 8, 3), value, np.uint8)


@pytest.mark.parametrize(
    ("order", "shape", "pixel_format"),
    [
        ("rgb", (4, 8, 3), PixelFormat.RGB24),
        ("bgr", (4, 8, 3), PixelFormat.BGR24),
        ("rgb", (4, 8, 4), PixelFormat.RGBA),
        ("bgr", (4, 8, 4), PixelFormat.BGRA),
        ("rgb", (6, 8), PixelFormat.NV12),
    ],
)
def test_pushed_pixels_arrive_byte_for_byte(clock, order, shape, pixel_format):
    source = callback.create(SourceSettings(SIZE, 100, clock, callback.Options(channel_order=order)))
    pixels = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)

    assert source.push(pixels)
    frame = source.grab(LONG_US)

    assert frame.surface.format is pixel_format
    assert frame.surface.resolution == SIZE
    assert bytes_of(frame) == pixels.tobytes()


@pytest.mark.parametrize(
    "view",
    [np.s_[:, :, :3], np.s_[::-1, :, :3], np.s_[:, ::-1, 2::-1]],
    ids=["channels cut off", "upside down", "mirrored, channels swapped"],
)
def test_any_strides_are_taken(source, view):
    pixels = np.arange(4 * 8 * 4, dtype=np.uint8).reshape(4, 8, 4)[view]

    source.push(pixels)

    assert bytes_of(source.grab(LONG_US)) == pixels.tobytes()


@pytest.mark.parametrize(
    ("pixels", "said"),
    [
        (np.zeros((4, 8, 3), np.float32), r"\(4, 8, 3\) and type float32"),
        (np.zeros((4, 8, 2), np.uint8), r"\(4, 8, 2\)"),
        (np.zeros((1, 4, 8, 3), np.uint8), r"\(1, 4, 8, 3\)"),
        (np.zeros((5, 8), np.uint8), r"\(5, 8\)"),
        (np.zeros(8, np.uint8), r"\(8,\)"),
        (np.zeros((4, 7, 3), np.uint8), "7x4"),
        (np.zeros((0, 8, 3), np.uint8), "8x0"),
        ("text", r"type <U4"),
        (None, "type object"),
    ],
)
def test_what_is_no_frame_is_refused_with_what_came_and_what_is_accepted(source, pixels, said):
    with pytest.raises(ValueError, match=said) as refusal:
        source.push(pixels)

    assert "accepted" in str(refusal.value)


class _Unreadable:
    """What refuses to be read by numpy, as PyTorch's tensors with gradients do."""

    def __array__(self, *_args, **_more):
        raise RuntimeError("it carries a gradient")


class _Nowhere(_Unreadable):
    """What lies in no memory, as PyTorch's tensors on the device "meta"."""

    def __dlpack_device__(self):
        raise BufferError("it has no memory")


@pytest.mark.parametrize(("array", "said"), [(_Unreadable(), "a gradient"), (_Nowhere(), "no memory")])
def test_array_that_refuses_is_refused_with_its_own_words(source, array, said):
    with pytest.raises(ValueError, match=f"{said}.*accepted"):
        source.push(array)


def test_array_may_be_used_again_at_once(source):
    pixels = picture(1)
    source.push(pixels)

    pixels[:] = 2

    assert set(bytes_of(source.grab(LONG_US))) == {1}


def test_newest_frame_wins(source, clock):
    for value in range(10):
        clock.at_us += 10
        assert source.push(picture(value))

    frame = source.grab(LONG_US)

    assert set(bytes_of(frame)) == {9}
    assert source.grab(1_000) is None


def test_frame_older_than_the_newest_loses(source):
    assert source.push(picture(1), capture_us=2_000)

    assert not source.push(picture(2), capture_us=1_999)

    frame = source.grab(LONG_US)
    assert (frame.capture_us, set(bytes_of(frame))) == (2_000, {1})


def test_other_size_is_a_resize_on_purpose(source):
    source.push(picture(1))
    old = source.grab(LONG_US)

    source.push(picture(2, 6, 10, 3))

    assert source.resolution == Resolution(10, 6)
    new = source.grab(LONG_US)
    assert new.surface.resolution == Resolution(10, 6)
    assert set(bytes_of(old)) == {1}
    source.release(old)
    source.release(new)


def test_push_has_no_place_while_every_surface_is_in_use(source):
    held = []
    while source.push(picture(len(held))):
        held.append(source.grab(LONG_US))

    assert source.grab(1_000) is None
    source.release(held[2])
    assert source.push(picture(99))
    assert [set(bytes_of(frame)) for frame in held[:2]] == [{0}, {1}]


def test_grab_keeps_to_the_frame_rate(source, clock):
    at_us = []
    for value in range(20):
        source.push(picture(value))
        frame = source.grab(LONG_US)
        at_us.append(clock.now_us())
        source.release(frame)

    # The second one has passed out of turn.
    assert {later - earlier for earlier, later in itertools.pairwise(at_us[2:])} == {10_000}
    assert at_us[2] - at_us[0] == 10_000


def test_push_wakes_a_waiting_grab():
    source = callback.create(SourceSettings(SIZE, 100, SystemClock()))
    grabbed = []
    thread = Thread(target=lambda: grabbed.append(source.grab(LONG_US)))
    thread.start()

    source.push(picture(5))
    thread.join(LONG_US / 3_000_000)

    assert [set(bytes_of(frame)) for frame in grabbed] == [{5}]


def test_frames_of_many_threads_come_whole_and_in_order():
    source = callback.create(SourceSettings(Resolution(64, 64), 100_000, SystemClock()))
    pixels = [picture(value, 64, 64, 4) for value in range(4)]
    seen = []

    def push_many(pixels: np.ndarray) -> None:
        for _ in range(200):
            source.push(pixels)

    threads = [Thread(target=push_many, args=(pixels[index],)) for index in range(4)]
    for thread in threads:
        thread.start()
    is_over = False
    while not is_over:
        # Looked at before the grab, so that what the last push left is grabbed too.
        is_over = not any(thread.is_alive() for thread in threads)
        frame = source.grab(1_000)
        if frame is not None:
            seen.append((frame.capture_us, frame.number, len(set(bytes_of(frame)))))
            source.release(frame)

    assert seen
    assert {kinds for _, _, kinds in seen} == {1}
    assert seen == sorted(seen)
    assert len({capture_us for capture_us, _, _ in seen}) == len(seen)


def test_push_after_close_is_not_taken(source):
    source.close()

    assert not source.push(picture(1))


def test_input_goes_to_the_function_that_asked_for_it(source):
    heard = []
    source.apply(WheelTurn(0, 1))

    source.on_input(heard.append)
    source.apply(WheelTurn(0, 2))
    source.on_input(None)
    source.apply(WheelTurn(0, 3))

    assert heard == [WheelTurn(0, 2)]
