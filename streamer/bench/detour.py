"""Lead a page's media through a relay by rewriting what it and the server say to each other. Pure but for `Detour`.

The server's candidates are replaced by the relay's address, and the page's are withheld, so that no check of either
side finds the direct way.
"""

import json
import re
from typing import Any

from playwright.sync_api import Page, WebSocketRoute

from streamer.bench.relay import Address, Relay
from streamer.clock import Clock
from streamer.errors import SessionError

# RFC 8839, 5.1: foundation, component, transport, priority, address, port, type.
_CANDIDATE = re.compile(r"a=candidate:\S+ 1 udp \d+ (?P<host>[\d.]+) (?P<port>\d+) typ host[^\r\n]*", re.IGNORECASE)
_CANDIDATES = re.compile(r"a=(candidate:[^\r\n]*|end-of-candidates)\r?\n")
_MEDIA_SECTION = re.compile(r"^m=", re.MULTILINE)
_WITHHELD = ("candidate", "end_of_candidates")
_PRIORITY = 2_130_706_431


def server_address(offer: str) -> Address:
    """Return the first IPv4 address at which an offer says the server can be reached.

    Raises:
        SessionError: it names none.
    """
    match = _CANDIDATE.search(offer)
    if match is None:
        raise SessionError("the server's offer names no IPv4 address of this machine that a relay could lead to")
    return match["host"], int(match["port"])


def with_candidate(offer: str, address: Address) -> str:
    """Return the offer with `address` as the only candidate of each media section."""
    host, port = address
    line = f"a=candidate:1 1 udp {_PRIORITY} {host} {port} typ host\r\n"
    first, *sections = _MEDIA_SECTION.split(_CANDIDATES.sub("", offer))
    return first + "".join(f"m={section}{line}a=end-of-candidates\r\n" for section in sections)


def without_candidates(text: str) -> str | None:
    """Return a message of the page without any candidate, or None if it is about nothing else."""
    message: dict[str, Any] = json.loads(text)
    if message["type"] in _WITHHELD:
        return None
    if message["type"] == "answer":
        message["sdp"] = _CANDIDATES.sub("", message["sdp"])
    return json.dumps(message)


class Detour:
    """Puts a relay between one page and the server. Install it before the page is opened; close it after the page."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.relay: Relay | None = None

    def install(self, page: Page) -> None:
        """Listen to the page's signaling."""
        page.route_web_socket(re.compile(r"/signaling$"), self._route)

    def close(self) -> None:
        """End the relay."""
        if self.relay is not None:
            self.relay.__exit__(None, None, None)

    def _route(self, page: WebSocketRoute) -> None:
        server = page.connect_to_server()

        def from_page(text: str | bytes) -> None:
            kept = without_candidates(str(text))
            if kept is not None:
                server.send(kept)

        page.on_message(from_page)
        server.on_message(lambda text: page.send(self._relayed(str(text))))

    def _relayed(self, text: str) -> str:
        message: dict[str, Any] = json.loads(text)
        if message["type"] != "offer":
            return text
        address = server_address(message["sdp"])
        if self.relay is None:
            self.relay = Relay(address[0], self._clock).__enter__()
        self.relay.lead_to(address)
        return json.dumps({**message, "sdp": with_candidate(message["sdp"], self.relay.address)})
