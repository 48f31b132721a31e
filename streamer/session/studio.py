"""Where the pictures of a session are made: its devices, its feed, and the renditions that viewers take.

Knows no viewer. Threads and devices are opened here and, in reverse, closed here.
"""

import logging
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from functools import partial
from threading import Lock
from typing import Protocol, TypeAlias

from streamer.clock import Clock
from streamer.config import Config
from streamer.errors import DesktopError
from streamer.inputs.base import InputBackend
from streamer.media.frame import Post, Resolution
from streamer.session.assembly import Assembly, load_codec
from streamer.session.devices import Devices, open_devices
from streamer.session.feed import Feed
from streamer.session.hub import RenditionKey
from streamer.session.placement import EXTRA_RENDITIONS_HARDWARE, EXTRA_RENDITIONS_SOFTWARE
from streamer.session.prepared import PreparedRendition
from streamer.session.rendition import EncodedRendition, RenditionOwner
from streamer.session.tasks import in_thread
from streamer.sources.base import EncodedSource, FrameSource, PromptSource

logger = logging.getLogger(__name__)

# A picture takes milliseconds, closing an encoder on a GPU up to a second.
_JOIN_US = 5_000_000
_HANDOVER_US = 1_000_000

AnyRendition: TypeAlias = EncodedRendition | PreparedRendition


class StudioOwner(RenditionOwner, Protocol):
    """The session, as its studio sees it. Called on the event loop."""

    def source_ended(self, reason: str, *, is_failure: bool = True) -> None:
        """Note that there will be no more pictures, which may be what somebody wanted."""


class Studio:
    """The pictures of one session, by the encoders of `assembly` unless the source encodes. Event loop only."""

    def __init__(
        self,
        config: Config,
        devices: Devices,
        assembly: Assembly | None,
        owner: StudioOwner,
        clock: Clock,
        post: Post,
    ) -> None:
        self._config = config
        self._devices = devices
        self._assembly = assembly
        self._owner = owner
        self._clock = clock
        self._post = post
        self._renditions: list[AnyRendition] = []
        self._given_up: set[str] = set()
        source = devices.source
        self._feed: Feed | None = None
        # Whose turn it is to read an encoded source.
        self._turn = Lock()
        if isinstance(source, EncodedSource):
            load_codec(source.codec)
        else:
            self._feed = Feed(source, clock, lambda reason: post(lambda: owner.source_ended(reason)))

    @property
    def source(self) -> FrameSource | EncodedSource:
        return self._devices.source

    @property
    def input_backend(self) -> InputBackend | None:
        return self._devices.input_backend

    @property
    def takes_input(self) -> bool:
        """Whether input changes what is seen: by a backend, or by the source that draws its numbers."""
        is_shown = isinstance(self._devices.source, PromptSource)
        return self._config.input.is_enabled and (self.input_backend is not None or is_shown)

    @property
    def resolution(self) -> Resolution:
        """The resolution of the source's next picture."""
        return self._devices.source.resolution

    @property
    def largest(self) -> Resolution:
        """What a picture may measure."""
        return _largest(self._config, self._devices)

    @property
    def codecs(self) -> tuple[str, ...]:
        """The codecs that can be offered, the most wanted first."""
        if self._assembly is not None:
            return tuple(codec for codec in self._assembly.codecs if codec not in self._given_up)
        source = self._devices.source
        assert isinstance(source, EncodedSource)
        return (source.codec,)

    def give_up(self, codec: str) -> None:
        """Offer a codec no more. Its renditions are their owner's to close."""
        self._given_up.add(codec)

    @property
    def can_scale(self) -> bool:
        """Whether pictures can be had in other sizes and rates than the source makes them."""
        return self._assembly is not None

    @property
    def extra_renditions(self) -> int:
        """How many renditions beside the first this machine can make."""
        choices = () if self._assembly is None else self._assembly.choices.values()
        is_hardware = any(choice.capabilities.is_hardware for choice in choices)
        return EXTRA_RENDITIONS_HARDWARE if is_hardware else EXTRA_RENDITIONS_SOFTWARE

    def hasten(self) -> None:
        """Let the answer to input be drawn at once, by a source that would let it wait for the next turn."""
        source = self._devices.source
        if isinstance(source, PromptSource):
            source.hasten()

    def encoder_of(self, codec: str) -> tuple[str, str]:
        """Return the name of the encoder of a codec, and why it is that one."""
        if self._assembly is None:
            return self._config.session.source, "the source brings encoded frames"
        choice = self._assembly.choices[codec]
        return choice.encoder, choice.reason

    def open_rendition(self, key: RenditionKey) -> AnyRendition:
        """Open a rendition; its devices open on its own thread, and what goes wrong there is told to the owner."""
        self._renditions = self.renditions
        rendition: AnyRendition
        if self._feed is None or self._assembly is None:
            source = self._devices.source
            assert isinstance(source, EncodedSource)
            rendition = PreparedRendition(key, source, self._turn, self._owner, self._clock, self._post)
        else:
            reader = self._feed.reader()
            leaving = [before for before in self._renditions if before.is_leaving]
            rendition = EncodedRendition(
                key,
                reader,
                self._assembly,
                self._owner,
                self._clock,
                self._post,
                partial(_wait_for, leaving),
                is_extra=any(_may_serve(other, key) for other in self._renditions),
            )
        self._renditions.append(rendition)
        return rendition

    @property
    def renditions(self) -> list[AnyRendition]:
        """Those whose thread has not ended, whether somebody takes them or not."""
        return [rendition for rendition in self._renditions if rendition.is_alive]

    async def watch(self) -> None:
        """Tell the owner when the program of a private desktop has ended."""
        desktop = self._devices.desktop
        if desktop is None:
            return
        try:
            ended = await desktop.ended()
        except DesktopError as exc:
            self._owner.source_ended(str(exc))
        else:
            self._owner.source_ended(ended.reason, is_failure=ended.is_failure)

    async def close(self) -> None:
        """Wait for the renditions, which their hub has closed, then close feed and devices."""
        async with AsyncExitStack() as opened:
            opened.push_async_callback(self._devices.close)
            if self._feed is not None:
                opened.push_async_callback(in_thread, self._feed.close, "closing of the feed")
            for rendition in self._renditions:
                rendition.close()
            opened.push_async_callback(in_thread, self._join, "end of the renditions")

    def _join(self) -> None:
        """Block until the renditions' threads have ended, but not for ever: a driver may never return."""
        until_us = self._clock.now_us() + _JOIN_US
        for rendition in self._renditions:
            rendition.join(max(0, until_us - self._clock.now_us()))
            if rendition.is_alive:
                logger.warning("%s is left behind: what it waits for does not return", rendition.key)


