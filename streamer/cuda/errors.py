"""What goes wrong in CUDA, in one error."""

from collections.abc import Iterator
from contextlib import contextmanager


class CudaError(Exception):
    """CUDA cannot do what was asked; the message is a reason in words."""


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Let whatever NVIDIA's packages raise while they do `what` be a `CudaError`."""
    try:
        yield
    except CudaError:
        raise
    # Their errors share no base: some are the driver's, some the loader's, some Python's own.
    except Exception as exc:
        raise CudaError(f"cannot {what}: {exc}") from exc
