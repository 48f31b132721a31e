"""One direction of a link: a queue before a bottleneck, then a delay. The same model for simulated and real packets.

Sans-IO: told the time with each call, by a simulation's clock or the machine's; times may not go backwards. What
becomes of a packet is decided when it enters: whether it is lost, when it leaves the bottleneck, when it arrives. So a
link can be asked for its next delivery, and a change of the rate later on is known in advance.
"""

import heapq
import random
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, NamedTuple, TypeVar

from streamer.bench.network.capacity import Capacity, step_at
from streamer.media.units import BITS_PER_BYTE_US

ItemT = TypeVar("ItemT")

_NS_PER_US = 1_000


@dataclass(frozen=True, slots=True)
class BurstLoss:
    """Loss that comes in bursts, after Gilbert: `loss_ratio` of all packets, `mean_packets` of them in a row."""

    loss_ratio: float
    mean_packets: float


@dataclass(frozen=True, slots=True)
class Policer:
    """A token bucket: what exceeds the rate by more than the burst is dropped, and nothing is ever queued."""

    rate_bps: int
    burst_bytes: int


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """What a link is like.

    `capacity` None carries everything at once. `delay_steps` are (at_us, delay_us): the delay of packets that leave the
    bottleneck from then on; before the first one it is `delay_us`. Jitter adds up to `jitter_us` to each packet, evenly
    spread, and keeps their order unless `reorders`. The queue takes a packet while what is ahead of it needs at most
    `queue_us` to leave and, where `queue_bytes` is given, while it does not hold more than that. In an outage, from
    at_us to until_us, everything that enters is lost.
    """

    capacity: Capacity | None = None
    delay_us: int = 20_000
    delay_steps: tuple[tuple[int, int], ...] = ()
    jitter_us: int = 0
    reorders: bool = False
    loss_ratio: float = 0.0
    burst_loss: BurstLoss | None = None
    queue_us: int | None = 200_000
    queue_bytes: int | None = None
    policer: Policer | None = None
    outages: tuple[tuple[int, int], ...] = ()


class Fate(StrEnum):
    """What became of a packet that entered."""

    CARRIED = "carried"
    LOST = "lost"
    QUEUE_FULL = "queue full"
    POLICED = "policed"


class Delivery(NamedTuple, Generic[ItemT]):
    """A packet at the other end, and when it was where."""

    item: ItemT
    size_bytes: int
    entered_at_us: int
    departed_at_us: int
    arrived_at_us: int

    @property
    def queue_us(self) -> int:
        """From entering the queue until the bottleneck had sent the last bit: waiting and its own transmission."""
        return self.departed_at_us - self.entered_at_us


