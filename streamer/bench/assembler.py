"""Access units from RTP packets, for a viewer that is no browser: order, gaps, and what to ask the sender for.

Waits for nothing: a frame is complete with its last packet, as in a browser that is told not to buffer. Sans-IO.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from streamer.errors import RemoteProtocolError
from streamer.media.timeline import Unwrapper
from streamer.rtp.packet import RtpPacket

_SEQUENCE_BITS = 16
# A gap behind which this many packets have arrived will not be filled: at 9 Mbit/s it is a third of a second.
_MAX_WAITING_PACKETS = 300


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One frame as it was sent, and the RTP time of its capture."""

    ticks: int
    data: bytes


class FrameAssembler:
    """Takes packets of one stream in any order and gives whole frames in theirs. Not thread-safe."""

    def __init__(self, depacketize: Callable[[Sequence[bytes]], bytes]) -> None:
        self._depacketize = depacketize
        self._unwrapper = Unwrapper(_SEQUENCE_BITS)
        self._waiting: dict[int, RtpPacket] = {}
        self._frame: list[RtpPacket] = []
        self._next: int | None = None
        self._asked: set[int] = set()
        self._missing: deque[int] = deque()
        self._wants_keyframe = False
        self.packets = 0
        self.payload_bytes = 0
        self.gaps = 0

    def push(self, packet: RtpPacket) -> list[AccessUnit]:
        """Take one packet; return the frames that are complete with it, oldest first."""
        index = self._unwrapper.unwrap(packet.sequence)
        self.packets += 1
        self.payload_bytes += len(packet.payload)
        if self._next is None:
            self._next = index
        if index < self._next:
            return []
        self._waiting[index] = packet
        self._ask(index)
        if len(self._waiting) > _MAX_WAITING_PACKETS:
            self._give_up()
        return self._collect()

    def take_missing(self) -> list[int]:
        """Return the sequence numbers to ask for again; each is returned once."""
        missing = [index % (1 << _SEQUENCE_BITS) for index in self._missing if index not in self._waiting]
        self._missing.clear()
        return missing

    def take_keyframe_wish(self) -> bool:
        """Return whether only a keyframe can help, once for each time."""
        wish, self._wants_keyframe = self._wants_keyframe, False
        return wish

    def _ask(self, newest: int) -> None:
        assert self._next is not None
        first = max(self._next, newest - _MAX_WAITING_PACKETS)
        for index in range(first, newest):
            if index not in self._waiting and index not in self._asked:
                self._asked.add(index)
                self._missing.append(index)

    def _give_up(self) -> None:
        """Go on behind the gap, without the frame that it tore."""
        self._next = min(self._waiting)
        self._frame.clear()
        self._asked.clear()
        self._missing.clear()
        self._wants_keyframe = True
        self.gaps += 1

    def _collect(self) -> list[AccessUnit]:
        units = []
        while self._next is not None and (packet := self._waiting.pop(self._next, None)) is not None:
            self._asked.discard(self._next)
            self._next += 1
            if packet.payload:
                self._frame.append(packet)
            if packet.marker and self._frame:
                units += self._finish()
        return units

    def _finish(self) -> list[AccessUnit]:
        frame, self._frame = self._frame, []
        try:
            data = self._depacketize([packet.payload for packet in frame])
        except RemoteProtocolError:
            # The head of this frame was sent before we listened, or lost behind a gap that was given up.
            self._wants_keyframe = True
            return []
        return [AccessUnit(frame[0].timestamp, data)]
