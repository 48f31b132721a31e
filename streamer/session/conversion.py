"""How a picture gets from the form that its source makes into one that an encoder takes.

A route is a list of forms, from each of which a converter leads to the next. The first route all of whose converters
open is taken. Pictures stay on a GPU where the encoder reads its memory; else they are copied into host memory once,
after the GPU has converted them if it can: what is copied is smaller then, and the processor has less to do.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import NamedTuple

from streamer import registry
from streamer.config import AUTO, VideoConfig
from streamer.converters.base import Converter, ConverterSettings
from streamer.errors import Unavailable
from streamer.media.frame import (
    Capabilities,
    ColourDescription,
    MemoryKind,
    PixelFormat,
    Resolution,
    Surface,
    VideoFrame,
)


class Form(NamedTuple):
    """What a picture looks like to whoever reads it."""

    format: PixelFormat
    resolution: Resolution
    memory: MemoryKind

    @staticmethod
    def of(surface: Surface) -> "Form":
        """Return the form of a surface."""
        return Form(surface.format, surface.resolution, surface.memory)


class Conversion:
    """Converters one after the other. Owned by one rendition's thread."""

    def __init__(self, steps: Sequence[Converter], names: Sequence[str], form: Form) -> None:
        self._steps = tuple(steps)
        self.names = " and ".join(names)
        self.form = form

    @property
    def colour(self) -> ColourDescription:
        return self._steps[-1].colour

    def convert(self, frame: VideoFrame) -> VideoFrame:
        for step in self._steps:
            frame = step.convert(frame)
        return frame

    def close(self) -> None:
        for step in self._steps:
            step.close()


def takes(capabilities: Capabilities, form: Form) -> bool:
    """Return whether an encoder reads pictures of this form, whatever their size."""
    return form.format in capabilities.formats and form.memory in capabilities.memory


def open_conversion(
    video: VideoConfig, surface: Surface, capabilities: Capabilities, resolution: Resolution
) -> Conversion:
    """Return a conversion of pictures like `surface` into something that the encoder takes.

    Raises:
        Unavailable: no converter does it.
        ConverterError: a converter does not open.
    """
    reasons: list[str] = []
    for route in _routes(Form.of(surface), capabilities, resolution):
        try:
            return _open_route(video, surface, route)
        except Unavailable as exc:
            reasons.append(exc.reason)
    raise Unavailable("converters", "; ".join(dict.fromkeys(reasons)))


def _routes(source: Form, capabilities: Capabilities, resolution: Resolution) -> list[list[Form]]:
    wanted = Form(capabilities.formats[0], resolution, MemoryKind.HOST)
    if source.memory is MemoryKind.HOST:
        return [[wanted]]
    on_device, downloaded = wanted._replace(memory=source.memory), source._replace(memory=MemoryKind.HOST)
    routes = [[on_device]] if source.memory in capabilities.memory else []
    if takes(capabilities, downloaded) and source.resolution == resolution:
        routes.append([downloaded])
    return [*routes, [on_device, wanted], [downloaded, wanted]]


def _open_route(video: VideoConfig, surface: Surface, route: list[Form]) -> Conversion:
    came, colour = Form.of(surface), surface.colour
    steps: list[Converter] = []
    names: list[str] = []
    with ExitStack() as opened:
        for form in route:
            if form == came:
                continue
            name, step = _open_step(video, came, form, colour, surface.device)
            opened.callback(step.close)
            steps.append(step)
            names.append(name)
            came, colour = form, step.colour
        opened.pop_all()
    return Conversion(steps, names, came)


def _open_step(
    video: VideoConfig, came: Form, wanted: Form, colour: ColourDescription, device: int | None
) -> tuple[str, Converter]:
    """Return the first converter that can, and its name."""
    settings = ConverterSettings(
        input_format=came.format,
        input_resolution=came.resolution,
        output_format=wanted.format,
        output_resolution=wanted.resolution,
        input_colour=colour,
        input_memory=came.memory,
        output_memory=wanted.memory,
        device=device,
    )
    reasons: list[str] = []
    for name in _preference(video, settings):
        why = registry.why_unavailable("converters", name)
        try:
            if why is None:
                converter: Converter = registry.load("converters", name).create(settings)
                return name, converter
        except Unavailable as exc:
            why = exc.reason
        reasons.append(f"{name}: {why}")
    raise Unavailable("converters", f"{came.format} to {wanted.format}: {'; '.join(reasons)}")


def _preference(video: VideoConfig, settings: ConverterSettings) -> tuple[str, ...]:
    if video.converter == AUTO:
        return video.converters
    # One that was asked for by name is asked for colours and sizes; who brings pictures there is another question.
    is_on_device = MemoryKind.CUDA in (settings.input_memory, settings.output_memory)
    return (video.converter, *video.converters) if is_on_device else (video.converter,)
