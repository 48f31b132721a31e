"""A relay for datagrams between a viewer and a server of this machine, which can fall silent in both directions.

Rootless: two sockets and a thread. Nothing of the product takes part: to the server the relay is the viewer's address,
to the viewer it is the server's.
"""

import selectors
import socket
from contextlib import suppress
from threading import Lock, Thread
from types import TracebackType
from typing import Self

from streamer.clock import Clock

Address = tuple[str, int]

_DATAGRAM_BYTES = 2048
_BUFFER_BYTES = 4 << 20
_US_PER_MS = 1000
# How soon the thread notices that it shall end.
_POLL_S = 0.1


class Relay:
    """Forwards between `target` and whoever sends to `address`, until the block ends. Callable from any thread."""

    def __init__(self, host: str, clock: Clock) -> None:
        self._clock = clock
        self._front, self._back = _bind(host), _bind(host)
        self._lock = Lock()
        self._target: Address | None = None
        self._viewer: Address | None = None
        self._silent_us = (0, 0)
        self._is_closing = False
        self.dropped_datagrams = 0
        self.forwarded_datagrams = 0
        self._thread = Thread(target=self._run, name="relay", daemon=True)

    @property
    def address(self) -> Address:
        """Where the viewer shall send to."""
        host, port = self._front.getsockname()[:2]
        return host, port

    def lead_to(self, target: Address) -> None:
        """Forward to this address of the server from now on."""
        with self._lock:
            self._target = target

    def silence(self, duration_ms: int) -> tuple[float, float]:
        """Drop every datagram from now on for so long; return begin and end in milliseconds of the monotonic clock."""
        began_us = self._clock.now_us()
        ends_us = began_us + duration_ms * _US_PER_MS
        with self._lock:
            self._silent_us = (began_us, ends_us)
        return began_us / _US_PER_MS, ends_us / _US_PER_MS

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_closing = True
        self._thread.join()
        self._front.close()
        self._back.close()

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._front, selectors.EVENT_READ)
            selector.register(self._back, selectors.EVENT_READ)
            while not self._is_closing:
                for key, _ in selector.select(_POLL_S):
                    self._drain(self._front if key.fileobj is self._front else self._back)

    def _drain(self, arrived_at: socket.socket) -> None:
        with suppress(BlockingIOError):
            while True:
                datagram, sender = arrived_at.recvfrom(_DATAGRAM_BYTES)
                self._forward(arrived_at, datagram, sender)

    def _forward(self, arrived_at: socket.socket, datagram: bytes, sender: Address) -> None:
        now_us = self._clock.now_us()
        with self._lock:
            is_from_viewer = arrived_at is self._front
            if is_from_viewer:
                self._viewer = sender
            began_us, ends_us = self._silent_us
            receiver = self._target if is_from_viewer else self._viewer
            if began_us <= now_us < ends_us or receiver is None:
                self.dropped_datagrams += 1
                return
            self.forwarded_datagrams += 1
        # Whoever has gone, or whose buffer is full, loses datagrams as on any path.
        with suppress(OSError):
            (self._back if is_from_viewer else self._front).sendto(datagram, receiver)


def _bind(host: str) -> socket.socket:
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        bound.setsockopt(socket.SOL_SOCKET, option, _BUFFER_BYTES)
    bound.setblocking(False)
    bound.bind((host, 0))
    return bound
