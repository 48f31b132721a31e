"""Short bursts that show whether the path carries more than what is sent: when, how large, and what they said.

Every train of a frame is a probe of its own, so these are for flows whose frames are too small to tell: at the start,
after a drop, and while the application sends less than it may. Sending a cluster is the flow's business.
"""

from dataclasses import dataclass

from streamer.congestion.decision import ProbeCluster
from streamer.congestion.in_flight import Sent
from streamer.media.units import BITS_PER_BYTE_US

# libwebrtc's: shorter or of fewer packets, a cluster measures the receiver's clock.
_MIN_US = 15_000
MIN_BYTES = 6 * 1200
# What a slow path must not be given at once, however high the rate to be tried: 40 packets.
MAX_BYTES = 40 * 1200
# A cluster that has not been sent or spoken of after this long will not be.
TIMEOUT_US = 1_000_000
_MIN_ARRIVED_RATIO = 0.8
# What is received is what the path carries; a little less is what can be sent without a queue.
_SAFE_RATIO = 0.95
# What is tried first: three and six times what was begun with, as libwebrtc does.
_START_RATIOS = (3.0, 6.0)
# Later on twice the present rate: it costs 15 ms of it, and a queue of as much where there is nothing to be found.
_RATIO = 2.0
# How often, while the application sends less than it may.
_PERIOD_US = 5_000_000
# After a drop: soon, because most drops are short, then ever later, because this one is not.
_RECOVERY_DELAYS_US = (1_000_000, 2_000_000, 4_000_000)
# A queue that has grown by as much during a cluster says enough.
ABORT_QUEUE_US = 14_000


@dataclass(slots=True)
class _Tally:
    """What is known of the cluster that is out."""

    cluster: ProbeCluster
    at_us: int
    sent_bytes: int = 0
    arrived_bytes: int = 0
    first_bytes: int = 0
    first_arrival_us: int = 0
    last_arrival_us: int = 0


class Prober:
    """The probes of one flow, one at a time."""

    __slots__ = ("_number", "_tally", "cluster")

    def __init__(self) -> None:
        self._number = 0
        self._tally: _Tally | None = None
        # What is to be sent now.
        self.cluster: ProbeCluster | None = None

    @property
    def is_out(self) -> bool:
        """Whether a cluster is being sent or its result awaited."""
        return self._tally is not None

    def start(self, rate_bps: int, now_us: int) -> None:
        """Begin a cluster."""
        self._number += 1
        size_bytes = min(max(rate_bps * _MIN_US // BITS_PER_BYTE_US, MIN_BYTES), MAX_BYTES)
        self.cluster = ProbeCluster(self._number, rate_bps, size_bytes)
        self._tally = _Tally(self.cluster, now_us)

    def abort(self) -> None:
        """Give up the cluster that is out."""
        self.cluster = self._tally = None

    def expire(self, now_us: int) -> None:
        """Give up a cluster that has been out for too long."""
        if self._tally is not None and now_us - self._tally.at_us > TIMEOUT_US:
            self.abort()

    def sent(self, packet: Sent) -> None:
        """Note a packet of a cluster that left."""
        tally = self._tally
        if tally is not None and packet.cluster == tally.cluster.number:
            tally.sent_bytes += packet.size_bytes
            if tally.sent_bytes >= tally.cluster.size_bytes:
                self.cluster = None

    def arrived(self, packet: Sent) -> None:
        """Note a packet of a cluster that arrived."""
        tally = self._tally
        if tally is None or packet.cluster != tally.cluster.number:
            return
        if not tally.arrived_bytes:
            tally.first_arrival_us, tally.first_bytes = packet.arrived_at_us, packet.size_bytes
        tally.arrived_bytes += packet.size_bytes
        tally.last_arrival_us = max(tally.last_arrival_us, packet.arrived_at_us)

    def result_bps(self, now_us: int) -> int | None:
        """Return what the cluster has shown that the path carries, once; None while that is not known."""
        tally = self._tally
        if tally is None:
            return None
        is_whole = tally.arrived_bytes >= _MIN_ARRIVED_RATIO * tally.cluster.size_bytes
        span_us = tally.last_arrival_us - tally.first_arrival_us
        if not is_whole or self.cluster is not None:
            self.expire(now_us)
            return None
        self._tally = None
        if span_us <= 0:
            return None
        received_bps = (tally.arrived_bytes - tally.first_bytes) * BITS_PER_BYTE_US // span_us
        return min(round(_SAFE_RATIO * received_bps), tally.cluster.rate_bps)


class ProbePlan:
    """When one flow probes, and for which rate."""

    __slots__ = ("_limited_since_us", "_probed_at_us", "_recovery_at_us", "_start_bps")

    def __init__(self, start_bps: int, now_us: int) -> None:
        # Both lists end with what is next.
        self._start_bps = [round(ratio * start_bps) for ratio in reversed(_START_RATIOS)]
        self._recovery_at_us: list[int] = []
        self._probed_at_us = now_us
        self._limited_since_us: int | None = None

    def dropped(self, now_us: int) -> None:
        """Plan to look whether what has gone has come back."""
        self._recovery_at_us = [now_us + delay_us for delay_us in reversed(_RECOVERY_DELAYS_US)]

    def next_bps(self, rate_bps: int, now_us: int, *, is_limited: bool, is_known: bool) -> int | None:
        """Return the rate to be tried now, or None. `is_known`: trains say already that there is no more."""
        if not is_limited:
            self._limited_since_us = None
        elif self._limited_since_us is None:
            self._limited_since_us = now_us
        while self._start_bps:
            start_bps = self._start_bps.pop()
            if start_bps > rate_bps and not is_known:
                self._probed_at_us = now_us
                return start_bps
        if not self._is_due(now_us) or is_known:
            return None
        self._probed_at_us = now_us
        return round(_RATIO * rate_bps)

    def _is_due(self, now_us: int) -> bool:
        is_due = False
        while self._recovery_at_us and self._recovery_at_us[-1] <= now_us:
            self._recovery_at_us.pop()
            is_due = True
        if self._limited_since_us is None:
            return is_due
        return is_due or now_us - max(self._probed_at_us, self._limited_since_us) > _PERIOD_US
