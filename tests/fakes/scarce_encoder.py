"""A backend of another package whose encoders are few, as the sessions of a graphics card are."""

from dataclasses import replace

import pytest

from streamer import registry
from streamer.encoders import software
from streamer.encoders.base import EncoderSettings, VideoEncoder
from streamer.errors import EncoderError, UnfitError
from streamer.media.frame import Capabilities, Resolution

_NAME = "scarce"
_LARGEST = Resolution(8192, 4320)


class ScarceEncoder:
    """Has the shape of a backend module; encodes in software. `most` may be changed at any time."""

    def __init__(self, most: int, largest: Resolution) -> None:
        self.most = most
        self.in_use = 0
        # What was opened, and how often nothing was.
        self.opened: list[Resolution] = []
        self.refusals = 0
        self._largest = largest

    @classmethod
    def install(cls, monkeypatch: pytest.MonkeyPatch, most: int = 1, largest: Resolution = _LARGEST) -> "ScarceEncoder":
        """Make the backend "scarce" known."""
        scarce = cls(most, largest)
        monkeypatch.setattr(registry, "third_party", lambda kind: {_NAME: scarce} if kind == "encoders" else {})
        return scarce

    def load(self) -> "ScarceEncoder":
        """Be one's own entry point."""
        return self

    def why_unavailable(self) -> str | None:
        return None

    def capabilities(self) -> Capabilities:
        return replace(software.capabilities(), max_resolution=self._largest)

    def create(self, settings: EncoderSettings) -> VideoEncoder:
        if not settings.resolution.fits_in(self._largest):
            raise UnfitError(_NAME, f"pictures of {settings.resolution}; the largest are {self._largest}")
        if self.in_use >= self.most:
            self.refusals += 1
            raise EncoderError(_NAME, f"all {self.most} are in use")
        self.opened.append(settings.resolution)
        self.in_use += 1
        return _Taken(self, settings)


class _Taken(software.SoftwareEncoder):
    def __init__(self, scarce: ScarceEncoder, settings: EncoderSettings) -> None:
        super().__init__(settings)
        self._scarce: ScarceEncoder | None = scarce

    def close(self) -> None:
        super().close()
        if self._scarce is not None:
            self._scarce.in_use -= 1
            self._scarce = None
