"""Backends that may be unable to run here: a test of such a one is skipped, for the reason that the backend gives."""

import pytest

from streamer import registry


def available(kind: str, name: str) -> str:
    """Return the name of a backend that can run here; skip the test of one that cannot."""
    reason = registry.why_unavailable(kind, name)
    if reason is not None:
        pytest.skip(f"{name}: {reason}")
    return name
