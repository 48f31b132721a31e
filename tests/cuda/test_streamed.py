"""A program's pictures on a GPU, up to the access unit: by the real PyNvVideoCodec, and by the software encoder."""

import logging
import sys
from types import SimpleNamespace

import av
import numpy as np
import pytest

import streamer
from streamer.config import Config
from streamer.cuda.memory import host_copies
from streamer.media.frame import EncodeOrder, MemoryKind, Resolution
from streamer.session.assembly import Assembly
from streamer.session.hub import RenditionKey
from streamer.sources import callback
from streamer.sources.base import SourceSettings
from tests.cuda.machine import copies
from tests.fakes.clock import ManualClock
from tests.fakes.cuda_arrays import DlpackArray, InterfacedArray
from tests.fakes.documents import example_of

SIZE = Resolution(320, 180)
ORDER = EncodeOrder(2_000_000, 60)
FRAMES = 5
LONG_US = 30_000_000
# Of a channel: what 4:2:0 and a rate of 2 Mbit/s leave of flat colours.
TOLERANCE = 6


def assembly(**video):
    return Assembly(Config.model_validate({"session": {"size": str(SIZE)}, "video": video}), SIZE)


@pytest.fixture(scope="module")
def hardware():
    return assembly(codecs=["h264"], encoder="nvenc")


@pytest.fixture
def software():
    return assembly(codecs=["h264"], encoder="software")


