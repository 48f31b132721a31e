"""The route of a picture to its encoder. Converters on a GPU are played by ones that only say what they were asked."""

import itertools

import pytest

from streamer import registry
from streamer.config import Config
from streamer.errors import Unavailable
from streamer.media.frame import BT601_LIMITED, SRGB_FULL, Capabilities, MemoryKind, PixelFormat, Resolution, Surface
from streamer.session.conversion import Form, open_conversion

SIZE, HALF = Resolution(320, 180), Resolution(160, 90)
NV12, RGBA, RGB24, I420 = PixelFormat.NV12, PixelFormat.RGBA, PixelFormat.RGB24, PixelFormat.I420
CUDA, HOST = MemoryKind.CUDA, MemoryKind.HOST
ON_GPU, ON_HOST = (NV12, RGBA), (I420, NV12)


class Step:
    """A converter that was opened."""

    def __init__(self, settings, log):
        self.colour = BT601_LIMITED if settings.output_format in (NV12, I420) else settings.input_colour
        self.log = log

    def convert(self, frame):
        return frame

    def close(self):
        self.log.append("closed")


class Backend:
    """A converter backend that opens steps for what it does, from one kind of memory to another."""

    def __init__(self, log, name, memory, *, is_there=True):
        self.log, self.name, self.memory, self.is_there = log, name, memory, is_there

    def why_unavailable(self):
        return None if self.is_there else "it is not there"

    def create(self, settings):
        is_same = (settings.input_format, settings.input_resolution) == (
            settings.output_format,
            settings.output_resolution,
        )
        if (settings.input_memory, settings.output_memory) != self.memory or (self.name == "download" and not is_same):
            raise Unavailable(self.name, "does not do this")
        self.log.append(f"{self.name} {settings.input_format} to {settings.output_format}")
        return Step(settings, self.log)


@pytest.fixture
def machine(monkeypatch):
    """Return what installs backends and the log of what they open."""

    def install(*, cuda=True, download=True):
        log = []
        backends = {
            "libyuv": Backend(log, "libyuv", (HOST, HOST)),
            "cuda": Backend(log, "cuda", (CUDA, CUDA), is_there=cuda),
            "download": Backend(log, "download", (CUDA, HOST), is_there=download),
        }
        monkeypatch.setattr(registry, "load", lambda _, name: backends[name])
        monkeypatch.setattr(registry, "why_unavailable", lambda _, name: backends[name].why_unavailable())
        return log

    return install


def opened(surface_form, formats, memory, resolution=SIZE, **video):
    config = Config.model_validate({"video": {"converters": ["libyuv", "cuda", "download"], **video}}).video
    surface = Surface(surface_form.memory, surface_form.format, surface_form.resolution, (), SRGB_FULL, device=0)
    capabilities = Capabilities(("h264",), formats, memory, Resolution(4096, 4096), is_hardware=CUDA in memory)
    return open_conversion(config, surface, capabilities, resolution)


@pytest.mark.parametrize(
    ("came", "formats", "memory", "resolution", "steps", "form"),
    [
        (Form(RGBA, SIZE, HOST), ON_HOST, (HOST,), SIZE, ["libyuv rgba to i420"], Form(I420, SIZE, HOST)),
        (Form(RGB24, SIZE, CUDA), ON_GPU, (HOST, CUDA), SIZE, ["cuda rgb24 to nv12"], Form(NV12, SIZE, CUDA)),
        (Form(RGBA, SIZE, CUDA), ON_GPU, (HOST, CUDA), HALF, ["cuda rgba to nv12"], Form(NV12, HALF, CUDA)),
        (Form(NV12, SIZE, CUDA), ON_HOST, (HOST,), SIZE, ["download nv12 to nv12"], Form(NV12, SIZE, HOST)),
        (
            Form(RGBA, SIZE, CUDA),
            ON_HOST,
            (HOST,),
            SIZE,
            ["cuda rgba to i420", "download i420 to i420"],
            Form(I420, SIZE, HOST),
        ),
    ],
    ids=["host", "format-on-gpu", "size-on-gpu", "copied-as-it-is", "converted-before-the-copy"],
)
def test_picture_goes_the_shortest_way(machine, came, formats, memory, resolution, steps, form):
    log = machine()

    conversion = opened(came, formats, memory, resolution)

    assert (log, conversion.form) == (steps, form)
    assert conversion.names == " and ".join(step.split()[0] for step in steps)


@pytest.mark.parametrize("memory", [(HOST,), (HOST, CUDA)])
def test_picture_is_copied_before_it_is_converted_where_the_gpu_cannot(machine, memory):
    log = machine(cuda=False)

    conversion = opened(Form(RGB24, SIZE, CUDA), ON_GPU, memory)

    assert log == ["download rgb24 to rgb24", "libyuv rgb24 to nv12"]
    assert conversion.form == Form(NV12, SIZE, HOST)


def test_converter_that_was_asked_for_does_not_keep_pictures_from_being_copied(machine):
    log = machine(cuda=False)

    opened(Form(RGB24, SIZE, CUDA), ON_HOST, (HOST,), converter="libyuv")

    assert log == ["download rgb24 to rgb24", "libyuv rgb24 to i420"]


def test_conversion_that_no_converter_does_names_each_reason(machine):
    machine(cuda=False, download=False)

    with pytest.raises(Unavailable, match="cuda: it is not there; download: it is not there"):
        opened(Form(RGB24, SIZE, CUDA), ON_HOST, (HOST,))


def test_steps_of_a_way_that_leads_nowhere_are_closed(machine):
    log = machine(download=False)

    with pytest.raises(Unavailable):
        opened(Form(RGB24, SIZE, CUDA), ON_HOST, (HOST,))

    assert [name for name, _ in itertools.groupby(log)] == ["cuda rgb24 to i420", "closed"]


def test_conversion_closes_all_of_its_steps(machine):
    log = machine()
    conversion = opened(Form(RGBA, SIZE, CUDA), ON_HOST, (HOST,))

    conversion.close()

    assert log[2:] == ["closed", "closed"]
