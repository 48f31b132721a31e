"""Open a connection to an X display and keep its failures inside: no X error ends the process or passes unnamed.

One owner, one connection, one thread at a time. Requests go out unchecked; the errors they cause come back as events,
are logged and forgotten. A lost display is a `DeviceError`.
"""

import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

# A connection knows the events of those extensions alone that were imported before it was opened.
import xcffib
import xcffib.damage
import xcffib.shm
import xcffib.xfixes
import xcffib.xproto
import xcffib.xtest

from streamer.errors import ConfigError, DeviceError
from streamer.media.frame import Resolution
from streamer.x11.authority import Credential, find_credential

logger = logging.getLogger(__name__)

# Host, colon, display number, and possibly a screen number; the host may hold colons itself (IPv6, unix paths).
_DISPLAY_PATTERN = re.compile(r"^(?P<host>.*):(?P<number>\d{1,5})(?:\.\d+)?$")


class Connection:
    """One connection to one display. Used by one thread at a time."""

    def __init__(self, display: str | None = None, xauthority: Path | None = None) -> None:
        self.display = display if display is not None else default_display()
        self._number = display_number(self.display)
        credential = find_credential(xauthority, self._number) if xauthority is not None else None
        self.raw = _connect(self.display, credential)
        screen = self.raw.setup.roots[0]
        self.root: int = screen.root
        self.root_depth: int = screen.root_depth
        self.size = Resolution(screen.width_in_pixels, screen.height_in_pixels)
        self._is_open = True

    @property
    def is_open(self) -> bool:
        return self._is_open

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when the server has sent something."""
        return int(self.raw.get_file_descriptor())

    def translating(self) -> "_Translating":
        """Return a context in which errors of the library become a `DeviceError`."""
        return _Translating(self.display)

    def extension(self, module: Any, name: str) -> Any:
        """Return the requests of an extension.

        Raises:
            DeviceError: the display does not have it.
        """
        with self.translating():
            reply = self.raw.core.QueryExtension(len(name), name).reply()
            if not reply.present:
                raise DeviceError("x11", f"display {self.display!r} has no {name} extension")
            return self.raw(module.key)

    def watch_size(self) -> None:
        """Ask for events about a change of the root window, so that `events` keeps `size` true."""
        mask = xcffib.xproto.EventMask.StructureNotify
        self.raw.core.ChangeWindowAttributes(self.root, xcffib.xproto.CW.EventMask, [mask])

    def query_size(self) -> Resolution:
        """Ask the server for the size of the root window."""
        geometry = self.raw.core.GetGeometry(self.root).reply()
        self.size = Resolution(geometry.width, geometry.height)
        return self.size

    def events(self) -> Iterator[Any]:
        """Yield the events that have arrived, without waiting; errors of earlier requests are logged and skipped."""
        while True:
            try:
                event = self.raw.poll_for_event()
            except xcffib.Error as exc:
                logger.debug("display %s refused a request because of %s", self.display, type(exc).__name__)
                continue
            if event is None:
                return
            if isinstance(event, xcffib.xproto.ConfigureNotifyEvent) and event.window == self.root:
                self.size = Resolution(event.width, event.height)
            yield event

    def drain(self) -> bool:
        """Take in the events that have arrived, for their effect on `size`; return whether there were any."""
        return sum(1 for _ in self.events()) > 0

    def sync(self) -> None:
        """Wait until the server has carried out everything that was sent.

        To be called before `close` by whoever needs that: when unread events are closed upon, the kernel lets the
        server read no more of the requests.

        Raises:
            DeviceError: the display is gone.
        """
        with self.translating():
            self.raw.core.GetInputFocus().reply()

    def close(self) -> None:
        """Disconnect. Harmless when called twice."""
        if self._is_open:
            self._is_open = False
            self.raw.disconnect()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Translating:
    """A plain class, because a generator-based context costs more than the requests inside it."""

    __slots__ = ("_display",)

    def __init__(self, display: str) -> None:
        self._display = display

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(exc, xcffib.ConnectionException):
            raise DeviceError("x11", f"display {self._display!r} is gone") from exc
        if isinstance(exc, xcffib.Error):
            raise DeviceError("x11", f"display {self._display!r} refused a request: {type(exc).__name__}") from exc
        if isinstance(exc, xcffib.XcffibException):
            raise DeviceError("x11", f"display {self._display!r} failed: {exc}") from exc


def default_display() -> str:
    """Return the display that the environment names.

    Raises:
        ConfigError: it names none.
    """
    display = os.environ.get("DISPLAY")
    if not display:
        raise ConfigError("no display is given and DISPLAY is not set; name one (such as ':0') or run a program by app")
    return display


def display_number(display: str) -> int:
    """Return the number in a display name.

    Raises:
        ConfigError: it is not a display name.
    """
    match = _DISPLAY_PATTERN.match(display)
    if match is None:
        raise ConfigError(f"display {display!r} is no display name; it looks like ':0' or 'host:0'")
    return int(match["number"])


def _connect(display: str, credential: Credential | None) -> Any:
    """Connect by the library's own functions.

    `xcffib.Connection` splits its `auth` argument at colons, which one secret in sixteen contains, and keeps the
    descriptor of an attempt that failed.
    """
    library: Any = xcffib
    lib, ffi = library.lib, library.ffi
    name = display.encode()
    if credential is None:
        pointer = lib.xcb_connect(name, ffi.NULL)
    else:
        # Both must outlive the call: a pointer in a structure keeps nothing alive.
        protocol, secret = ffi.new("char[]", credential.protocol), ffi.new("char[]", credential.secret)
        info = ffi.new("xcb_auth_info_t *")
        info.name, info.namelen = protocol, len(credential.protocol)
        info.data, info.datalen = secret, len(credential.secret)
        pointer = lib.xcb_connect_to_display_with_auth_info(name, info, ffi.NULL)
    if lib.xcb_connection_has_error(pointer):
        lib.xcb_disconnect(pointer)
        raise ConfigError(
            f"display {display!r} cannot be opened; is an X server running there, and may you use it "
            "(option xauthority, or the environment's XAUTHORITY)?"
        )
    return library.wrap(pointer)