def quarters(turn: int, channels: int) -> np.ndarray:
    """Return four flat colours that go around with each turn."""
    colours = np.array([(200, 40, 40, 255), (40, 200, 40, 255), (40, 40, 200, 255), (180, 180, 60, 255)], np.uint8)
    places = np.roll(np.arange(4), turn).reshape(2, 2)
    picture = colours[places].repeat(SIZE.height_px // 2, 0).repeat(SIZE.width_px // 2, 1)
    return np.ascontiguousarray(picture[..., :channels])


def stream(assembly, kind, channels, resolution=SIZE, gpu=0):
    """Push frames, encode and decode each, and return what was pushed and what came out, as R, G, B."""
    source = callback.create(SourceSettings(SIZE, 100, ManualClock(), gpu=gpu))
    decoder = av.CodecContext.create("h264", "r")
    machinery, pushed, encoded = None, [], []
    for turn in range(FRAMES):
        pushed.append(quarters(turn, channels))
        assert source.push(kind(pushed[-1], gpu_index=gpu))
        frame = source.grab(LONG_US)
        machinery = machinery or assembly.assemble(
            assembly.choices["h264"], RenditionKey("h264", resolution), frame, ORDER
        )
        converted = frame if machinery.converter is None else machinery.converter.convert(frame)
        encoded.append(machinery.encoder.encode(converted, ORDER))
        source.release(frame)
    machinery.close()
    source.close()
    packets = [av.Packet(frame.data) for frame in encoded]
    pictures = [picture for packet in packets for picture in decoder.decode(packet)] + decoder.decode(None)
    return machinery, pushed, [picture.to_ndarray(format="rgb24", interpolation="BILINEAR") for picture in pictures]


def middles(picture: np.ndarray) -> np.ndarray:
    """Return the colour in the middle of each quarter."""
    height_px, width_px = picture.shape[:2]
    return picture[height_px // 4 :: height_px // 2, width_px // 4 :: width_px // 2, :3].astype(int)


def directions():
    return [str(copy["direction"]) for copy in copies()]


@pytest.mark.parametrize("kind", [DlpackArray, InterfacedArray])
def test_pushed_picture_is_encoded_where_it_is(hardware, kind):
    before, counted = len(copies()), host_copies.count

    machinery, pushed, shown = stream(hardware, kind, channels=4)

    assert machinery.converter is None
    assert machinery.encoder.capabilities.is_hardware
    # The uploads are the tests' own, which make the arrays; then ours, and the encoder's into its own surface.
    made = directions()[before:]
    assert made.count("device_to_host") == 0
    assert made.count("host_to_device") == FRAMES
    assert made.count("device_to_device") == 2 * FRAMES
    assert host_copies.count == counted
    assert len(shown) == FRAMES
    for came, went in zip(shown, pushed, strict=True):
        assert np.abs(middles(came) - middles(went)).max() <= TOLERANCE


@pytest.mark.parametrize("channels", [3, 4])
def test_pushed_picture_is_copied_once_for_a_software_encoder_and_that_is_said_once(software, caplog, channels):
    before, counted = len(copies()), host_copies.size_bytes

    with caplog.at_level(logging.INFO):
        machinery, pushed, shown = stream(software, DlpackArray, channels)
        stream(software, DlpackArray, channels)

    assert machinery.converter.names == "download and libyuv"
    assert machinery.converter.form.memory is MemoryKind.HOST
    assert directions()[before:].count("device_to_host") == 2 * FRAMES
    assert host_copies.size_bytes - counted == 2 * FRAMES * SIZE.pixels * channels
    said = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert said == ["each frame is copied from the GPU because the encoder software reads host memory"]
    assert len(shown) == FRAMES
    for came, went in zip(shown, pushed, strict=True):
        assert np.abs(middles(came) - middles(went)).max() <= TOLERANCE


@pytest.mark.parametrize(("channels", "resolution"), [(3, SIZE), (4, Resolution(160, 90))], ids=["rgb24", "smaller"])
def test_picture_that_the_engine_does_not_take_is_copied_where_no_kernel_can_be_compiled(channels, resolution, caplog):
    hardware = assembly(codecs=["h264"], encoder="nvenc")

    machinery, pushed, shown = stream(hardware, DlpackArray, channels, resolution)

    # With NVRTC it would be "cuda" alone: tests/gpu.
    assert machinery.converter.names == "download and libyuv"
    assert machinery.encoder.capabilities.is_hardware
    for came, went in zip(shown, pushed, strict=True):
        assert np.abs(middles(came) - middles(went)).max() <= TOLERANCE
    pixels = "rgb24" if channels == 3 else "rgba"
    assert f"from the GPU because no converter there makes of {pixels} what the encoder nvenc takes" in caplog.text


def test_picture_on_another_gpu_than_the_encoder_is_copied_once_and_that_is_said(caplog):
    hardware = assembly(codecs=["h264"], encoder="nvenc")
    counted = host_copies.count

    machinery, pushed, shown = stream(hardware, DlpackArray, channels=4, gpu=1)

    assert machinery.converter.names == "download"
    assert machinery.encoder.capabilities.is_hardware
    assert host_copies.count - counted == FRAMES
    assert "because that is number 1, and the encoder nvenc is on another one" in caplog.text
    for came, went in zip(shown, pushed, strict=True):
        assert np.abs(middles(came) - middles(went)).max() <= TOLERANCE


class Torch:
    """As much of PyTorch as the example needs, over the substitute driver."""

    uint8 = np.uint8
    cuda = SimpleNamespace(current_stream=lambda: SimpleNamespace(cuda_stream=0))

    class zeros(DlpackArray):  # noqa: N801 - its name is PyTorch's
        def __init__(self, *shape, dtype, device):
            super().__init__(np.zeros(shape, dtype))
            assert device == "cuda"

        def __getitem__(self, key):
            return np.zeros(self.shape)[key]

        def __setitem__(self, key, value):
            pass


def test_example_of_the_documents_pushes_pictures_that_stay_on_the_gpu(monkeypatch):
    seen = []

    class Stream(streamer.Stream):
        """Looks at what is pushed, as nobody else does without a viewer, and ends the example."""

        def __init__(self, **keys):
            super().__init__({"video": {"encoder": "software"}}, port=0, **keys)

        def push(self, array, **more):
            assert super().push(array, **more)
            frame = self._source.grab(LONG_US)
            seen.append((frame.surface.memory, frame.surface.resolution))
            self._source.release(frame)
            if len(seen) == FRAMES:
                self.close()

    monkeypatch.setitem(sys.modules, "torch", Torch)
    monkeypatch.setattr(streamer, "Stream", Stream)

    exec(example_of("docs/hardware.md", "torch"), {"print": str})

    assert seen == [(MemoryKind.CUDA, Resolution(1920, 1080))] * FRAMES
