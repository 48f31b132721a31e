"""What was sent by sequence number, so that it can be sent again.

Owns references to payloads, never copies. When to resend is `congestion/recovery.py`'s business.
"""

# At 50 Mbit/s about 5300 packets leave in a second; a capacity of 16384 is a quarter of the sequence numbers, so that a
# number names one packet only.
DEFAULT_CAPACITY_PACKETS = 1024
MAX_CAPACITY_PACKETS = 16_384
DEFAULT_MIN_DURATION_US = 1_000_000
_SEQUENCES = 1 << 16
_HALF_SEQUENCES = 1 << 15


class SentPacket:
    """One packet as it was first sent. `retransmitted_at_us` is None until it has been sent again."""

    __slots__ = ("marker", "payload", "retransmitted_at_us", "sent_at_us", "sequence", "size_bytes", "timestamp")

    def __init__(
        self, sequence: int, payload: bytes, timestamp: int, *, marker: bool, sent_at_us: int, size_bytes: int
    ) -> None:
        self.sequence = sequence
        self.payload = payload
        self.timestamp = timestamp
        self.marker = marker
        self.sent_at_us = sent_at_us
        self.size_bytes = size_bytes
        self.retransmitted_at_us: int | None = None


class SendHistory:
    """A ring of the newest packets of one RTP stream. Called from the event loop only.

    Holds every packet for at least `min_duration_us`: the ring doubles when it would overwrite a younger one, up to
    `max_capacity`. Capacities are powers of two.
    """

    __slots__ = ("_max_capacity", "_min_duration_us", "_newest_index", "_ring")

    def __init__(
        self,
        min_duration_us: int = DEFAULT_MIN_DURATION_US,
        capacity: int = DEFAULT_CAPACITY_PACKETS,
        max_capacity: int = MAX_CAPACITY_PACKETS,
    ) -> None:
        if capacity & (capacity - 1) or not 0 < capacity <= max_capacity < _SEQUENCES:
            raise ValueError(f"a history of {capacity} to {max_capacity} packets")
        self._min_duration_us = min_duration_us
        self._max_capacity = max_capacity
        self._ring: list[SentPacket | None] = [None] * capacity
        self._newest_index: int | None = None

    @property
    def capacity(self) -> int:
        """How many packets the ring can hold without growing."""
        return len(self._ring)

    @property
    def newest_index(self) -> int | None:
        """The index of the packet added last, or None before the first."""
        return self._newest_index

    def index(self, sequence: int) -> int:
        """Return the index, which does not wrap, of the packet with this sequence number that is nearest to the newest.

        The first packet's index is its sequence number. The packet may be one that has not been added yet.
        """
        newest = self._newest_index
        if newest is None:
            return sequence
        return newest + (sequence - newest + _HALF_SEQUENCES) % _SEQUENCES - _HALF_SEQUENCES

    def add(self, packet: SentPacket) -> None:
        """Remember a packet. Sequence numbers go up by one, modulo 2^16."""
        ring = self._ring
        at = packet.sequence & (len(ring) - 1)
        old = ring[at]
        if (
            old is not None
            and packet.sent_at_us - old.sent_at_us < self._min_duration_us
            and 2 * len(ring) <= self._max_capacity
        ):
            ring = self._grow()
            at = packet.sequence & (len(ring) - 1)
        ring[at] = packet
        newest = self._newest_index
        self._newest_index = packet.sequence if newest is None else newest + 1

    def get(self, sequence: int) -> SentPacket | None:
        """Return the packet with this sequence number if it is still held."""
        packet = self._ring[sequence & (len(self._ring) - 1)]
        return packet if packet is not None and packet.sequence == sequence else None

    def newest(self, count: int) -> list[SentPacket]:
        """Return up to `count` of the packets added last, the newest first."""
        ring, newest = self._ring, self._newest_index
        if newest is None:
            return []
        packets = (ring[index & (len(ring) - 1)] for index in range(newest, newest - min(count, len(ring)), -1))
        return [packet for packet in packets if packet is not None]

    def _grow(self) -> list[SentPacket | None]:
        ring: list[SentPacket | None] = [None] * (2 * len(self._ring))
        for packet in self._ring:
            if packet is not None:
                ring[packet.sequence & (len(ring) - 1)] = packet
        self._ring = ring
        return ring
