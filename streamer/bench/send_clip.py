"""Ready-made access units in a file: what the senders of `streamer bench send` read. Lengths, then bytes."""

from collections.abc import Iterable
from pathlib import Path
from struct import Struct

from streamer.errors import ConfigError

_LENGTH = Struct("!I")


def write_units(file: Path, units: Iterable[bytes]) -> None:
    """Write the units in their order."""
    with file.open("wb") as out:
        for unit in units:
            out.write(_LENGTH.pack(len(unit)) + unit)


def read_units(file: Path) -> list[bytes]:
    """Return the units of a file.

    Raises:
        ConfigError: the file is cut off, or empty.
    """
    data = file.read_bytes()
    units, at = [], 0
    while at + _LENGTH.size <= len(data):
        (length,) = _LENGTH.unpack_from(data, at)
        at += _LENGTH.size
        units.append(data[at : at + length])
        at += length
    if at != len(data) or not units:
        raise ConfigError(f"file {str(file)!r} holds no whole access units")
    return units
