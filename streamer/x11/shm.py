"""Memory that the X server writes pictures into and this process reads in place: MIT-SHM over System V segments.

System V, because xcffib can pass no descriptors (AttachFd, CreateSegment). A segment is marked for removal as soon as
both sides are attached, so that nothing stays behind however the process ends.
"""

import ctypes
import os
import weakref
from typing import Any

import xcffib

from streamer.errors import DeviceError
from streamer.x11.connection import Connection

# sys/ipc.h and sys/shm.h.
_IPC_PRIVATE = 0
_IPC_CREAT = 0o1000
_IPC_RMID = 0
_FAILED = ctypes.c_void_p(-1).value

_libc = ctypes.CDLL(None, use_errno=True)
_libc.shmget.argtypes = [ctypes.c_int, ctypes.c_size_t, ctypes.c_int]
_libc.shmat.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_int]
_libc.shmat.restype = ctypes.c_void_p
_libc.shmdt.argtypes = [ctypes.c_void_p]
_libc.shmctl.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_void_p]


class Segment:
    """Shared memory of one picture. The memory stays mapped here for as long as any view of `buffer` lives."""

    def __init__(self, connection: Connection, shm: Any, size_bytes: int) -> None:
        self._shm = shm
        identifier = _libc.shmget(_IPC_PRIVATE, size_bytes, _IPC_CREAT | 0o600)
        if identifier == -1:
            raise _failure(f"no shared memory of {size_bytes} bytes")
        try:
            self.address = _attach(identifier)
            memory = (ctypes.c_ubyte * size_bytes).from_address(self.address)
            detach = weakref.finalize(memory, _libc.shmdt, self.address)
            # At exit views may still be read by other threads; the kernel unmaps what is left.
            detach.atexit = False
            self.resource = _share(connection, shm, identifier)
        finally:
            _libc.shmctl(identifier, _IPC_RMID, None)
        # Filled at once: the first grab shall not pay for the page faults.
        ctypes.memset(self.address, 0, size_bytes)
        self.buffer = memoryview(memory).cast("B")

    def close(self) -> None:
        """Take the segment away from the server; the connection must be open."""
        self._shm.Detach(self.resource)


def _attach(identifier: int) -> int:
    address: int | None = _libc.shmat(identifier, None, 0)
    if address is None or address == _FAILED:
        raise _failure("shared memory cannot be attached")
    return address


def _share(connection: Connection, shm: Any, identifier: int) -> int:
    resource: int = connection.raw.generate_id()
    try:
        shm.AttachChecked(resource, identifier, False).check()
    except xcffib.Error as exc:
        raise DeviceError(
            "x11",
            f"display {connection.display!r} cannot share memory with this process "
            "(it must run on this machine, in the same IPC namespace, for the same user)",
        ) from exc
    return resource


def _failure(what: str) -> DeviceError:
    return DeviceError("x11", f"{what}: {os.strerror(ctypes.get_errno())}")
