"""When the server captured a frame, from the frame's RTP time alone: for frames whose stamp cannot say it.

A stream that was encoded beforehand carries stamps of the day it was made. Its server still says when it handed each
frame out: RTP times count with its capture clock, and the capture-time extension (or a sender report) ties them to its
wall clock. Bench and server share a machine, so that the wall clock leads to the monotonic clock of both. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from streamer.media.timeline import signed_difference

_TICKS_PER_MS = 90
_TICKS_BITS = 32
# RFC 3550, section 4: NTP counts from 1900.
_NTP_EPOCH_MS = 2_208_988_800_000


@dataclass(frozen=True, slots=True)
class RtpClock:
    """One instant of the stream on both clocks: RTP ticks, and milliseconds of the server's monotonic clock."""

    anchor_ticks: int
    anchor_ms: float

    @classmethod
    def of(cls, anchors: Sequence[Sequence[float]], wall_minus_monotonic_ms: float) -> "RtpClock | None":
        """Return the clock that pairs of RTP time and NTP milliseconds agree upon, or None without any.

        Browsers round NTP times to milliseconds: the mean of many is better than each of them.
        """
        if not anchors:
            return None
        first_ticks = int(anchors[0][0])
        ntp_ms = fmean(ntp_ms - _ms_between(first_ticks, int(ticks)) for ticks, ntp_ms in anchors)
        return cls(first_ticks, ntp_ms - _NTP_EPOCH_MS - wall_minus_monotonic_ms)

    def captured_ms(self, ticks: int) -> float:
        """Return when a frame with this RTP time was captured. Right within 6 hours of the anchor."""
        return self.anchor_ms + _ms_between(self.anchor_ticks, ticks)


def _ms_between(first_ticks: int, second_ticks: int) -> float:
    return signed_difference(second_ticks, first_ticks, _TICKS_BITS) / _TICKS_PER_MS
