"""From what a page saw to figures: how old frames were, how many came, and how soon presses were answered. Pure.

Instants are milliseconds. A frame's age is from being drawn to being seen.
"""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

from streamer.bench.freezes import Pauses
from streamer.bench.quantiles import percentile
from streamer.bench.stamps import Seen, photon_delays_ms

_MS_PER_S = 1_000
_US_PER_MS = 1_000
# Rates of frames are looked at in each second that begins a multiple of this after the first one.
_STRIDE_MS = 100
# Frames are as young again as before when nine tenths of those of half a second are.
_WINDOW_MS, _YOUNG_RATIO = 500, 0.9
# What counts as young: a little above what was usual.
_MARGIN_MS = 20
_PRESSES_PERIOD = 256


def fresh(frames: Sequence[Seen]) -> list[Seen]:
    """Return the frames that show something new: a still picture is sent again now and then, with its old stamp."""
    return (
        [frames[0], *(after for before, after in pairwise(frames) if after.number != before.number)] if frames else []
    )


def age_ms(frames: Sequence[Seen], percent: float) -> float | None:
    """Return a percentile of the ages."""
    return round(percentile(sorted(frame.age_ms for frame in frames), percent), 2) if frames else None


def longest_gap_s(frames: Sequence[Seen], ends_ms: float) -> float | None:
    """Return the longest time from one frame to the next, or from the last one to the end."""
    gaps_ms = _gaps_ms(frames, ends_ms)
    return round(max(gaps_ms) / _MS_PER_S, 3) if gaps_ms else None


def freezes_s(frames: Sequence[Seen], ends_ms: float) -> list[float]:
    """Return how long each freeze of a picture that always moves lasted; one that is not over lasts until the end."""
    pauses = Pauses()
    return [gap_ms / _MS_PER_S for gap_ms in _gaps_ms(frames, ends_ms) if pauses.add(gap_ms * _US_PER_MS)]


def frames_per_second(frames: Sequence[Seen], from_ms: float, until_ms: float) -> list[int]:
    """Return how many frames were seen in each second between two instants."""
    seen_ms = sorted(frame.seen_ms for frame in frames)
    seconds = range(round(from_ms), round(until_ms) - _MS_PER_S + 1, _STRIDE_MS)
    return [bisect_left(seen_ms, start + _MS_PER_S) - bisect_left(seen_ms, start) for start in seconds]


def age_recovery_s(frames: Sequence[Seen], from_ms: float, until_ms: float) -> float | None:
    """Return how long after `until_ms` frames were as young again as before `from_ms`, give or take 20 ms.

    None if they never were.
    """
    usual_ms = age_ms([frame for frame in frames if frame.seen_ms < from_ms], 50)
    if usual_ms is None:
        return None
    after = [frame for frame in frames if frame.seen_ms >= until_ms]
    for first in after:
        window = [frame for frame in after if 0 <= frame.seen_ms - first.seen_ms < _WINDOW_MS]
        young = sum(frame.age_ms <= usual_ms + _MARGIN_MS for frame in window)
        if young >= _YOUNG_RATIO * len(window):
            return round((first.seen_ms - until_ms) / _MS_PER_S, 3)
    return None


def _gaps_ms(frames: Sequence[Seen], ends_ms: float) -> list[float]:
    instants_ms = [*(frame.seen_ms for frame in frames), ends_ms]
    return [after_ms - before_ms for before_ms, after_ms in pairwise(instants_ms)]


def press_delays_ms(presses_ms: Sequence[float], presented: Sequence[Seen]) -> list[float]:
    """Return how long each press took until a presented frame showed it. The stamps count presses from the first."""
    presses = [(count % _PRESSES_PERIOD, at_ms) for count, at_ms in enumerate(presses_ms, 1)]
    return photon_delays_ms(presses, presented, 0.0)
