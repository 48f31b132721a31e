"""Pictures on a GPU that a program pushes: what is accepted, how often they are copied, and who waits for whom."""

import numpy as np
import pytest

from streamer.cuda.gpu import LEGACY_STREAM, Gpu, Stream
from streamer.errors import SourceError
from streamer.media.frame import BT601_LIMITED, SRGB_FULL, MemoryKind, PixelFormat, Resolution
from streamer.media.planes import why_planes_unfit
from streamer.sources import callback
from streamer.sources.base import SourceSettings
from tests.cuda.machine import copies, picture, read_back
from tests.fakes.clock import ManualClock
from tests.fakes.cuda_arrays import DlpackArray, InterfacedArray

SIZE = Resolution(8, 4)
LONG_US = 30_000_000
SHAPES = [
    ("rgb", (4, 8, 3), PixelFormat.RGB24),
    ("bgr", (4, 8, 3), PixelFormat.BGR24),
    ("rgb", (4, 8, 4), PixelFormat.RGBA),
    ("bgr", (4, 8, 4), PixelFormat.BGRA),
    ("rgb", (6, 8), PixelFormat.NV12),
]
KINDS = [DlpackArray, InterfacedArray]


def opened(**options):
    return callback.create(SourceSettings(SIZE, 100, ManualClock(), callback.Options(**options)))


@pytest.fixture
def source():
    source = opened()
    yield source
    source.close()


@pytest.mark.parametrize("padding_bytes", [0, 40])
@pytest.mark.parametrize(("order", "shape", "pixel_format"), SHAPES)
@pytest.mark.parametrize("kind", KINDS)
def test_pushed_array_stays_on_the_gpu(kind, order, shape, pixel_format, padding_bytes):
    source = opened(channel_order=order)
    content = picture(*shape)
    before = len(copies())
    array = kind(content, padding_bytes=padding_bytes)

    assert source.push(array)
    frame = source.grab(LONG_US)

    surface = frame.surface
    assert (surface.memory, surface.format, surface.resolution, surface.device) == (
        MemoryKind.CUDA,
        pixel_format,
        SIZE,
        0,
    )
    assert surface.colour == (BT601_LIMITED if pixel_format is PixelFormat.NV12 else SRGB_FULL)
    assert why_planes_unfit(surface) is None
    assert surface.planes[0].pointer != array.pointer
    # The first one is the test's own, which fills the array.
    assert [copy["direction"] for copy in copies()[before:]] == ["host_to_device", "device_to_device"]
    assert np.array_equal(read_back(surface).reshape(-1), content.reshape(-1))
    source.release(frame)


@pytest.mark.parametrize("kind", KINDS)
def test_program_may_draw_again_at_once(source, kind):
    content = picture(4, 8, 4)
    array = kind(content)

    source.push(array)
    with array.gpu.current():
        array.gpu.call("cuMemsetD8Async", array.pointer, 0, content.nbytes, LEGACY_STREAM)

    assert np.array_equal(read_back(source.grab(LONG_US).surface).reshape(content.shape), content)


@pytest.fixture
def orders(monkeypatch):
    """Record who follows whom, what is copied in which stream, and for which stream the host waits."""
    log = []
    follow, wait, call = Stream.follow, Stream.wait, Gpu.call

    def logged_follow(self, other):
        log.append(("follow", self.handle, other.handle))
        follow(self, other)

    def logged_wait(self):
        log.append(("wait", self.handle))
        wait(self)

    def logged_call(self, name, *arguments):
        if name == "cuMemcpy2DAsync":
            log.append(("copy", arguments[1]))
        return call(self, name, *arguments)

    monkeypatch.setattr(Stream, "follow", logged_follow)
    monkeypatch.setattr(Stream, "wait", logged_wait)
    monkeypatch.setattr(Gpu, "call", logged_call)
    return log


