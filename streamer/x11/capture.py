"""The root window of a display as pictures in shared memory, and the news that it has changed.

Owns a connection. Knows nothing of pace or of who reads a picture. The pictures never hold the pointer: the server
keeps it apart.
"""

from pathlib import Path
from typing import Any

import xcffib
import xcffib.shm
import xcffib.xproto

from streamer.errors import DeviceError
from streamer.media.frame import Resolution
from streamer.x11.bands import all_bands, runs
from streamer.x11.connection import Connection
from streamer.x11.damage import RootDamage
from streamer.x11.shm import Segment

_ALL_PLANES = 0xFFFFFFFF
_BYTES_PER_PIXEL = 4
_RED_MASK = 0xFF0000


class RootCapture:
    """One display's root window. Used by one thread at a time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        with connection.translating():
            _demand_bgra(connection)
            self._shm = connection.extension(xcffib.shm, "MIT-SHM")
            self._damage = RootDamage(connection)
            connection.watch_size()
            connection.query_size()
        # A new reader has seen nothing yet.
        self._is_all_changed = True
        self._is_changed = True

    @classmethod
    def open(cls, display: str | None, xauthority: Path | None) -> "RootCapture":
        """Open a connection of its own.

        Raises:
            ConfigError: there is no such display, or it may not be used.
            DeviceError: the display lacks an extension or has no pictures of 32 bits per pixel.
        """
        connection = Connection(display, xauthority)
        try:
            return cls(connection)
        except BaseException:
            connection.close()
            raise

    @property
    def resolution(self) -> Resolution:
        """The size of the root window, as far as it has been told."""
        return self._connection.size

    @property
    def pitch_bytes(self) -> int:
        return self._connection.size.width_px * _BYTES_PER_PIXEL

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when the server has sent something."""
        return self._connection.fileno()

    def is_changed(self) -> bool:
        """Take in what the server has sent; return whether the screen has changed since `take_changes`.

        Raises:
            DeviceError: the display is gone.
        """
        with self._connection.translating():
            before = self._connection.size
            for event in self._connection.events():
                self._is_changed = self._is_changed or self._damage.is_notice(event)
            if self._connection.size != before:
                self._is_changed = self._is_all_changed = True
        return self._is_changed

    def take_changes(self) -> int:
        """Return the bands that have changed since the last call."""
        with self._connection.translating():
            bands = self._damage.take()
        if self._is_all_changed:
            bands = all_bands(self.resolution.height_px)
        self._is_changed = self._is_all_changed = False
        return bands & all_bands(self.resolution.height_px)

    def allocate(self) -> Segment:
        """Return shared memory for one picture of the present size.

        Raises:
            DeviceError: there is no memory, or the server cannot reach it.
        """
        with self._connection.translating():
            return Segment(self._connection, self._shm, self.pitch_bytes * self.resolution.height_px)

    def discard(self, segment: Segment) -> None:
        """Give up a segment; views of its memory stay valid."""
        if self._connection.is_open:
            with self._connection.translating():
                segment.close()

    def grab(self, segment: Segment, bands: int) -> bool:
        """Copy bands of the screen to their places in `segment`; return False when the screen has changed its size.

        Raises:
            DeviceError: the display is gone.
        """
        with self._connection.translating():
            width_px = self.resolution.width_px
            pitch_bytes = self.pitch_bytes
            cookies = [
                self._shm.GetImage(
                    self._connection.root,
                    0,
                    first_px,
                    width_px,
                    rows_px,
                    _ALL_PLANES,
                    xcffib.xproto.ImageFormat.ZPixmap,
                    segment.resource,
                    first_px * pitch_bytes,
                )
                for first_px, rows_px in runs(bands, self.resolution.height_px)
            ]
            # Each reply is awaited, also after a failure: an unread one would stay with the connection.
            written = [_is_written(cookie) for cookie in cookies]
            if not all(written):
                self._connection.query_size()
                self._is_changed = self._is_all_changed = True
            return all(written)

    def close(self) -> None:
        """Disconnect; the server lets go of the segments. Harmless when called twice."""
        self._connection.close()


def _is_written(cookie: Any) -> bool:
    try:
        cookie.reply()
    except xcffib.xproto.MatchError:
        # The window has shrunk between the last event and this request.
        return False
    return True


def _demand_bgra(connection: Connection) -> None:
    setup = connection.raw.setup
    depth = connection.root_depth
    bits = next((entry.bits_per_pixel for entry in setup.pixmap_formats if entry.depth == depth), 0)
    screen = setup.roots[0]
    visuals = [visual for allowed in screen.allowed_depths for visual in allowed.visuals]
    red_mask = next((visual.red_mask for visual in visuals if visual.visual_id == screen.root_visual), 0)
    is_little_endian = setup.image_byte_order == xcffib.xproto.ImageOrder.LSBFirst
    if bits != 8 * _BYTES_PER_PIXEL or red_mask != _RED_MASK or not is_little_endian:
        raise DeviceError(
            "x11",
            f"display {connection.display!r} has depth {depth} at {bits} bits per pixel; depth 24 at 32 bits is needed",
        )
