"""A hardware backend of another package whose encoders fail, or hang, when a test says so; encodes in software."""

from collections.abc import Callable
from dataclasses import replace
from threading import Event

import pytest

from streamer import registry
from streamer.encoders import software
from streamer.encoders.base import EncoderSettings, VideoEncoder
from streamer.errors import EncoderError, UnfitError
from streamer.media.frame import Capabilities, EncodedFrame, EncodeOrder, Resolution, VideoFrame

NAME = "failing"


class FailingEncoder:
    """Has the shape of a backend module. `fails` and `hangs` are asked with the number of each frame.

    What hangs goes on when the test sets `goes_on`.
    """

    IS_HARDWARE = True

    def __init__(self, *, needs_keyframe: bool, is_hardware: bool) -> None:
        self.fails: Callable[[int], bool] = lambda _: False
        self.failure = EncoderError(NAME, "the GPU was lost")
        self.hangs: Callable[[int], bool] = lambda _: False
        self.goes_on = Event()
        # Called when an encoder is opened.
        self.opens: Callable[[], object] = lambda: None
        # How many may be open at once, and how large their pictures may be.
        self.most = 99
        self.largest = Resolution(8192, 4320)
        self.refusals = 0
        self.opened = 0
        self.closed = 0
        self.is_hardware = is_hardware
        self._needs_keyframe = needs_keyframe

    @classmethod
    def install(
        cls, monkeypatch: pytest.MonkeyPatch, *, needs_keyframe: bool = False, is_hardware: bool = True
    ) -> "FailingEncoder":
        """Make the backend "failing" known."""
        failing = cls(needs_keyframe=needs_keyframe, is_hardware=is_hardware)
        monkeypatch.setattr(registry, "third_party", lambda kind: {NAME: failing} if kind == "encoders" else {})
        return failing

    def load(self) -> "FailingEncoder":
        """Be one's own entry point."""
        return self

    def why_unavailable(self) -> str | None:
        return None

    def capabilities(self) -> Capabilities:
        return replace(
            software.capabilities(), is_hardware=self.is_hardware, rate_change_needs_keyframe=self._needs_keyframe
        )

    def create(self, settings: EncoderSettings) -> VideoEncoder:
        if self.opened - self.closed >= self.most:
            raise EncoderError(NAME, f"all {self.most} are in use")
        if not settings.resolution.fits_in(self.largest):
            self.refusals += 1
            raise UnfitError(NAME, f"pictures of {settings.resolution}; the largest are {self.largest}")
        self.opens()
        self.opened += 1
        return _Failing(self, settings)


class _Failing(software.SoftwareEncoder):
    def __init__(self, backend: FailingEncoder, settings: EncoderSettings) -> None:
        super().__init__(settings)
        self._backend = backend

    @property
    def capabilities(self) -> Capabilities:
        offered = self._backend.capabilities()
        return replace(
            super().capabilities,
            is_hardware=offered.is_hardware,
            rate_change_needs_keyframe=offered.rate_change_needs_keyframe,
        )

    def encode(self, frame: VideoFrame, order: EncodeOrder) -> EncodedFrame:
        if self._backend.hangs(frame.number):
            self._backend.goes_on.wait()
        if self._backend.fails(frame.number):
            raise self._backend.failure
        return super().encode(frame, order)

    def close(self) -> None:
        self._backend.closed += 1
        super().close()
