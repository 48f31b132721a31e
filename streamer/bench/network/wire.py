"""A link in simulated time: what is sent into it is handed over at the other end when it arrives."""

from collections.abc import Callable
from typing import Any, NamedTuple

from streamer.bench.network.events import Alarm, Events
from streamer.bench.network.link import Delivery, Link
from streamer.bench.network.recording import LinkRecord

Hand = Callable[[Any, int], None]


class Parcel(NamedTuple):
    """Something under way: who takes it, and how much longer than the shared link its own way is."""

    hand: Hand
    content: Any
    extra_delay_us: int


class Wire:
    """One direction of the shared link. Several streams may use it; each parcel knows where it goes."""

    def __init__(self, events: Events, link: Link[Parcel], record: LinkRecord) -> None:
        self._events = events
        self._link = link
        self._record = record
        self._alarm = Alarm(events, self._deliver)

    def send(self, size_bytes: int, hand: Hand, content: Any, extra_delay_us: int = 0) -> None:
        """Send a datagram of so many bytes; `hand(content, now_us)` is called where it arrives."""
        now_us = self._events.now_us
        if self._link.push(now_us, size_bytes, Parcel(hand, content, extra_delay_us)):
            self._alarm.set(self._link.next_delivery_us())
        else:
            self._record.dropped(now_us, self._link.last_fate)

    def delay_us(self) -> int:
        """Return how long a datagram is under way at present, without a queue."""
        return self._link.delay_us(self._events.now_us)

    def _deliver(self) -> None:
        for delivery in self._link.pop(self._events.now_us):
            self._hand_over(delivery)
        self._alarm.set(self._link.next_delivery_us())

    def _hand_over(self, delivery: Delivery[Parcel]) -> None:
        parcel, size_bytes, entered_at_us, departed_at_us, arrived_at_us = delivery
        self._record.carried(entered_at_us, departed_at_us, size_bytes)
        hand, content, extra_delay_us = parcel
        if extra_delay_us:
            arrived_at_us += extra_delay_us
            self._events.at(arrived_at_us, lambda: hand(content, arrived_at_us))
        else:
            hand(content, arrived_at_us)
