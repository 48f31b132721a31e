"""What has changed on the root window since it was last asked (DAMAGE, with regions of XFIXES)."""

import struct
from typing import Any

import xcffib.damage
import xcffib.xfixes

from streamer.x11.bands import bands_of
from streamer.x11.connection import Connection

_NONE = 0
# XFIXES, FetchRegion: 32 bytes of header, whose 8th to 15th are the extents, then rectangles of 8 bytes.
_HEADER_BYTES = 32
_EXTENTS_OFFSET = 8
_RECTANGLE = struct.Struct("=hhHH")
# Beyond this a region is taken as its extents: to look at each rectangle would cost more than to grab the rows.
_MAX_RECTANGLES = 256


class RootDamage:
    """The damage of one connection's root window. The server tells once, until `take` asks what it was."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._xfixes = connection.extension(xcffib.xfixes, "XFIXES")
        self._damage = connection.extension(xcffib.damage, "DAMAGE")
        raw = connection.raw
        # Both extensions ignore clients that have not told their version.
        self._xfixes.QueryVersion(5, 0).reply()
        self._damage.QueryVersion(1, 1).reply()
        self._region: int = raw.generate_id()
        self._xfixes.CreateRegion(self._region, 0, [])
        self._id: int = raw.generate_id()
        self._damage.Create(self._id, connection.root, xcffib.damage.ReportLevel.NonEmpty)
        raw.flush()

    def is_notice(self, event: Any) -> bool:
        """Return whether an event of the connection says that something has changed."""
        return isinstance(event, xcffib.damage.NotifyEvent)

    def take(self) -> int:
        """Return the bands that have changed since the last call; later changes are told anew."""
        self._damage.Subtract(self._id, _NONE, self._region)
        cookie = self._xfixes.FetchRegion(self._region)
        # The reply is read as bytes: the library would build an object for each rectangle.
        reply = self._connection.raw.wait_for_reply(cookie.sequence)
        return _bands(bytes(reply.buf))


def _bands(reply: bytes) -> int:
    rectangles = reply[_HEADER_BYTES:]
    if len(rectangles) > _MAX_RECTANGLES * _RECTANGLE.size:
        rectangles = reply[_EXTENTS_OFFSET : _EXTENTS_OFFSET + _RECTANGLE.size]
    bands = 0
    for _, y_px, _, height_px in _RECTANGLE.iter_unpack(rectangles):
        bands |= bands_of(y_px, height_px)
    return bands
