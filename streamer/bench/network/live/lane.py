"""One direction of the live link: packets of one device enter a modelled link and are given to the other when due."""

import os
from contextlib import suppress
from dataclasses import dataclass
from random import Random

from streamer.bench.network.link import Fate, Link, LinkSettings
from streamer.bench.network.live.packet_log import Packet, is_media


@dataclass(frozen=True, slots=True)
class Course:
    """What both directions are like from the first media on. Until then they have their delays and no other limit."""

    down: LinkSettings
    up: LinkSettings
    seed: int


class Lane:
    """From the descriptor of one device to that of another. Used by one thread."""

    def __init__(self, direction: str, source: int, target: int, settings: LinkSettings, seed: int) -> None:
        self._direction = direction
        self.source = source
        self._target = target
        self._settings = settings
        self._seed = seed
        opening = LinkSettings(delay_us=settings.delay_us)
        # Each with the instant at which its time is 0. What is on its way through the first one still arrives.
        self._links: list[tuple[int, Link[bytes]]] = [(0, Link(opening, Random(seed)))]
        self.packets: list[Packet] = []

    def begin(self, now_us: int) -> None:
        """Let what enters from now on go through the link as it shall be."""
        self._links.append((now_us, Link(self._settings, Random(self._seed))))

    def push(self, packet: bytes, now_us: int) -> None:
        """Let a packet enter."""
        origin_us, link = self._links[-1]
        if not link.push(now_us - origin_us, len(packet), packet):
            unmet = (None, None, None)
            self._note(now_us, *unmet, packet, link.last_fate)

    def next_us(self) -> int | None:
        """Return when the next packet is due, or None while none is on its way."""
        dues_us = [
            origin_us + due_us for origin_us, link in self._links if (due_us := link.next_delivery_us()) is not None
        ]
        return min(dues_us, default=None)

    def deliver(self, now_us: int) -> None:
        """Give to the device what is due."""
        for origin_us, link in self._links:
            for delivery in link.pop(now_us - origin_us):
                # A device that is full loses packets as any receiver does.
                with suppress(BlockingIOError):
                    os.write(self._target, delivery.item)
                self._note(
                    origin_us + delivery.entered_at_us,
                    origin_us + delivery.departed_at_us,
                    origin_us + delivery.arrived_at_us,
                    now_us,
                    delivery.item,
                    Fate.CARRIED,
                )

    def _note(
        self,
        entered_us: int,
        departed_us: int | None,
        due_us: int | None,
        delivered_us: int | None,
        packet: bytes,
        fate: Fate,
    ) -> None:
        self.packets.append(
            Packet(self._direction, entered_us, departed_us, due_us, delivered_us, len(packet), fate, is_media(packet))
        )
