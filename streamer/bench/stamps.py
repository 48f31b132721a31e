"""From the rows that a viewer collected to ages, gaps and answers to clicks. Pure: no clock, no browser.

A row: frame number (16 bits), time in 100 us (32 bits) and input number (8 bits) of a stamp; when it was seen; when its
last packet arrived and how long it was decoded, as far as that is known; its RTP time. Instants are the viewer's, in
milliseconds.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from streamer.bench.rtp_clock import RtpClock
from streamer.bench.sight import Row
from streamer.media.trace import Stage

_TIME_PERIOD_MS = 2**32 / 10
_NUMBER_PERIOD = 2**16
_INPUT_PERIOD = 2**8
# A gap longer than this is the server's restart or a loop of the clip, not loss.
_MAX_GAP_FRAMES = 1_000
_SERVER_STAGES = tuple(
    stage.name.lower() for stage in (Stage.CONVERT, Stage.ENCODE, Stage.PACKETIZE, Stage.SEND)
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Seen:
    """One frame as a viewer saw it. Instants are milliseconds of the server's monotonic clock.

    `drawn_ms` is when the picture came to be: the stamp's time, or the hand-out of a frame encoded beforehand.
    `captured_ms` is when the server took it, as far as its RTP time says so.
    """

    number: int
    input_number: int
    drawn_ms: float
    seen_ms: float
    captured_ms: float | None = None
    received_ms: float | None = None
    decode_ms: float | None = None

    @property
    def age_ms(self) -> float:
        return self.seen_ms - self.drawn_ms


def seen_frames(
    rows: Iterable[Row], offset_ms: float, rtp_clock: RtpClock | None = None, *, is_stamp_dated: bool = True
) -> list[Seen]:
    """Return the frames of a viewer's rows, in their order.

    `offset_ms` is server time minus viewer time. Without `is_stamp_dated` the stamps are of the day when the stream was
    encoded, and frames are dated by their RTP times alone; those that have none are left out.
    """
    frames = []
    for row in rows:
        number, time_100us, input_number, at_ms, received_ms, decode_ms, ticks = _padded(row)
        seen_ms = at_ms + offset_ms
        captured_ms = None if ticks is None or rtp_clock is None else rtp_clock.captured_ms(int(ticks))
        if is_stamp_dated:
            drawn_ms = _unwrap_ms(time_100us / 10, seen_ms)
        elif captured_ms is not None:
            drawn_ms = captured_ms
        else:
            continue
        arrived_ms = None if received_ms is None else received_ms + offset_ms
        frames.append(Seen(int(number), int(input_number), drawn_ms, seen_ms, captured_ms, arrived_ms, decode_ms))
    return frames


def missing_frames(frames: Sequence[Seen], loop_frames: int | None = None) -> int:
    """Return how many frame numbers between the first and the last one were never seen.

    `loop_frames` is the length of a clip that begins again at number 0.
    """
    period = loop_frames or _NUMBER_PERIOD
    missing = 0
    for before, after in pairwise(frames):
        gap = (after.number - before.number) % period
        if 0 < gap < min(_MAX_GAP_FRAMES, period):
            missing += gap - 1
    return missing


def photon_delays_ms(buttons: Sequence[Sequence[float]], frames: Sequence[Seen], offset_ms: float) -> list[float]:
    """Return, for each button message, how long it took until a frame was seen that answers it.

    A message that no frame answers has no delay: compare the counts.
    """
    delays = []
    for sequence, at_ms in buttons:
        pressed_ms = at_ms + offset_ms
        for frame in frames:
            if frame.seen_ms > pressed_ms and _answers(frame.input_number, int(sequence)):
                delays.append(frame.seen_ms - pressed_ms)
                break
    return delays


def stages_ms(frames: Sequence[Seen], server_us: Sequence[Mapping[str, int]]) -> dict[str, float]:
    """Return how long a frame spends in each stage; the values add up to the median age of `frames`.

    An approximation: the server's stages are medians of its own seconds, `capture`, `decode` and the sum are medians
    over the viewer's frames, and `arrive` and `present` are what remains before the last packet and the picture.
    Empty when the viewer does not know when packets arrived.
    """
    timed = [frame for frame in frames if None not in (frame.received_ms, frame.decode_ms, frame.captured_ms)]
    if not timed:
        return {}
    stages = {"capture": median((frame.captured_ms or 0.0) - frame.drawn_ms for frame in timed)}
    for name in _SERVER_STAGES:
        values_us = [second[name] for second in server_us if name in second]
        stages[name] = median(values_us) / 1000 if values_us else 0.0
    received_ms = median((frame.received_ms or 0.0) - frame.drawn_ms for frame in timed)
    stages["arrive"] = received_ms - sum(stages.values())
    stages["decode"] = median(frame.decode_ms or 0.0 for frame in timed)
    stages["present"] = median(frame.age_ms for frame in timed) - received_ms - stages["decode"]
    return {name: round(value, 2) for name, value in stages.items()}


def _padded(row: Row) -> tuple[float, float, float, float, float | None, float | None, float | None]:
    number, time_100us, input_number, at_ms, *rest = row
    if number is None or time_100us is None or input_number is None or at_ms is None:
        raise ValueError(f"row {row} lacks a stamp or its instant")
    received_ms, decode_ms, ticks = (*rest, None, None, None)[:3]
    return number, time_100us, input_number, at_ms, received_ms, decode_ms, ticks


def _answers(input_number: int, sequence: int) -> bool:
    """Whether a frame with this input number shows the message `sequence` or a later one (RFC 1982, 8 bits)."""
    return (input_number - sequence) % _INPUT_PERIOD < _INPUT_PERIOD // 2


def _unwrap_ms(time_ms: float, near_ms: float) -> float:
    return time_ms + round((near_ms - time_ms) / _TIME_PERIOD_MS) * _TIME_PERIOD_MS
