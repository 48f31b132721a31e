"""What a receiver reports: transport-wide feedback and receiver reports, from the packets that arrived.

Sans-IO: told the times. RFC 3550, section 6.4.2; draft-holmer-rmcat-transport-wide-cc-extensions-01.
"""

from streamer.media.timeline import Unwrapper
from streamer.rtp.feedback import DELTA_US, REFERENCE_US, TransportFeedback
from streamer.rtp.reports import ReportBlock, SenderReport

# What Chromium sends by default.
FEEDBACK_INTERVAL_US = 62_500
REPORT_INTERVAL_US = 1_000_000
_NUMBER_BITS = 16
_REFERENCE_PERIOD = 1 << 24
_COUNT_PERIOD = 1 << 8
_MIDDLE_NTP_MASK = 0xFFFFFFFF
# An RTT is told in 1/65536 s.
_REPORT_HZ = 65_536
# Nothing arrives that is older: duplicates among these are told apart.
_REMEMBERED_PACKETS = 8_192


class TransportArrivals:
    """When each packet of a transport arrived, since the last report."""

    def __init__(self, ssrc: int) -> None:
        self._ssrc = ssrc
        self._unwrapper = Unwrapper(_NUMBER_BITS)
        self._arrived_us: dict[int, int] = {}
        self._first: int | None = None
        self._count = 0

    def note(self, number: int, now_us: int) -> None:
        """Take note of a packet by its transport-wide number."""
        self._arrived_us.setdefault(self._unwrapper.unwrap(number), now_us)

    def report(self, media_ssrc: int) -> TransportFeedback | None:
        """Return feedback for what has arrived since the last one, or None if nothing has."""
        if not self._arrived_us:
            return None
        first = min(self._arrived_us)
        if self._first is not None and self._first <= first:
            first = self._first
        last = max(self._arrived_us)
        reference = min(self._arrived_us.values()) // REFERENCE_US
        deltas: list[int | None] = []
        units = reference * REFERENCE_US // DELTA_US
        for index in range(first, last + 1):
            arrived_us = self._arrived_us.get(index)
            deltas.append(None if arrived_us is None else arrived_us // DELTA_US - units)
            if arrived_us is not None:
                units = arrived_us // DELTA_US
        feedback = TransportFeedback(
            sender_ssrc=self._ssrc,
            media_ssrc=media_ssrc,
            base_sequence=first % (1 << _NUMBER_BITS),
            reference=reference % _REFERENCE_PERIOD,
            feedback_count=self._count % _COUNT_PERIOD,
            deltas=tuple(deltas),
        )
        self._first = last + 1
        self._count += 1
        self._arrived_us.clear()
        return feedback


class StreamArrivals:
    """How many packets of one stream were lost, and when its sender reported last."""

    def __init__(self, ssrc: int) -> None:
        self._ssrc = ssrc
        self._unwrapper = Unwrapper(_NUMBER_BITS)
        self._first: int | None = None
        self._highest = 0
        self._seen: set[int] = set()
        self._settled = 0
        self._reported: tuple[int, int] | None = None

    @property
    def received(self) -> int:
        """How many different packets have arrived."""
        return self._settled + len(self._seen)

    @property
    def expected(self) -> int:
        """How many packets the sender has sent between the first and the highest one that arrived."""
        return 0 if self._first is None else self._highest - self._first + 1

    @property
    def lost(self) -> int:
        return max(0, self.expected - self.received)

    def note(self, sequence: int) -> None:
        """Take note of a packet by its sequence number."""
        index = self._unwrapper.unwrap(sequence)
        if self._first is None:
            self._first = self._highest = index
        self._highest = max(self._highest, index)
        if index > self._highest - _REMEMBERED_PACKETS:
            self._seen.add(index)
        if len(self._seen) > 2 * _REMEMBERED_PACKETS:
            recent = {index for index in self._seen if index > self._highest - _REMEMBERED_PACKETS}
            self._settled += len(self._seen) - len(recent)
            self._seen = recent

    def sender_reported(self, report: SenderReport, now_us: int) -> None:
        """Take note of a sender report: the answer to it tells the sender the round-trip time."""
        self._reported = (report.ntp >> 16 & _MIDDLE_NTP_MASK, now_us)

    def block(self, now_us: int) -> ReportBlock:
        """Return the report block of this moment."""
        middle, at_us = self._reported or (0, now_us)
        return ReportBlock(
            ssrc=self._ssrc,
            fraction_lost=0,
            cumulative_lost_packets=self.lost,
            highest_sequence=self._highest & 0xFFFFFFFF,
            jitter_ticks=0,
            last_sender_report=middle,
            delay_since_last_sender_report=(now_us - at_us) * _REPORT_HZ // 1_000_000 if middle else 0,
        )
