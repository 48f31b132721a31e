"""Network namespaces without a name: each ends with the last process and descriptor that hold it.

Nothing is registered under /run/netns, so nothing is left behind there, not even by a process that is killed. A thread
enters a namespace for as long as it takes to start something in it; what it starts stays inside. Linux alone; creating
one takes CAP_SYS_ADMIN.
"""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

# <linux/sched.h>
_CLONE_NEWNET = 0x4000_0000
_OWN = "/proc/thread-self/ns/net"


class Namespace:
    """One namespace with nothing but a loopback that is down. Used by one thread at a time."""

    def __init__(self) -> None:
        """Create it.

        Raises:
            OSError: this process may not.
        """
        home = os.open(_OWN, os.O_RDONLY)
        try:
            _call("unshare", _CLONE_NEWNET)
            self._descriptor = os.open(_OWN, os.O_RDONLY)
            _call("setns", home, _CLONE_NEWNET)
        finally:
            os.close(home)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Have the calling thread, and the processes that it starts, in the namespace while the block lasts."""
        home = os.open(_OWN, os.O_RDONLY)
        try:
            _call("setns", self._descriptor, _CLONE_NEWNET)
            try:
                yield
            finally:
                _call("setns", home, _CLONE_NEWNET)
        finally:
            os.close(home)


def _call(name: str, *arguments: int) -> None:
    # Python has both since 3.12.
    library = ctypes.CDLL(None, use_errno=True)
    if getattr(library, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
