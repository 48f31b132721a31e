"""A TCP-like flow beside ours: Cubic's window, clocked by acknowledgements, with as much to send as it is given.

RFC 9438: the window grows with the cube of the time since the last loss, as fast as Reno at least, and shrinks to 0.7.
Losses are noticed by three later packets, one reduction per round trip, or by silence. There is no handshake.
"""

import random
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from streamer.bench.network.events import Alarm, Events
from streamer.bench.network.recording import CrossRecord

PACKET_BYTES = 1500
_ACK_BYTES = 52
_BETA = 0.7
_CUBE = 0.4
_INITIAL_WINDOW = 10.0
_MIN_WINDOW = 2.0
_REORDERING_PACKETS = 3
_MIN_TIMEOUT_US = 200_000
_FIRST_RTT_US = 100_000
_US_PER_S = 1_000_000

Send = Callable[[Any, int], None]


@dataclass(frozen=True, slots=True)
class Transfers:
    """What a flow has to send: everything at once (`sizes_bytes` None), or files with pauses between them.

    Sizes are drawn evenly from `sizes_bytes`, pauses exponentially around `mean_pause_us`.
    """

    sizes_bytes: tuple[int, int] | None = None
    mean_pause_us: int = 0


class CubicFlow:
    """The sender. `send(number, size_bytes)` takes a packet to `CubicReceiver.received` at the other end."""

    def __init__(self, events: Events, transfers: Transfers, send: Send, rng: random.Random) -> None:
        self._events = events
        self._transfers = transfers
        self._send = send
        self._rng = rng
        self._window = _INITIAL_WINDOW
        self._threshold = float("inf")
        # Where the cubic curve began: the window before the last reduction, and when that was.
        self._window_max = 0.0
        self._reduced_at_us: int | None = None
        self._rtt_us = _FIRST_RTT_US
        self._next_number = 0
        self._recovers_until = 0
        # Number -> when it was sent, in the order of sending.
        self._under_way: OrderedDict[int, int] = OrderedDict()
        self._left_packets: float = 0
        self._is_pausing = False
        self._timeout = Alarm(events, self._check_silence)

    def start(self) -> None:
        """Begin with a transfer."""
        self._begin_transfer()

    def acknowledged(self, number: int, now_us: int) -> None:
        """Take an acknowledgement of one packet."""
        sent_at_us = self._under_way.pop(number, None)
        if sent_at_us is None:
            return
        self._rtt_us += (now_us - sent_at_us - self._rtt_us) // 8
        lost = []
        for other in self._under_way:
            if other >= number - _REORDERING_PACKETS + 1:
                break
            lost.append(other)
        for other in lost:
            del self._under_way[other]
        if lost:
            self._left_packets += len(lost)
            self._reduce(lost[0], now_us)
        else:
            self._grow(now_us)
        self._fill(now_us)

    def _begin_transfer(self) -> None:
        sizes = self._transfers.sizes_bytes
        self._left_packets = float("inf") if sizes is None else -(-self._rng.randint(*sizes) // PACKET_BYTES)
        self._fill(self._events.now_us)

    def _fill(self, now_us: int) -> None:
        while self._left_packets > 0 and len(self._under_way) < self._window:
            self._under_way[self._next_number] = now_us
            self._send(self._next_number, PACKET_BYTES)
            self._next_number += 1
            self._left_packets -= 1
        if self._under_way:
            self._timeout.set(now_us + self._silence_us())
        elif not self._is_pausing:
            self._is_pausing = True
            pause_us = round(self._rng.expovariate(1) * self._transfers.mean_pause_us)
            self._events.at(now_us + pause_us, self._begin_again)

    def _begin_again(self) -> None:
        """Begin another transfer: a connection of its own, which starts slowly."""
        self._window, self._threshold, self._reduced_at_us = _INITIAL_WINDOW, float("inf"), None
        self._is_pausing = False
        self._begin_transfer()

    def _grow(self, now_us: int) -> None:
        if self._window < self._threshold or self._reduced_at_us is None:
            self._window += 1
            return
        elapsed_s = (now_us - self._reduced_at_us + self._rtt_us) / _US_PER_S
        turn_s = (self._window_max * (1 - _BETA) / _CUBE) ** (1 / 3)
        cubic = _CUBE * (elapsed_s - turn_s) ** 3 + self._window_max
        reno = self._window_max * _BETA + 3 * (1 - _BETA) / (1 + _BETA) * elapsed_s * _US_PER_S / self._rtt_us
        target = min(max(cubic, reno), 1.5 * self._window)
        self._window += max(0.0, target - self._window) / self._window

    def _reduce(self, lost: int, now_us: int) -> None:
        if lost < self._recovers_until:
            return
        self._recovers_until = self._next_number
        self._window_max = self._window
        self._window = self._threshold = max(_MIN_WINDOW, self._window * _BETA)
        self._reduced_at_us = now_us

    def _silence_us(self) -> int:
        return max(_MIN_TIMEOUT_US, 2 * self._rtt_us)

    def _check_silence(self) -> None:
        if not self._under_way:
            return
        now_us = self._events.now_us
        newest_us = self._under_way[next(reversed(self._under_way))]
        if now_us - newest_us >= self._silence_us():
            self._left_packets += len(self._under_way)
            self._under_way.clear()
            self._reduce(self._next_number, now_us)
            self._window = _MIN_WINDOW
            self._fill(now_us)
        else:
            self._timeout.set(newest_us + self._silence_us())


class CubicReceiver:
    """The other end: acknowledges every packet. `send(number, size_bytes)` takes the acknowledgement back."""

    def __init__(self, send: Send, record: CrossRecord) -> None:
        self._send = send
        self._record = record

    def received(self, number: int, now_us: int) -> None:
        """Take a packet."""
        self._record.received(now_us, PACKET_BYTES)
        self._send(number, _ACK_BYTES)
