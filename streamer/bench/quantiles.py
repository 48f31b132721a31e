"""Percentiles of measured values, as every bench reports them."""

import math
from collections.abc import Iterable, Sequence


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Return the nearest-rank percentile of ascending values: always one that was measured."""
    rank = max(1, math.ceil(percent / 100 * len(ordered)))
    return ordered[rank - 1]


def summarize(values: Iterable[float], *, digits: int = 2) -> dict[str, float | int | None]:
    """Return p50, p95, p99 and the count; the percentiles of nothing are None."""
    ordered = sorted(values)
    if not ordered:
        return {"p50": None, "p95": None, "p99": None, "count": 0}
    summary: dict[str, float | int | None] = {
        f"p{percent}": round(percentile(ordered, percent), digits) for percent in (50, 95, 99)
    }
    summary["count"] = len(ordered)
    return summary
