"""Which packets are under way: sent, and not yet spoken of by the receiver.

Owns one record per packet until the receiver has reported it. What arrival times mean is the estimator's business.

Rules: a packet that a report calls missing may only be late, and arrive in a later report. One that no report speaks of
although later ones are reported was spoken of by a report that was lost: it is neither arrived nor lost, but skipped.
"""

from collections import deque
from collections.abc import Sequence

from streamer.congestion.pacer import Priority

# A packet that was called missing and comes later than this is of no use to anybody.
_FORGET_PACKETS = 4096


class Sent:
    """One packet on its way. Times are microseconds of the side that writes them: ours, and the receiver's."""

    __slots__ = (
        "arrived_at_us",
        "cluster",
        "content",
        "index",
        "is_counted",
        "is_lost",
        "priority",
        "sent_at_us",
        "size_bytes",
    )

    def __init__(
        self,
        index: int,
        size_bytes: int,
        sent_at_us: int,
        priority: Priority,
        cluster: int | None = None,
        content: object = None,
    ) -> None:
        self.index = index
        # What the transport calls this packet, to be told of its loss.
        self.content = content
        self.size_bytes = size_bytes
        self.sent_at_us = sent_at_us
        self.priority = priority
        self.cluster = cluster
        self.arrived_at_us = 0
        self.is_lost = False
        self.is_counted = True


class Report:
    """What one feedback says of packets that had not been spoken of, in the order of sending.

    `recovered` are packets that an earlier report had called missing; they are among `arrived`.
    """

    __slots__ = ("arrived", "lost", "recovered", "skipped_bytes")

    def __init__(self) -> None:
        self.arrived: list[Sent] = []
        self.lost: list[Sent] = []
        self.recovered = 0
        self.skipped_bytes = 0


class InFlight:
    """The packets of one transport that are under way. Called from the event loop only."""

    __slots__ = ("_order", "_records", "_unspoken_from", "size_bytes")

    def __init__(self) -> None:
        self._records: dict[int, Sent] = {}
        # Indices in the order of sending, to forget by.
        self._order: deque[int] = deque()
        # No report has spoken of this index yet, nor of any after it.
        self._unspoken_from = 0
        self.size_bytes = 0

    def add(self, packet: Sent) -> None:
        """Remember a packet that has just left."""
        if not self._records:
            self._unspoken_from = max(self._unspoken_from, packet.index)
        self._records[packet.index] = packet
        self._order.append(packet.index)
        self.size_bytes += packet.size_bytes

    def report(self, arrivals: Sequence[tuple[int, int | None]]) -> Report:
        """Take in a feedback: (index, arrival at the receiver's clock or None) per packet, in order."""
        report = Report()
        if not arrivals:
            return report
        self._skip(arrivals[0][0], report)
        records = self._records
        for index, arrived_at_us in arrivals:
            packet = records.get(index)
            if packet is None:
                continue
            if packet.is_counted:
                self.size_bytes -= packet.size_bytes
                packet.is_counted = False
            if arrived_at_us is not None:
                del records[index]
                packet.arrived_at_us = arrived_at_us
                report.recovered += packet.is_lost
                report.arrived.append(packet)
            elif not packet.is_lost:
                packet.is_lost = True
                report.lost.append(packet)
        self._unspoken_from = max(self._unspoken_from, arrivals[-1][0] + 1)
        self._forget()
        return report

    def expire(self, sent_before_us: int) -> None:
        """Count no longer what left before that instant: it has arrived without word, or never will."""
        for index in range(self._unspoken_from, self._order[-1] + 1 if self._order else 0):
            packet = self._records.get(index)
            if packet is None or not packet.is_counted:
                continue
            if packet.sent_at_us >= sent_before_us:
                break
            packet.is_counted = False
            self.size_bytes -= packet.size_bytes

    def overdue(self, sent_before_us: int, most: int) -> list[Sent]:
        """Return the packets that left last, if no report speaks of them although they left before that instant."""
        newest = self._order[-1] if self._order else -1
        first = max(self._unspoken_from, newest - most + 1)
        packets = [packet for index in range(first, newest + 1) if (packet := self._records.get(index)) is not None]
        return packets if packets and packets[-1].sent_at_us <= sent_before_us else []

    def _skip(self, base: int, report: Report) -> None:
        for index in range(self._unspoken_from, base):
            packet = self._records.get(index)
            if packet is not None:
                if packet.is_counted:
                    packet.is_counted = False
                    self.size_bytes -= packet.size_bytes
                report.skipped_bytes += packet.size_bytes

    def _forget(self) -> None:
        order, records = self._order, self._records
        oldest = self._unspoken_from - _FORGET_PACKETS
        while order and order[0] < oldest:
            records.pop(order.popleft(), None)
