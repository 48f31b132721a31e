"""Whether we send clearly less than we may, so that what arrives says nothing of what could.

A budget fills at a share of the estimate and is spent by what is sent; shares and levels are those of libwebrtc's
AlrDetector.
"""

from streamer.media.units import BITS_PER_BYTE_US

_SHARE = 0.65
_ENTER_LEVEL = 0.80
_LEAVE_LEVEL = 0.50
# How much time's worth the budget holds.
_WINDOW_US = 500_000


class ApplicationLimit:
    """The verdict on one flow."""

    __slots__ = ("_budget_bytes", "_updated_at_us", "is_limited")

    def __init__(self, now_us: int) -> None:
        self._budget_bytes = 0.0
        self._updated_at_us = now_us
        self.is_limited = False

    def update(self, sent_bytes: int, estimate_bps: int, now_us: int) -> None:
        """Note what has been sent since the last update."""
        share_bps = _SHARE * estimate_bps
        limit_bytes = share_bps * _WINDOW_US / BITS_PER_BYTE_US
        earned_bytes = share_bps * (now_us - self._updated_at_us) / BITS_PER_BYTE_US
        self._budget_bytes = max(-limit_bytes, min(limit_bytes, self._budget_bytes + earned_bytes - sent_bytes))
        self._updated_at_us = now_us
        level = self._budget_bytes / limit_bytes
        if not self.is_limited and level > _ENTER_LEVEL:
            self.is_limited = True
        elif self.is_limited and level < _LEAVE_LEVEL:
            self.is_limited = False
