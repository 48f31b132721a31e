"""From the rows that the reader collected to ages, gaps and answers to clicks. Pure: no clock, no browser.

A row begins with the frame number (16 bits), the time in 100 us (32 bits) and the input number (8 bits) of a stamp.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

_TIME_PERIOD_MS = 2**32 / 10
_NUMBER_PERIOD = 2**16
_INPUT_PERIOD = 2**8
# A gap longer than this is the server's restart or a loop of the clip, not loss.
_MAX_GAP_FRAMES = 1_000


@dataclass(frozen=True, slots=True)
class Seen:
    """One frame as the page saw it. Instants are milliseconds of the server's monotonic clock."""

    number: int
    input_number: int
    captured_ms: float
    seen_ms: float
    received_ms: float | None = None
    decode_ms: float | None = None

    @property
    def age_ms(self) -> float:
        return self.seen_ms - self.captured_ms


def seen_frames(rows: Sequence[Sequence[float]], offset_ms: float, captured_us: Mapping[int, int] | None) -> list[Seen]:
    """Return the frames of the reader's rows.

    `offset_ms` is server time minus page time. `captured_us` replaces the stamped times by frame number, for streams
    that were encoded beforehand.
    """
    frames = []
    for number, time_100us, input_number, at_ms, *rest in rows:
        seen_ms = at_ms + offset_ms
        if captured_us is None:
            captured_ms = _unwrap_ms(time_100us / 10, seen_ms)
        elif int(number) in captured_us:
            captured_ms = captured_us[int(number)] / 1000
        else:
            continue
        received_ms = rest[0] + offset_ms if rest and rest[0] is not None else None
        decode_ms = rest[1] if len(rest) > 1 else None
        frames.append(Seen(int(number), int(input_number), captured_ms, seen_ms, received_ms, decode_ms))
    return frames


def missing_frames(frames: Sequence[Seen]) -> int:
    """Return how many frame numbers between the first and the last one were never seen."""
    missing = 0
    for before, after in pairwise(frames):
        gap = (after.number - before.number) % _NUMBER_PERIOD
        if 0 < gap < _MAX_GAP_FRAMES:
            missing += gap - 1
    return missing


def photon_delays_ms(buttons: Sequence[Sequence[float]], frames: Sequence[Seen], offset_ms: float) -> list[float]:
    """Return, for each button message, how long it took until a frame was seen that had been captured after it."""
    delays = []
    for sequence, at_ms in buttons:
        pressed_ms = at_ms + offset_ms
        for frame in frames:
            if frame.seen_ms > pressed_ms and _answers(frame.input_number, int(sequence)):
                delays.append(frame.seen_ms - pressed_ms)
                break
    return delays


def stages_ms(frames: Sequence[Seen], server_us: Sequence[Mapping[str, int]]) -> dict[str, float]:
    """Return the median of each stage from capture to screen; they add up to about the median age.

    The server's stages are medians of its own seconds; `arrive`, `decode` and `present` are the page's.
    """
    names = list(dict.fromkeys(name for second in server_us for name in second))
    stages = {name: median(second[name] for second in server_us if name in second) / 1000 for name in names}
    timed = [frame for frame in frames if frame.received_ms is not None and frame.decode_ms is not None]
    if timed:
        received_ms = median(frame.received_ms - frame.captured_ms for frame in timed if frame.received_ms is not None)
        decode_ms = median(frame.decode_ms for frame in timed if frame.decode_ms is not None)
        age_ms = median(frame.age_ms for frame in timed)
        stages["arrive"] = received_ms - sum(stages.values())
        stages["decode"] = decode_ms
        stages["present"] = age_ms - received_ms - decode_ms
    return {name: round(value, 2) for name, value in stages.items()}


def _answers(input_number: int, sequence: int) -> bool:
    """Whether a frame with this input number shows the message `sequence` or a later one (RFC 1982, 8 bits)."""
    return (input_number - sequence) % _INPUT_PERIOD < _INPUT_PERIOD // 2


def _unwrap_ms(time_ms: float, near_ms: float) -> float:
    return time_ms + round((near_ms - time_ms) / _TIME_PERIOD_MS) * _TIME_PERIOD_MS
