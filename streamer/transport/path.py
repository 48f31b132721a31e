"""The way out of a peer's datagrams: the pair that ICE has nominated at this moment, in few system calls.

Owns a second descriptor of aioice's socket, because asyncio's transports know no segmentation offload (UDP_SEGMENT:
one call, one run of equal datagrams). Relays have no socket here; they are sent through aioice.
"""

# ruff: noqa: SLF001
# Private names of the libraries are what this file is about: guard.py lists and checks them.

import errno
import os
import socket
from collections import deque
from collections.abc import Sequence
from struct import Struct
from typing import Any

from aioice.ice import Connection

# linux/udp.h: the option that splits one buffer into datagrams of a given length; its value is a native u16.
_UDP_SEGMENT = 103
_SEGMENT_BYTES = Struct("=H")
# linux/udp.h: UDP_MAX_SEGMENTS was 64 before it grew.
_MAX_SEGMENTS = 64
# Old kernels, tunnels and some containers refuse the option, not the datagrams.
_NO_SEGMENTATION = (errno.EINVAL, errno.EIO, errno.EOPNOTSUPP, errno.ENOPROTOOPT)
# One call takes one UDP payload at most, whatever it is split into.
_MAX_RUN_BYTES = 65_000
# A keyframe of 250 kB and more shall fit while the network card is busy.
SEND_BUFFER_BYTES = 1 << 20
_COMPONENT_RTP = 1


class Path:
    """Sends bursts of datagrams. What the kernel does not take at once waits here, in order, for `flush`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._transport: Any = None
        self._socket: socket.socket | None = None
        self._waiting: deque[bytes] = deque()
        self._has_segmentation = True
        self.refused_datagrams = 0
        self.lost_datagrams = 0

    @property
    def is_blocked(self) -> bool:
        """Whether the kernel has refused a datagram that still waits."""
        return bool(self._waiting)

    def send(self, burst: memoryview, sizes: Sequence[int]) -> None:
        """Send the datagrams that lie one after the other in `burst`; those that cannot leave now are copied."""
        address = self._open()
        if address is None:
            self.lost_datagrams += len(sizes)
        elif self._socket is None:
            self._relay(burst, sizes, address)
        else:
            self._send_runs(self._socket, burst, sizes, address)

    def flush(self) -> bool:
        """Try again what waits; return whether everything has left."""
        address = self._open()
        while self._waiting and address is not None and self._socket is not None:
            if not self._send_one(self._socket, self._waiting[0], address):
                return False
            self._waiting.popleft()
        self.lost_datagrams += len(self._waiting)
        self._waiting.clear()
        return True

    def close(self) -> None:
        """Give up the descriptor and what waits."""
        self._waiting.clear()
        self._transport = None
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _open(self) -> tuple[str, int] | None:
        """Return where the nominated pair leads, with its socket at hand; it can change with every check."""
        pair = self._connection._nominated.get(_COMPONENT_RTP)
        if pair is None:
            return None
        if pair.protocol.transport is not self._transport:
            self.close()
            try:
                self._socket = _duplicate(pair.protocol.transport)
            except OSError:
                # The transport has just closed, or the process has no descriptor left. The next burst tries again.
                return None
            self._transport = pair.protocol.transport
        address: tuple[str, int] = pair.remote_addr
        return address

    def _relay(self, burst: memoryview, sizes: Sequence[int], address: tuple[str, int]) -> None:
        at = 0
        for size in sizes:
            self._transport.sendto(bytes(burst[at : at + size]), address)
            at += size

    def _send_runs(self, out: socket.socket, burst: memoryview, sizes: Sequence[int], address: tuple[str, int]) -> None:
        at, first = 0, 0
        while first < len(sizes):
            end = _run_end(sizes, first) if self._has_segmentation else first + 1
            run_sizes = sizes[first:end]
            run = burst[at : at + sum(run_sizes)]
            left = 0 if self._waiting else self._send_run(out, run, run_sizes, address)
            if left < len(run_sizes):
                self._keep(run, run_sizes, left)
            at += len(run)
            first = end

    def _send_run(self, out: socket.socket, run: memoryview, sizes: Sequence[int], address: tuple[str, int]) -> int:
        """Return how many datagrams of one run have left; the others would have blocked."""
        if len(sizes) > 1:
            segment = (socket.SOL_UDP, _UDP_SEGMENT, _SEGMENT_BYTES.pack(sizes[0]))
            try:
                out.sendmsg((run,), (segment,), 0, address)
            except BlockingIOError:
                return 0
            except OSError as exc:
                if exc.errno in _NO_SEGMENTATION:
                    self._has_segmentation = False
            else:
                return len(sizes)
        at = 0
        for number, size in enumerate(sizes):
            if not self._send_one(out, run[at : at + size], address):
                return number
            at += size
        return len(sizes)

    def _send_one(self, out: socket.socket, datagram: memoryview | bytes, address: tuple[str, int]) -> bool:
        try:
            out.sendto(datagram, address)
        except BlockingIOError:
            return False
        except OSError:
            self.lost_datagrams += 1
        return True

    def _keep(self, run: memoryview, sizes: Sequence[int], left: int) -> None:
        self.refused_datagrams += len(sizes) - left
        at = sum(sizes[:left])
        for size in sizes[left:]:
            self._waiting.append(bytes(run[at : at + size]))
            at += size


def _run_end(sizes: Sequence[int], first: int) -> int:
    """Return where the run of equal sizes ends that begins at `first`; a shorter datagram may be its last."""
    size, total, end = sizes[first], sizes[first], first + 1
    limit = min(len(sizes), first + _MAX_SEGMENTS)
    while end < limit and total + size <= _MAX_RUN_BYTES:
        if sizes[end] != size:
            return end + 1 if sizes[end] < size else end
        total += size
        end += 1
    return end


def _duplicate(transport: Any) -> socket.socket | None:
    """Return a descriptor of ours for the socket of a transport; a relay has none."""
    original = transport.get_extra_info("socket")
    if original is None:
        return None
    duplicate = socket.socket(fileno=os.dup(original.fileno()))
    duplicate.setblocking(False)
    duplicate.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    return duplicate
