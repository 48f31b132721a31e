"""Pictures of real libraries in real device memory."""

import numpy as np
import pytest

from streamer.cuda.memory import host_copies
from streamer.media.frame import MemoryKind, PixelFormat, Resolution
from streamer.sources import callback
from streamer.sources.base import SourceSettings
from tests.cuda.machine import picture, read_back
from tests.fakes.clock import ManualClock
from tests.fakes.cuda_arrays import DlpackArray, InterfacedArray
from tests.gpu.timing import timed

FULL_HD = Resolution(1920, 1080)
SHAPES = [((1080, 1920, 4), PixelFormat.RGBA), ((1080, 1920, 3), PixelFormat.RGB24), ((1620, 1920), PixelFormat.NV12)]
LONG_US = 30_000_000


@pytest.fixture
def source():
    source = callback.create(SourceSettings(FULL_HD, 100, ManualClock()))
    yield source
    source.close()


def torch_array(content):
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("this torch has no CUDA")
    return torch.from_numpy(content).cuda()


def cupy_array(content):
    return pytest.importorskip("cupy").asarray(content)


MAKERS = {"torch": torch_array, "cupy": cupy_array, "dlpack": DlpackArray, "interface": InterfacedArray}


@pytest.mark.parametrize(("shape", "pixel_format"), SHAPES)
@pytest.mark.parametrize("library", MAKERS)
def test_picture_arrives_byte_for_byte_and_never_on_the_host(source, library, shape, pixel_format):
    content = picture(*shape)
    array = MAKERS[library](content)
    counted = host_copies.count

    assert source.push(array)
    frame = source.grab(LONG_US)

    assert host_copies.count == counted
    assert (frame.surface.memory, frame.surface.format) == (MemoryKind.CUDA, pixel_format)
    assert np.array_equal(read_back(frame.surface), content.reshape(-1))
    source.release(frame)


@pytest.mark.parametrize("library", MAKERS)
def test_push_of_a_picture_is_quick(source, note, library):
    array = MAKERS[library](picture(1080, 1920, 4))

    def push_and_take():
        source.push(array)
        source.release(source.grab(LONG_US))

    note(f"push 1080p rgba from {library}", **timed(push_and_take))


@pytest.mark.parametrize("is_told", [True, False], ids=["stream-told", "stream-not-told"])
@pytest.mark.parametrize("is_default", [True, False], ids=["default-stream", "own-stream"])
def test_picture_is_what_was_drawn_before_the_push_and_not_after(source, is_default, is_told):
    torch = pytest.importorskip("torch")
    array = torch_array(picture(1080, 1920, 4))
    busy = torch.rand(4096, 4096, device="cuda")
    torch.cuda.synchronize()
    stream = torch.cuda.current_stream() if is_default else torch.cuda.Stream()

    with torch.cuda.stream(stream):
        for value in (10, 20, 30):
            # Work that takes longer than the calls below: whoever does not wait for it copies the picture before.
            for _ in range(4):
                busy = busy @ busy
                busy /= busy.norm()
            array.fill_(value)
            source.push(array, stream=stream.cuda_stream if is_told else None)
            array.fill_(99)
            frame = source.grab(LONG_US)
            assert set(np.unique(read_back(frame.surface))) == {value}
            source.release(frame)


def test_picture_that_nobody_took_is_not_copied_over_a_later_one(source):
    torch = pytest.importorskip("torch")
    early, late = torch_array(picture(1080, 1920, 4)).fill_(10), torch_array(picture(1080, 1920, 4)).fill_(20)
    busy = torch.rand(4096, 4096, device="cuda")
    torch.cuda.synchronize()
    slow, quick = torch.cuda.Stream(), torch.cuda.Stream()

    with torch.cuda.stream(slow):
        for _ in range(20):
            busy = busy @ busy
            busy /= busy.norm()
    # As many as there are surfaces: the last push fills the first of them again.
    for _ in range(5):
        source.push(early, stream=slow.cuda_stream)
    source.push(late, stream=quick.cuda_stream)

    assert set(np.unique(read_back(source.grab(LONG_US).surface))) == {20}


def test_tensor_of_another_layout_is_refused_in_words(source):
    array = torch_array(picture(4, 1080, 1920)).permute(1, 2, 0)

    with pytest.raises(ValueError, match="contiguous"):
        source.push(array)
    assert source.push(array.contiguous())


def test_tensor_with_a_gradient_is_refused_in_words(source):
    torch = pytest.importorskip("torch")
    array = torch.zeros(1080, 1920, 4, device="cuda", requires_grad=True)

    with pytest.raises(ValueError, match="accepted are uint8"):
        source.push(array)
