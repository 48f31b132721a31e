"""Time as it is said on the wire: RTP ticks, NTP, and counters that wrap.

Owns the conversions; knows no clock. Instants of our monotonic clock and of the wall clock are handed in. RFC 3550,
sections 4 and 5.1; RFC 1982.
"""

# RFC 6184, 8.2.1, and RFC 7741, 6.1: video ticks at 90 kHz, which is 9 ticks in 100 us.
_TICKS_NUMERATOR, _TICKS_DENOMINATOR = 9, 100
_TIMESTAMP_BITS = 32
# RFC 3550, section 4: NTP counts from 1900, 70 years with 17 leap days before 1970.
_NTP_EPOCH_S = 2_208_988_800
_US_PER_S = 1_000_000
_U32_MASK = 0xFFFFFFFF
_U64_MASK = 0xFFFFFFFFFFFFFFFF


def signed_difference(new: int, old: int, bits: int) -> int:
    """Return how far a counter of `bits` bits went from `old` to `new` by the shorter way; half the circle is back."""
    half = 1 << (bits - 1)
    return ((new - old + half) & ((1 << bits) - 1)) - half


class Unwrapper:
    """Makes an index that does not wrap from a counter that does. Values may arrive in any order.

    Each value is taken to be the one nearest to the newest index so far, so values up to half the circle apart are
    told apart. An index can be negative: that of a value sent before the first one that arrived.
    """

    __slots__ = ("_bits", "_newest")

    def __init__(self, bits: int) -> None:
        self._bits = bits
        self._newest: int | None = None

    def unwrap(self, value: int) -> int:
        """Return the index of `value`. The first one is its own index."""
        if self._newest is None:
            self._newest = value
            return value
        index = self._newest + signed_difference(value, self._newest, self._bits)
        self._newest = max(self._newest, index)
        return index


class RtpTimeline:
    """The RTP timestamps of one stream: those of a video clock that started at a random tick."""

    __slots__ = ("_origin_ticks",)

    def __init__(self, origin_ticks: int) -> None:
        self._origin_ticks = origin_ticks

    def timestamp(self, at_us: int) -> int:
        """Return the timestamp of an instant."""
        return (self._origin_ticks + at_us * _TICKS_NUMERATOR // _TICKS_DENOMINATOR) & _U32_MASK

    def at_us(self, timestamp: int, near_us: int) -> int:
        """Return the instant of a timestamp, the one nearest to `near_us`: timestamps repeat after 13 hours.

        The result has a timestamp's resolution: it is the first microsecond of its tick.
        """
        near_ticks = near_us * _TICKS_NUMERATOR // _TICKS_DENOMINATOR
        ticks = near_ticks + signed_difference(timestamp - self._origin_ticks, near_ticks, _TIMESTAMP_BITS)
        return -(-ticks * _TICKS_DENOMINATOR // _TICKS_NUMERATOR)


def ntp_from_wall(wall_us: int) -> int:
    """Return the NTP time, 64 bits as 32.32, of microseconds since 1970. It wraps in 2036."""
    seconds, rest_us = divmod(wall_us, _US_PER_S)
    # Rounded up, so that the way back gives the same microsecond.
    fraction = -(-(rest_us << 32) // _US_PER_S)
    return (seconds + _NTP_EPOCH_S << 32 | fraction) & _U64_MASK


def wall_from_ntp(ntp: int, near_wall_us: int) -> int:
    """Return microseconds since 1970 of an NTP time, in the era that brings it nearest to `near_wall_us`."""
    near = (near_wall_us // _US_PER_S + _NTP_EPOCH_S) << 32
    whole = near + signed_difference(ntp, near, 64)
    return (whole * _US_PER_S >> 32) - _NTP_EPOCH_S * _US_PER_S


def middle_ntp(ntp: int) -> int:
    """Return the middle 32 bits of an NTP time: 1/65536 s, as reports carry it (RFC 3550, section 6.4.1)."""
    return ntp >> 16 & _U32_MASK