@pytest.mark.parametrize("way", ["the interface names it", "push is told"])
def test_copy_is_in_the_stream_of_a_producer_that_is_known_and_nobody_waits(source, orders, way):
    theirs = Gpu.open(0).open_stream()
    is_told = way == "push is told"
    array = DlpackArray(picture(4, 8, 4)) if is_told else InterfacedArray(picture(4, 8, 4), 3, theirs.handle)
    orders.clear()

    source.push(array, stream=theirs.handle if is_told else None)

    ours = source.grab(LONG_US).surface.stream
    assert orders == [("follow", theirs.handle, ours), ("copy", theirs.handle), ("follow", ours, theirs.handle)]


def test_copy_into_a_surface_comes_after_one_that_nobody_waited_for(source, orders):
    slow, quick = (Gpu.open(0).open_stream() for _ in range(2))
    array = DlpackArray(picture(4, 8, 4))
    # Each is replaced before anybody takes it, until a surface is used again.
    for _ in range(5):
        source.push(array, stream=slow.handle)
    waiting = [follower for kind, follower, *_ in orders if kind == "follow" and follower != slow.handle]
    orders.clear()

    source.push(array, stream=quick.handle)

    ours = source.grab(LONG_US).surface.stream
    assert ours in waiting, "the surface has been used before"
    assert orders == [("follow", quick.handle, ours), ("copy", quick.handle), ("follow", ours, quick.handle)]


@pytest.mark.parametrize("kind", KINDS)
def test_push_waits_for_the_copy_where_the_producer_is_not_known(source, orders, kind):
    array = kind(picture(4, 8, 4))
    orders.clear()

    source.push(array)

    ours = source.grab(LONG_US).surface.stream
    ((_, lane),) = [order for order in orders if order[0] == "copy"]
    *told, before, copy, after, wait = orders
    assert (before, copy, after, wait) == (
        ("follow", lane, ours),
        ("copy", lane),
        ("follow", ours, lane),
        ("wait", ours),
    )
    # The producer that does not do it by itself.
    assert told == ([("follow", lane, LEGACY_STREAM)] if kind is InterfacedArray else [])
    assert lane not in (ours, LEGACY_STREAM)


def test_frames_wait_for_themselves_alone(source):
    source.push(DlpackArray(picture(4, 8, 4)))
    first = source.grab(LONG_US)
    source.push(DlpackArray(picture(4, 8, 4)))
    second = source.grab(LONG_US)

    assert first.surface.stream != second.surface.stream


def test_surface_is_not_overwritten_before_it_is_released(source):
    contents = [picture(4, 8, 4) for _ in range(4)]
    frames = []
    for content in contents:
        source.push(DlpackArray(content))
        frames.append(source.grab(LONG_US))

    for frame, content in zip(frames, contents, strict=True):
        assert np.array_equal(read_back(frame.surface).reshape(content.shape), content)


def test_push_is_refused_while_all_surfaces_are_in_use_and_taken_afterwards(source):
    frames = []
    while source.push(DlpackArray(picture(4, 8, 4))):
        frames.append(source.grab(LONG_US))

    source.release(frames[0])

    assert source.push(DlpackArray(picture(4, 8, 4)))


def test_other_size_is_a_resize_on_purpose(source):
    source.push(DlpackArray(picture(4, 8, 4)))
    small = source.grab(LONG_US)
    source.push(DlpackArray(picture(8, 16, 4)))
    large = source.grab(LONG_US)

    assert (small.surface.resolution, large.surface.resolution) == (SIZE, Resolution(16, 8))
    assert source.resolution == Resolution(16, 8)
    source.release(small)
    source.release(large)


def test_arrays_of_host_and_gpu_take_turns(source):
    kinds = []
    for array in (picture(4, 8, 4), DlpackArray(picture(4, 8, 4)), picture(4, 8, 3)):
        source.push(array)
        frame = source.grab(LONG_US)
        kinds.append((frame.surface.memory, frame.surface.format))
        source.release(frame)

    assert kinds == [
        (MemoryKind.HOST, PixelFormat.RGBA),
        (MemoryKind.CUDA, PixelFormat.RGBA),
        (MemoryKind.HOST, PixelFormat.RGB24),
    ]


