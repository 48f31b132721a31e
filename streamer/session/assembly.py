"""Which backends serve a session: an encoder for each codec, a converter for each pair of formats, and why.

Chosen once when the session opens; put together by each rendition's thread when it sees its first frame.
"""

import logging
from contextlib import ExitStack
from dataclasses import dataclass, replace
from threading import Lock
from types import ModuleType
from typing import cast

from streamer import registry
from streamer.codecs.base import Codec
from streamer.config import AUTO, Config
from streamer.encoders.base import EncoderSettings, VideoEncoder
from streamer.errors import DeviceError, Unavailable
from streamer.media.frame import (
    BT601_LIMITED,
    Capabilities,
    EncodeOrder,
    MemoryKind,
    Resolution,
    Surface,
    VideoFrame,
)
from streamer.session.conversion import Conversion, Form, open_conversion, takes
from streamer.session.hub import RenditionKey
from streamer.session.pace import keeps_up
from streamer.settings import backend_options

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EncoderChoice:
    """The encoder of one codec, and why it is that one."""

    codec: str
    encoder: str
    reason: str
    module: ModuleType
    capabilities: Capabilities


@dataclass(frozen=True, slots=True)
class Machinery:
    """What a rendition's thread works with. `converter` is None where the encoder takes the frames as they are."""

    converter: Conversion | None
    encoder: VideoEncoder
    codec: Codec

    def close(self) -> None:
        """Close encoder and converter."""
        try:
            self.encoder.close()
        finally:
            if self.converter is not None:
                self.converter.close()


