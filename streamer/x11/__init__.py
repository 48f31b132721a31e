"""X11 over xcffib: one connection per owner."""
