"""An encoder and a converter of another package: neither can be used, and only the converter knows it beforehand."""

from importlib.metadata import EntryPoint

from streamer.encoders import software
from streamer.encoders.base import EncoderSettings
from streamer.errors import EncoderError
from streamer.media.frame import Capabilities

BROKEN = {
    "encoders": EntryPoint("broken", "tests.fakes.broken_backend:BrokenEncoder", "streamer.encoders"),
    "converters": EntryPoint("broken", "tests.fakes.broken_backend:BrokenConverter", "streamer.converters"),
}


class BrokenEncoder:
    """Has the shape of a backend module."""

    @staticmethod
    def why_unavailable() -> str | None:
        return None

    @staticmethod
    def capabilities() -> Capabilities:
        return software.capabilities()

    @staticmethod
    def create(_: EncoderSettings) -> None:
        raise EncoderError("broken", "it gave two frames for one")


class BrokenConverter:
    """Has the shape of a backend module."""

    @staticmethod
    def why_unavailable() -> str | None:
        return "there is no such device"
