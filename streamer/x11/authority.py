"""The secrets of X displays, as they stand in an Xauthority file: read one for a display, write one for all displays.

The format is that of Xau(3): records of a big-endian family and four counted strings.
"""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from streamer.errors import ConfigError

COOKIE_PROTOCOL = b"MIT-MAGIC-COOKIE-1"
# Xauth.h: families of addresses; a wild entry fits every host, one without a display number every display.
_FAMILY_WILD = 65535
_FAMILY_LOCAL = 256
_COOKIE_BYTES = 16


@dataclass(frozen=True, slots=True)
class Credential:
    """What a client shows to an X server."""

    protocol: bytes
    secret: bytes


@dataclass(frozen=True, slots=True)
class _Entry:
    family: int
    display_number: bytes
    credential: Credential


def write_cookie(path: Path) -> None:
    """Create the file at `path`, readable by its owner alone, with a fresh secret that fits every display."""
    record = struct.pack(">H", _FAMILY_WILD)
    for text in (b"", b"", COOKIE_PROTOCOL, os.urandom(_COOKIE_BYTES)):
        record += struct.pack(">H", len(text)) + text
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(record)


def find_credential(path: Path, display_number: int) -> Credential | None:
    """Return the entry of the file that fits the display best, or None if none does.

    Raises:
        ConfigError: the file cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as exc:
        raise ConfigError(f"xauthority {str(path)!r} cannot be read: {exc.strerror}") from exc
    wanted = str(display_number).encode()
    fitting = [
        entry
        for entry in _entries(content)
        if entry.display_number in (b"", wanted) and entry.credential.protocol == COOKIE_PROTOCOL
    ]
    # Entries that name this display come first, then those of this machine; a file mostly holds just one that fits.
    fitting.sort(key=lambda entry: (entry.display_number != wanted, entry.family not in (_FAMILY_LOCAL, _FAMILY_WILD)))
    return fitting[0].credential if fitting else None


def _entries(content: bytes) -> Iterator[_Entry]:
    position = 0
    while position + 2 <= len(content):
        (family,) = struct.unpack_from(">H", content, position)
        position += 2
        texts: list[bytes] = []
        for _ in range(4):
            if position + 2 > len(content):
                return
            (length,) = struct.unpack_from(">H", content, position)
            texts.append(content[position + 2 : position + 2 + length])
            position += 2 + length
        if position > len(content):
            return
        _, number, protocol, secret = texts
        yield _Entry(family, number, Credential(protocol, secret))