@pytest.mark.parametrize(
    ("content", "more", "words"),
    [
        (np.zeros((4, 8, 4), np.float32), {}, r"shape \(4, 8, 4\) and type float32 is no frame: accepted are uint8"),
        (np.zeros((4, 8, 2), np.uint8), {}, r"shape \(4, 8, 2\)"),
        (np.zeros((4, 8), np.uint8), {}, r"shape \(4, 8\)"),
        (np.zeros(8, np.uint8), {}, r"shape \(8,\)"),
        (np.zeros((), np.uint8), {"strides": None}, r"shape \(\)"),
        (np.zeros((5, 8, 4), np.uint8), {}, "8x5 pixels is not accepted: both sides must be even"),
        (np.zeros((4, 8, 4), np.uint8), {"strides": (32, 1, 8)}, r"strides of \(32, 1, 8\) bytes"),
        (np.zeros((4, 8, 4), np.uint8), {"strides": (-32, 4, 1)}, "must follow each other downwards"),
        (np.zeros((4, 8, 4), np.uint8), {"strides": (64, 8, 1)}, "side by side"),
        (np.zeros((6, 8), np.uint8), {"strides": (16, 2)}, "side by side"),
        (np.zeros((4, 8, 4), np.uint8), {"gpu_index": 1}, "on GPU 1; accepted is GPU 0, which encodes: accepted are"),
        (np.zeros((4, 8, 4), np.uint8), {"stream": 0}, "stream 0"),
    ],
)
def test_push_refuses_what_is_no_frame_and_says_what_it_is(source, content, more, words):
    if content.ndim:
        array = InterfacedArray(content, **more)
    else:
        array = InterfacedArray(np.zeros(1, np.uint8), shape=(), **more)

    with pytest.raises(ValueError, match=words):
        source.push(array)

    # It is as good as before.
    assert source.push(InterfacedArray(picture(4, 8, 4)))


def test_picture_that_cannot_be_copied_takes_no_surface(source):
    array = InterfacedArray(picture(4, 8, 4))
    # The driver knows where it begins, and that it ends before the last row.
    array.interface["strides"] = (4096, 4, 1)

    for _ in range(10):
        with pytest.raises(SourceError, match="NVIDIA driver says CUDA_ERROR_INVALID_VALUE on GPU 0"):
            source.push(array)

    assert source.push(InterfacedArray(picture(4, 8, 4)))


def test_gpu_is_that_of_the_options():
    source = opened(gpu=1)

    source.push(DlpackArray(picture(4, 8, 4), gpu_index=1))

    assert source.grab(LONG_US).surface.device == 1
    with pytest.raises(ValueError, match="on GPU 0; accepted is GPU 1"):
        source.push(DlpackArray(picture(4, 8, 4)))


def test_gpu_is_the_one_that_encodes_where_the_options_name_none():
    source = callback.create(SourceSettings(SIZE, 100, ManualClock(), gpu=1))

    source.push(DlpackArray(picture(4, 8, 4), gpu_index=1))
    frame = source.grab(LONG_US)

    assert frame.surface.device == 1
    source.release(frame)
    source.close()


def test_gpu_that_is_not_there_is_an_error_in_words():
    with pytest.raises(SourceError, match="GPU 7 is asked for, but there are 2, counted from 0"):
        opened(gpu=7).push(DlpackArray(picture(4, 8, 4)))


def test_closed_source_takes_no_more_arrays(source):
    source.push(DlpackArray(picture(4, 8, 4)))
    source.close()

    assert not source.push(DlpackArray(picture(4, 8, 4)))


def test_calling_thread_keeps_its_own_gpu(source):
    other = Gpu.open(1)
    with other.current():
        before = other.call("cuCtxGetCurrent")
        source.push(DlpackArray(picture(4, 8, 4)))

        assert int(other.call("cuCtxGetCurrent")) == int(before)
