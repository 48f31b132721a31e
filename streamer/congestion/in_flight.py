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
# No report is awaited any more for what left so long ago, or for what so many packets have followed: 0.8 s of
# 200 Mbit/s. Where no reports come at all, this is what is remembered, and what the next one has to look through.
_AWAITED_US = 5_000_000
_AWAITED_PACKETS = 16_384


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

    def add(self, packets: Sequence[Sent]) -> None:
        """Remember packets that have just left together, and no longer those that were sent too long before them."""
        self._give_up(packets[-1])
        if not self._records:
            self._unspoken_from = max(self._unspoken_from, packets[0].index)
        indices = [packet.index for packet in packets]
        self._records.update(zip(indices, packets, strict=True))
        self._order += indices
        self.size_bytes += sum([packet.size_bytes for packet in packets])

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
            self._uncount(packet)
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
            self._uncount(packet)

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
                self._uncount(packet)
                report.skipped_bytes += packet.size_bytes

    def _uncount(self, packet: Sent) -> None:
        if packet.is_counted:
            packet.is_counted = False
            self.size_bytes -= packet.size_bytes

    def _give_up(self, newest: Sent) -> None:
        """Forget what no report is awaited for. Each packet is looked at once here, whether one came for it or not."""
        order, records = self._order, self._records
        while order:
            oldest = records.get(order[0])
            if oldest is not None:
                age_us, followers = newest.sent_at_us - oldest.sent_at_us, newest.index - oldest.index
                if age_us <= _AWAITED_US and followers < _AWAITED_PACKETS:
                    return
                self._uncount(oldest)
                del records[oldest.index]
            self._unspoken_from = max(self._unspoken_from, order.popleft() + 1)

    def _forget(self) -> None:
        order, records = self._order, self._records
        oldest = self._unspoken_from - _FORGET_PACKETS
        while order and order[0] < oldest:
            records.pop(order.popleft(), None)
