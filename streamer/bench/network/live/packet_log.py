"""What the link did with each packet, as the process that carries them writes it down and the bench reads it. Pure.

Instants are microseconds of the machine's monotonic clock, as in the stamps of frames.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, TextIO

from streamer.bench.network.link import Fate

DOWN, UP = "down", "up"
_COLUMNS = ("direction", "entered_us", "departed_us", "due_us", "delivered_us", "size_bytes", "fate", "is_media")
_UDP, _UDP_HEADER_BYTES = 17, 8
# RFC 7983, 7: the first byte of RTP and RTCP, where other things go over the same port.
_MEDIA = range(128, 192)


class Packet(NamedTuple):
    """One IP packet. It was due at the other end at `due_us`, and given to the kernel there at `delivered_us`.

    What was not carried has no more instants than the first. Media is RTP or RTCP, whatever is in it.
    """

    direction: str
    entered_us: int
    departed_us: int | None
    due_us: int | None
    delivered_us: int | None
    size_bytes: int
    fate: Fate
    is_media: bool

    @property
    def queue_us(self) -> int | None:
        """From entering the queue until the bottleneck had sent the last bit."""
        return None if self.departed_us is None else self.departed_us - self.entered_us

    @property
    def lateness_us(self) -> int | None:
        """By how much the machine was later than the link was to be."""
        return None if self.due_us is None or self.delivered_us is None else self.delivered_us - self.due_us


@dataclass(frozen=True, slots=True)
class PacketLog:
    """What went through the link since `began_us`, when the first media went down, in the order of entering.

    From then on the link was as it shall be; what went before belongs to opening the page.
    """

    began_us: int
    down: list[Packet]
    up: list[Packet]


def is_media(packet: bytes) -> bool:
    """Return whether an IPv4 packet carries RTP or RTCP."""
    payload_at = (packet[0] & 0x0F) * 4 + _UDP_HEADER_BYTES
    return packet[9] == _UDP and len(packet) > payload_at and packet[payload_at] in _MEDIA


def write_log(file: TextIO, packets: Iterable[Packet]) -> None:
    """Write a line for each packet, below one with the names of the columns."""
    writer = csv.writer(file)
    writer.writerow(_COLUMNS)
    writer.writerows((*packet[:-1], int(packet.is_media)) for packet in packets)


def read_log(file: TextIO) -> PacketLog | None:
    """Return what was written, or None where no media went down."""
    packets = sorted((_packet(row) for row in csv.DictReader(file)), key=lambda packet: packet.entered_us)
    media_us = (packet.entered_us for packet in packets if packet.direction == DOWN and packet.is_media)
    began_us = next(media_us, None)
    if began_us is None:
        return None
    since = [packet for packet in packets if packet.entered_us >= began_us]
    down, up = ([packet for packet in since if packet.direction == direction] for direction in (DOWN, UP))
    return PacketLog(began_us, down, up)


def _packet(row: dict[str, str]) -> Packet:
    return Packet(
        direction=row["direction"],
        entered_us=int(row["entered_us"]),
        departed_us=_instant(row["departed_us"]),
        due_us=_instant(row["due_us"]),
        delivered_us=_instant(row["delivered_us"]),
        size_bytes=int(row["size_bytes"]),
        fate=Fate(row["fate"]),
        is_media=row["is_media"] == "1",
    )


def _instant(text: str) -> int | None:
    return int(text) if text else None
