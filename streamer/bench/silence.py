"""What a silence on the wire does: how soon the picture goes on after it, and how long it stood still.

The windows come from whoever drops the packets; what is seen comes from a viewer. `recoveries` is pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from streamer.bench.browser import Chromium
from streamer.bench.detour import Detour
from streamer.bench.quantiles import summarize
from streamer.bench.report import Result
from streamer.bench.stamps import Seen, seen_frames
from streamer.bench.watched import Watched
from streamer.clock import SystemClock
from streamer.errors import SessionError
from streamer.media.frame import Resolution

_WARM_UP_S = 3.0
# Before each silence: long enough to recover from the last one, different each time, so that no phase is met again and
# again.
_REST_S = (2.0, 3.0)


@dataclass(frozen=True, slots=True)
class Recovery:
    """One silence: how long after its end a new picture was seen, and how long there had been none by then."""

    first_picture_ms: float
    freeze_ms: float


def recoveries(windows_ms: Sequence[tuple[float, float]], frames: Sequence[Seen]) -> list[Recovery]:
    """Return what became of each silence; one that no new picture followed before the next began is left out."""
    found = []
    for index, (_, ends_ms) in enumerate(windows_ms):
        until_ms = windows_ms[index + 1][0] if index + 1 < len(windows_ms) else float("inf")
        before = [frame for frame in frames if frame.seen_ms < ends_ms]
        if not before:
            continue
        last = before[-1]
        after = (frame for frame in frames if ends_ms <= frame.seen_ms < until_ms and frame.number != last.number)
        first = next(after, None)
        if first is not None:
            found.append(Recovery(first.seen_ms - ends_ms, first.seen_ms - last.seen_ms))
    return found


def measure_silences(browser: Chromium, url: str, size: Resolution, silence_ms: int, count: int) -> Result:
    """Open a page whose media goes through a relay, let it fall silent again and again, and return the figures."""
    detour = Detour(SystemClock())
    page = browser.new_page(size)
    detour.install(page)
    try:
        watched = Watched(page, url, size)
        watched.start(reads_decoded=False)
        watched.wait(_WARM_UP_S)
        windows_ms: list[tuple[float, float]] = []
        sight = watched.observe(lambda: _fall_silent(watched, detour, silence_ms, windows_ms, count))
        watched.close()
    finally:
        detour.close()
    found = recoveries(windows_ms, seen_frames(sight.presented, sight.offset_ms))
    assert detour.relay is not None
    return {
        "silences": count,
        "silences_recovered": len(found),
        "datagrams_dropped": detour.relay.dropped_datagrams,
        "first_picture_after_ms": summarize(recovery.first_picture_ms for recovery in found),
        "freeze_ms": summarize(recovery.freeze_ms for recovery in found),
    }


def _fall_silent(
    watched: Watched, detour: Detour, silence_ms: int, windows_ms: list[tuple[float, float]], count: int
) -> None:
    random = Random(1)
    if detour.relay is None:
        raise SessionError("the page plays although its media was to go through a relay that does not exist")
    for _ in range(count):
        # Pictures must be seen first: how long one stood still is counted from the last of them.
        watched.wait(random.uniform(*_REST_S))
        windows_ms.append(detour.relay.silence(silence_ms))
        watched.wait(silence_ms / 1000)
    watched.wait(_REST_S[1])