class Assembly:
    """The choices of one session, for pictures of up to `largest`. Any thread may call `assemble`."""

    def __init__(self, config: Config, largest: Resolution) -> None:
        self._config = config
        self._largest = largest
        self._lock = Lock()
        self._require_converter(config.video.converter)
        self._has_told_of_copies = False
        self.choices: dict[str, EncoderChoice] = {}
        self._choose_encoders()

    @property
    def codecs(self) -> tuple[str, ...]:
        """The codecs that can be offered, the most wanted first."""
        return tuple(self.choices)

    @property
    def takes_gpu_memory(self) -> bool:
        """Whether pictures can stay on the GPU, for one codec at least."""
        return any(MemoryKind.CUDA in choice.capabilities.memory for choice in self.choices.values())

    def assemble(self, choice: EncoderChoice, key: RenditionKey, frame: VideoFrame, order: EncodeOrder) -> Machinery:
        """Open the converter and the chosen encoder of a rendition whose frames look like `frame`.

        Raises:
            Unavailable: no converter does this pair of formats.
            DeviceError: the converter or the encoder does not open.
        """
        surface = frame.surface
        form = Form.of(surface)
        readable = self._readable(choice, surface)
        is_as_wanted = takes(readable, form) and surface.resolution == key.resolution
        with ExitStack() as opened:
            converter = None
            if not is_as_wanted:
                converter = open_conversion(self._config.video, surface, readable, key.resolution)
                opened.callback(converter.close)
                form = converter.form
            settings = EncoderSettings(
                codec=key.codec,
                resolution=key.resolution,
                format=form.format,
                colour=surface.colour if converter is None else converter.colour,
                max_fps=self._config.session.fps,
                start_target_bps=order.target_bps,
                max_target_bps=self._config.video.max_target_bps,
                options=backend_options(self._config, "encoders", choice.encoder),
                memory=form.memory,
            )
            encoder: VideoEncoder = choice.module.create(settings)
            opened.pop_all()
        if converter is not None:
            logger.info("%s is converted from %s by %s", key, surface.format, converter.names)
        if form.memory != surface.memory:
            self._tell_of_copies(choice, readable, surface)
        logger.info("%s is encoded by %s", key, encoder.description)
        return Machinery(converter, encoder, load_codec(key.codec))

    def fall_back(self, failed: EncoderChoice, reason: str) -> EncoderChoice | None:
        """Return what takes the place of a hardware encoder that is given up, for all renditions from here on.

        `reason` says what that one did, without its name: "failed". None if there is nothing: no other encoder can make
        this codec.
        """
        with self._lock:
            if self.choices[failed.codec] is not failed:
                # Another rendition has met the same.
                return self.choices[failed.codec]
            for name in self._config.video.encoders:
                try:
                    # Not by its capabilities: those of a GPU take proofs, on the GPU that has just failed.
                    if getattr(registry.load("encoders", name), "IS_HARDWARE", False):
                        continue
                    module, capabilities = self._try(failed.codec, name)
                except DeviceError as exc:
                    logger.warning("%s does not take the place of %s because %s", name, failed.encoder, exc.reason)
                    continue
                if capabilities.is_hardware:
                    # A backend of somebody else's that does not say so beforehand.
                    continue
                why = f"{failed.encoder} {reason}"
                choice = EncoderChoice(failed.codec, name, why, module, capabilities)
                self.choices[failed.codec] = choice
                return choice
        return None

    def _require_converter(self, name: str) -> None:
        why = None if name == AUTO else registry.why_unavailable("converters", name)
        if why is not None:
            raise Unavailable(name, why)

    def _readable(self, choice: EncoderChoice, surface: Surface) -> Capabilities:
        """Return what an encoder can do with pictures like `surface`: it does not read the memory of another GPU."""
        gpu = int(self._config.encoders.get(choice.encoder, {}).get("gpu", 0))
        if surface.device in (None, gpu):
            return choice.capabilities
        return replace(choice.capabilities, memory=(MemoryKind.HOST,))

    def _tell_of_copies(self, choice: EncoderChoice, readable: Capabilities, surface: Surface) -> None:
        if self._has_told_of_copies:
            return
        self._has_told_of_copies = True
        if MemoryKind.CUDA not in choice.capabilities.memory:
            reason = f"the encoder {choice.encoder} reads host memory"
        elif MemoryKind.CUDA not in readable.memory:
            reason = f"that is number {surface.device}, and the encoder {choice.encoder} is on another one"
        else:
            reason = f"no converter there makes of {surface.format} what the encoder {choice.encoder} takes"
        logger.warning("each frame is copied from the GPU because %s", reason)

    def _choose_encoders(self) -> None:
        video = self._config.video
        refused: dict[str, list[str]] = {}
        for codec in video.codecs:
            try:
                self.choices[codec] = self._choose_encoder(codec)
            except Unavailable as exc:
                refused.setdefault(exc.reason, []).append(codec)
        if not self.choices:
            # One reason for all codecs is the encoder's own.
            reasons = next(iter(refused)) if len(refused) == 1 else _refusals(refused)
            if video.encoder != AUTO:
                raise Unavailable(video.encoder, reasons)
            raise Unavailable("encoders", f"none can encode {' or '.join(video.codecs)} ({reasons})")
        for reason, codecs in refused.items():
            logger.warning("not offered: %s (%s)", " and ".join(codecs), reason)

    def _choose_encoder(self, codec: str) -> EncoderChoice:
        """Return the first encoder of the preference that can.

        Raises:
            Unavailable: none can; says why each cannot.
        """
        video = self._config.video
        preference = video.encoders if video.encoder == AUTO else (video.encoder,)
        passed_over: dict[str, list[str]] = {}
        for name in preference:
            try:
                module, capabilities = self._try(codec, name)
                if video.encoder == AUTO:
                    self._prefer_steady(codec, name, capabilities)
            except DeviceError as exc:
                passed_over.setdefault(exc.reason, []).append(name)
            else:
                reason = "it was asked for" if video.encoder != AUTO else _reason(passed_over)
                return EncoderChoice(codec, name, reason, module, capabilities)
        raise Unavailable("encoders", _refusals(passed_over) if video.encoder == AUTO else next(iter(passed_over)))

    def _prefer_steady(self, codec: str, name: str, capabilities: Capabilities) -> None:
        """Pass over hardware that pays for rates with keyframes, where an encoder that does not keeps up without it.

        Raises:
            Unavailable: there is such an encoder.
        """
        if not (capabilities.is_hardware and capabilities.rate_change_needs_keyframe):
            return
        video, fps = self._config.video, self._config.session.fps
        for other in video.encoders[video.encoders.index(name) + 1 :]:
            try:
                module, others = self._try(codec, other)
                is_enough = not others.rate_change_needs_keyframe and keeps_up(
                    module,
                    codec,
                    self._largest,
                    fps,
                    video.start_target_bps,
                    backend_options(self._config, "encoders", other),
                )
            except DeviceError:
                continue
            if is_enough:
                size = f"{self._largest} at {fps:g} fps"
                raise Unavailable(name, f"each change of its rate costs a keyframe, and {other} holds {size} without")

    def _try(self, codec: str, name: str) -> tuple[ModuleType, Capabilities]:
        """Open an encoder once and return what it says of itself; its proofs are over when the first viewer comes.

        Raises:
            Unavailable: it cannot run here, or does not do this codec at this size.
            EncoderError: it does not open, or its proofs fail.
        """
        why = registry.why_unavailable("encoders", name)
        if why is not None:
            raise Unavailable(name, why)
        module = registry.load("encoders", name)
        offered: Capabilities = module.capabilities()
        # Whether it does this codec at this size is for the encoder to say: another GPU may have been chosen than the
        # one that the backend speaks of, and codecs differ in the sizes they go up to.
        settings = EncoderSettings(
            codec=codec,
            resolution=self._largest,
            format=offered.formats[0],
            colour=BT601_LIMITED,
            max_fps=self._config.session.fps,
            start_target_bps=self._config.video.start_target_bps,
            max_target_bps=self._config.video.max_target_bps,
            options=backend_options(self._config, "encoders", name),
        )
        encoder: VideoEncoder = module.create(settings)
        try:
            return module, encoder.capabilities
        finally:
            encoder.close()


def gpu_of(config: Config) -> int:
    """Return the number of the GPU that encodes, if one does: that of the encoder asked for, else the first named."""
    tables = [config.encoders.get(name, {}) for name in (config.video.encoder, *config.video.encoders)]
    return next((int(table["gpu"]) for table in tables if "gpu" in table), 0)


def load_codec(name: str) -> Codec:
    """Return the codec module `name`.

    Raises:
        ConfigError: there is no such codec.
    """
    return cast("Codec", registry.load("codecs", name))


def _refusals(refused: dict[str, list[str]]) -> str:
    """Return the names behind each reason, and the reason: two backends, or codecs, may lack the same."""
    return "; ".join(f"{' and '.join(names)}: {reason}" for reason, names in refused.items())


def _reason(passed_over: dict[str, list[str]]) -> str:
    return "it is the first that can" + (f" ({_refusals(passed_over)})" if passed_over else "")
