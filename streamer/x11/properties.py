"""What programs have written on the root window for others to read (EWMH 1.5)."""

import xcffib.xproto

from streamer.x11.connection import Connection

# EWMH, root window properties: the window manager names a window of its own here.
_SUPPORTING_WM_CHECK = "_NET_SUPPORTING_WM_CHECK"


class RootProperties:
    """The properties of one connection's root window; the connection gets an event when one changes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        core = connection.raw.core
        with connection.translating():
            mask = xcffib.xproto.EventMask.PropertyChange
            core.ChangeWindowAttributes(connection.root, xcffib.xproto.CW.EventMask, [mask])
            reply = core.InternAtom(False, len(_SUPPORTING_WM_CHECK), _SUPPORTING_WM_CHECK).reply()
        self._check: int = reply.atom

    def has_window_manager(self) -> bool:
        """Return whether a window manager has announced itself."""
        with self._connection.translating():
            reply = self._connection.raw.core.GetProperty(
                False, self._connection.root, self._check, xcffib.xproto.Atom.WINDOW, 0, 1
            ).reply()
        return bool(reply.value_len)