def _may_serve(rendition: AnyRendition, key: RenditionKey) -> bool:
    """Return whether viewers who belong into `key` can share a rendition, as long as this one works."""
    is_wide_enough = key.resolution.fits_in(rendition.key.resolution)
    return not rendition.is_closing and rendition.key.codec == key.codec and is_wide_enough


def _wait_for(leaving: Iterable[AnyRendition]) -> None:
    """Block until renditions have closed their encoders: a device may have no room for one more beside them."""
    for rendition in leaving:
        rendition.join(_HANDOVER_US)


async def open_studio(
    config: Config, owner: StudioOwner, clock: Clock, post: Post, last_input: Callable[[], int]
) -> Studio:
    """Open devices and feed.

    Raises:
        ConfigError: something that the configuration names is not there.
        DeviceError: a device does not open, or no encoder can run here.
    """
    assembly: Assembly | None = None

    def stays_on_gpu() -> bool:
        return assembly is not None and assembly.takes_gpu_memory

    devices = await open_devices(config, clock, last_input, stays_on_gpu)
    try:
        if not isinstance(devices.source, EncodedSource):
            # In a thread that may be left behind: a Ctrl-C does not wait for a driver.
            largest = _largest(config, devices)
            assembly = await in_thread(lambda: Assembly(config, largest), "choice of encoders")
        return Studio(config, devices, assembly, owner, clock, post)
    except BaseException:
        if not isinstance(devices.source, EncodedSource):
            devices.source.close()
        await devices.close()
        raise


def _largest(config: Config, devices: Devices) -> Resolution:
    """Return what a picture may measure: the configured size, or that of the source where it is larger."""
    size, source = config.session.size, devices.source.resolution
    return Resolution(max(size.width_px, source.width_px), max(size.height_px, source.height_px))