class Link(Generic[ItemT]):
    """One direction of one link, shared by everything that is pushed into it. Not thread-safe."""

    def __init__(self, settings: LinkSettings, rng: random.Random) -> None:
        self._settings = settings
        self._rng = rng
        self._server = None if settings.capacity is None else settings.capacity.server()
        self._losses = None if settings.burst_loss is None else _BurstLosses(settings.burst_loss, rng)
        self._tokens = None if settings.policer is None else _TokenBucket(settings.policer)
        self._delay_steps = ((0, settings.delay_us), *settings.delay_steps)
        # When the bottleneck has sent all that it has taken.
        self._free_at_ns = 0
        # (departed_at_us, size_bytes) of what the bottleneck has not sent yet.
        self._queue: deque[tuple[int, int]] = deque()
        self._queue_bytes = 0
        self._arriving: list[tuple[int, int, Delivery[ItemT]]] = []
        self._last_arrival_us = 0
        self._carried = 0
        self.fates = dict.fromkeys(Fate, 0)
        self.last_fate = Fate.CARRIED

    def delay_us(self, at_us: int) -> int:
        """Return how long a packet is under way that leaves the bottleneck then, but for jitter."""
        return step_at(self._delay_steps, at_us) if self._settings.delay_steps else self._settings.delay_us

    def push(self, now_us: int, size_bytes: int, item: ItemT) -> bool:
        """Take a packet; return whether it will arrive. `last_fate` says what became of it."""
        fate = self.last_fate = self._judge(now_us, size_bytes)
        self.fates[fate] += 1
        if fate is not Fate.CARRIED:
            return False
        departed_at_us = self._serve(now_us, size_bytes)
        arrived_at_us = self._arrival_us(departed_at_us)
        delivery = Delivery(item, size_bytes, now_us, departed_at_us, arrived_at_us)
        self._carried += 1
        heapq.heappush(self._arriving, (arrived_at_us, self._carried, delivery))
        return True

    def next_delivery_us(self) -> int | None:
        """Return when the next packet arrives, or None while nothing is on its way."""
        return self._arriving[0][0] if self._arriving else None

    def pop(self, now_us: int) -> list[Delivery[ItemT]]:
        """Return what has arrived by now, in the order of arrival."""
        arriving, deliveries = self._arriving, []
        while arriving and arriving[0][0] <= now_us:
            deliveries.append(heapq.heappop(arriving)[2])
        return deliveries

    def backlog_us(self, now_us: int) -> int:
        """Return how long it takes until all that waits has left."""
        return max(0, self._free_at_ns // _NS_PER_US - now_us)

    def backlog_bytes(self, now_us: int) -> int:
        """Return how much has not left yet, the packet being sent included."""
        queue = self._queue
        while queue and queue[0][0] <= now_us:
            self._queue_bytes -= queue.popleft()[1]
        return self._queue_bytes

    def _judge(self, now_us: int, size_bytes: int) -> Fate:
        settings = self._settings
        is_lost = settings.loss_ratio > 0 and self._rng.random() < settings.loss_ratio
        if self._losses is not None and self._losses.next_is_lost():
            is_lost = True
        if is_lost or (settings.outages and _is_within(settings.outages, now_us)):
            return Fate.LOST
        if self._tokens is not None and not self._tokens.take(now_us, size_bytes):
            return Fate.POLICED
        if self._server is not None and self._is_full(now_us, size_bytes):
            return Fate.QUEUE_FULL
        return Fate.CARRIED

    def _is_full(self, now_us: int, size_bytes: int) -> bool:
        settings = self._settings
        if settings.queue_us is not None and self.backlog_us(now_us) > settings.queue_us:
            return True
        if settings.queue_bytes is None:
            return False
        waiting_bytes = self.backlog_bytes(now_us)
        return waiting_bytes > 0 and waiting_bytes + size_bytes > settings.queue_bytes

    def _serve(self, now_us: int, size_bytes: int) -> int:
        """Send the packet through the bottleneck and return when it has left."""
        if self._server is None:
            return now_us
        self._free_at_ns = self._server.finish_ns(max(now_us * _NS_PER_US, self._free_at_ns), size_bytes)
        departed_at_us = self._free_at_ns // _NS_PER_US
        # What has left is counted out now and then, so that the queue does not remember a whole run.
        self.backlog_bytes(now_us)
        self._queue.append((departed_at_us, size_bytes))
        self._queue_bytes += size_bytes
        return departed_at_us

    def _arrival_us(self, departed_at_us: int) -> int:
        settings = self._settings
        arrival_us = departed_at_us + self.delay_us(departed_at_us)
        if settings.jitter_us:
            arrival_us += round(self._rng.random() * settings.jitter_us)
        if not settings.reorders:
            arrival_us = self._last_arrival_us = max(arrival_us, self._last_arrival_us)
        return arrival_us


class _BurstLosses:
    """A chain of two states: everything arrives, or nothing does."""

    def __init__(self, settings: BurstLoss, rng: random.Random) -> None:
        self._rng = rng
        self._ends = 1 / settings.mean_packets
        self._begins = self._ends * settings.loss_ratio / (1 - settings.loss_ratio)
        self._is_losing = False

    def next_is_lost(self) -> bool:
        """Move on by one packet."""
        if self._is_losing:
            self._is_losing = self._rng.random() >= self._ends
        else:
            self._is_losing = self._rng.random() < self._begins
        return self._is_losing


class _TokenBucket:
    """Tokens are bits times microseconds, so that nothing is rounded."""

    def __init__(self, policer: Policer) -> None:
        self._rate_bps = policer.rate_bps
        self._limit = policer.burst_bytes * BITS_PER_BYTE_US
        self._tokens = self._limit
        self._filled_at_us = 0

    def take(self, now_us: int, size_bytes: int) -> bool:
        """Pay for a packet; return whether there was enough."""
        self._tokens = min(self._limit, self._tokens + (now_us - self._filled_at_us) * self._rate_bps)
        self._filled_at_us = now_us
        cost = size_bytes * BITS_PER_BYTE_US
        if cost > self._tokens:
            return False
        self._tokens -= cost
        return True


def _is_within(spans: tuple[tuple[int, int], ...], at_us: int) -> bool:
    return any(from_us <= at_us < to_us for from_us, to_us in spans)
