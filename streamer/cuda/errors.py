"""What goes wrong in CUDA, in two errors: whether the machine is at fault, or an array that somebody has brought."""

from collections.abc import Iterator
from contextlib import contextmanager


class CudaError(Exception):
    """CUDA cannot do what was asked; the message is a reason in words."""


class ForeignArrayError(Exception):
    """An object says something of itself that cannot be; the message says what."""


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Let whatever NVIDIA's packages raise while they do `what` be a `CudaError`."""
    try:
        yield
    except (CudaError, ForeignArrayError):
        raise
    # Their errors share no base: some are the driver's, some the loader's, some Python's own.
    except Exception as exc:
        raise CudaError(f"cannot {what}: {exc}") from exc
