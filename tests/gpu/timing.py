"""How long something takes on the machine at hand: to be written down, never asserted."""

import statistics
import time
from collections.abc import Callable

_WARM_UP = 5
_TIMES = 120
_P95 = 95


def timed(act: Callable[[], object]) -> dict[str, float]:
    """Return median and 95th percentile of `act` in microseconds, after it has been warmed up."""
    for _ in range(_WARM_UP):
        act()
    took_us = []
    for _ in range(_TIMES):
        begin_ns = time.perf_counter_ns()
        act()
        took_us.append((time.perf_counter_ns() - begin_ns) / 1000)
    return {
        "p50_us": round(statistics.median(took_us), 1),
        "p95_us": round(statistics.quantiles(took_us, n=100)[_P95 - 1], 1),
    }
