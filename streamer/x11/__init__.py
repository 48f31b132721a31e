"""X11 over xcffib: one connection per owner.

The modules of this folder that talk to a display import xcffib at their top, so whoever is optional asks
`why_unavailable` first and imports them afterwards. Any other thread of a process may use a connection of its own; one
connection belongs to one thread at a time.
"""


def why_unavailable() -> str | None:
    """Return why no display can be spoken to here, or None if it can be tried."""
    try:
        import xcffib.xproto  # noqa: F401 - the import is the test
    except ImportError:
        return "the package xcffib is not installed (pip install 'render-streamer[x11]')"
    except OSError as exc:
        return f"libxcb cannot be loaded (apt install libxcb1): {exc}"
    return None
