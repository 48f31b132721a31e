"""Traces made from a seed that behave like radio links: no recording has to be shipped, and any number can be tried.

What they share with recordings: a rate that wanders over a decade within seconds, short times in which nothing is
delivered, and delivery in bunches. What they do not claim: to be any one network.
"""

import math
import random
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from streamer.bench.network.capacity import OPPORTUNITY_BYTES, Server, Trace

_BITS_PER_OPPORTUNITY = OPPORTUNITY_BYTES * 8
_MS_PER_S = 1_000


class Radio(Protocol):
    """A kind of link."""

    def trace(self, seed: int, duration_ms: int) -> Trace:
        """Return a trace of this length."""


@dataclass(frozen=True, slots=True)
class MadeTrace:
    """The capacity of such a link. The trace is made when it is first needed."""

    radio: Radio
    seed: int
    duration_ms: int = 60_000

    def server(self) -> Server:
        return _made(self).server()

    def carried_bytes(self, from_us: int, to_us: int) -> int:
        return _made(self).carried_bytes(from_us, to_us)


@cache
def _made(made: MadeTrace) -> Trace:
    return made.radio.trace(made.seed, made.duration_ms)


@dataclass(frozen=True, slots=True)
class Cellular:
    """A cell shared with others, seen from something that moves.

    The logarithm of the rate wanders around that of `median_bps` with the deviation `spread`, and forgets where it was
    within `memory_ms`. Handovers and fades deliver nothing for `gap_ms`, drawn evenly, once in `gap_every_ms`.
    """

    median_bps: int
    spread: float = 0.6
    memory_ms: int = 1_500
    gap_ms: tuple[int, int] = (40, 300)
    gap_every_ms: int = 12_000

    def trace(self, seed: int, duration_ms: int) -> Trace:
        rng = random.Random(seed)
        opportunities_ms: list[int] = []
        level = 0.0
        gap_until_ms = 0
        # Where the wandering is pulled back to its middle, and how far it is pushed each ms, so that it has its spread.
        kept = math.exp(-1 / self.memory_ms)
        push = self.spread * math.sqrt(1 - kept * kept)
        owed = 0.0
        for at_ms in range(1, duration_ms + 1):
            level = kept * level + rng.gauss(0, push)
            if rng.random() < 1 / self.gap_every_ms:
                gap_until_ms = at_ms + rng.randint(*self.gap_ms)
            if at_ms < gap_until_ms:
                continue
            mean = self.median_bps * math.exp(level) / _MS_PER_S / _BITS_PER_OPPORTUNITY
            # The scheduler gives a terminal its share unevenly: between nothing and twice of it in each ms.
            owed += mean * 2 * rng.random()
            opportunities_ms += [at_ms] * int(owed)
            owed -= int(owed)
        return Trace((*opportunities_ms, duration_ms))


@dataclass(frozen=True, slots=True)
class WirelessLan:
    """A wireless LAN: whole bunches at a high rate whenever the air is free.

    A bunch lasts up to `bunch_ms` at `air_bps`; between bunches others have the air for `wait_ms` on average, drawn
    exponentially. Interference keeps it for `gap_ms`, drawn evenly, once in `gap_every_ms`.
    """

    air_bps: int
    bunch_ms: int = 3
    wait_ms: float = 4.0
    gap_ms: tuple[int, int] = (15, 80)
    gap_every_ms: int = 4_000

    def trace(self, seed: int, duration_ms: int) -> Trace:
        rng = random.Random(seed)
        opportunities_ms: list[int] = []
        at_ms, owed = 0.0, 0.0
        while at_ms < duration_ms:
            bunch_ms = rng.randint(1, self.bunch_ms)
            for offset_ms in range(bunch_ms):
                owed += self.air_bps / _MS_PER_S / _BITS_PER_OPPORTUNITY
                opportunities_ms += [int(at_ms) + offset_ms] * int(owed)
                owed -= int(owed)
            waited_ms = bunch_ms + rng.expovariate(1 / self.wait_ms)
            if rng.random() < waited_ms / self.gap_every_ms:
                waited_ms += rng.randint(*self.gap_ms)
            at_ms += waited_ms
        return Trace((*(at for at in sorted(opportunities_ms) if at < duration_ms), duration_ms))
