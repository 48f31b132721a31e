"""Which viewer comes back: secrets handed out with `welcome`, and how long each stays good.

The secret is good while its viewer is connected and for a while after. Only its hash is kept.
"""

import hashlib
import secrets
from dataclasses import dataclass

# 256 bits: cannot be guessed, whatever the rate of attempts.
_SECRET_BYTES = 32
# Viewers appear in logs: short, and unique among those of one server.
_VIEWER_BYTES = 6


@dataclass(slots=True)
class _Pass:
    viewer: str
    expires_at_us: int | None = None


class Resumption:
    """The viewers of one server. Time is handed in."""

    def __init__(self, timeout_us: int) -> None:
        self._timeout_us = timeout_us
        self._passes: dict[bytes, _Pass] = {}

    def enter(self, secret: str | None, now_us: int) -> tuple[str, str]:
        """Return the viewer that `secret` belongs to, or a new one, and the secret to come back with."""
        self._forget_expired(now_us)
        known = None if secret is None else self._passes.get(_hash(secret))
        if known is None or secret is None:
            viewer, secret = secrets.token_hex(_VIEWER_BYTES), secrets.token_urlsafe(_SECRET_BYTES)
            self._passes[_hash(secret)] = _Pass(viewer)
            return viewer, secret
        known.expires_at_us = None
        return known.viewer, secret

    def part(self, viewer: str, now_us: int) -> None:
        """Note that the viewer's socket is gone: from now on its secret ages."""
        for entry in self._of(viewer):
            entry.expires_at_us = now_us + self._timeout_us

    def forget(self, viewer: str) -> None:
        """Make the viewer's secret worthless."""
        self._passes = {key: entry for key, entry in self._passes.items() if entry.viewer != viewer}

    def _of(self, viewer: str) -> list[_Pass]:
        return [entry for entry in self._passes.values() if entry.viewer == viewer]

    def _forget_expired(self, now_us: int) -> None:
        self._passes = {
            key: entry
            for key, entry in self._passes.items()
            if entry.expires_at_us is None or entry.expires_at_us > now_us
        }


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).digest()
