"""Stream rendered frames to a browser over WebRTC and bring the viewer's input back."""

from typing import TYPE_CHECKING

__version__ = "0.1.0"
__all__ = ["Stream", "__version__"]

if TYPE_CHECKING:
    from streamer.embed.stream import Stream
else:

    def __getattr__(name: str) -> object:
        """Import what is named when it is named: the media libraries behind it take longer than all others here."""
        if name != "Stream":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from streamer.embed.stream import Stream

        return Stream
