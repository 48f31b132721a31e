"""The two ends of a protocol of text lines, and what their parsers owe to whatever arrives."""

from types import ModuleType

from streamer.errors import RemoteProtocolError


def check_text(wire: ModuleType, text: str) -> None:
    """Let both ends read a text: each refuses it, or what it understood can be said again unchanged."""
    for parse in (wire.parse_from_viewer, wire.parse_from_server):
        try:
            message = parse(text)
        except RemoteProtocolError:
            continue
        assert parse(wire.serialize(message)) == message
