"""From what happened in a run to its figures. Pure.

utilisation_percent  what our streams received, headers and resent packets included and padding not, of what the link
                     could have carried from the beginning to the end of the run, start included
reached_s            from the start of the first stream until what it received within the last 100 ms was 85 % of the
                     capacity of that moment
recovery_s           the same from a step up of the capacity on; the worst of all steps up
queue_p*_ms          delay in the link's queue of each packet that the link carried: waiting and its own transmission
drain_s              from a step down of the capacity until the queue was below 33 ms for good, which is until the next
                     step; the worst of all steps down
delay_p*_ms          from the capture of a frame until it could be decoded, or a newer one in its place, over the delay
                     of the empty path
full_delay_p*_ms     the same, the delay of the path included
late_percent         frames whose delay over the empty path's was above 33 ms, and those that were never decoded
first_picture_s      from the start of a stream until its first frame could be decoded; the worst of all streams
freezes_per_min      pauses between decoded frames longer than max(3 x mean, mean + 150 ms), the mean being that of the
                     last 30 pauses; a pause begins when there is a newer picture to be seen
fps                  decoded frames per second
skipped_percent      pictures that were not encoded because of a backlog
keyframes_per_5_s    keyframes after the first one
tail_drops           packets that found the queue full
jain                 Jain's index of the streams' received bytes from 20 s after the last one has joined
jain_s               from the last one's joining until Jain's index over 2 s was 0.9
share_percent        our part of all that was received since other traffic began
starved_s            the longest time during which our rate over a second was below 5 % of the capacity
below_half_s         the longest time, within 10 s after an event, during which the rate over 200 ms was below half of
                     what it was in the 5 s before the event
reversals            how often the target turned round by more than 15 % within 10 s after an event
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from streamer.bench.freezes import Pauses
from streamer.bench.network.capacity import Steps, step_at
from streamer.bench.network.link import Fate, LinkSettings
from streamer.bench.network.rates import Arrivals, longest_run_us, merged
from streamer.bench.network.recording import LinkRecord, Recording, StreamRecord
from streamer.bench.network.scenario import Scenario, Stream
from streamer.bench.quantiles import percentile

Figures = dict[str, float | int | None]

LATE_US = 33_000
_SHORT_WINDOW_US = 100_000
_STEP_US = 10_000
_REACHED_RATIO = 0.85
# What was captured so shortly before the end and has not been decoded may still be on its way.
UNDER_WAY_US = 500_000
_FAIR_INDEX = 0.9
_FAIR_WINDOW_US = 2_000_000
_FAIR_AFTER_US = 20_000_000
_STARVED_RATIO = 0.05
_STARVED_WINDOW_US = 1_000_000
_AFTERMATH_US = 10_000_000
_BEFORE_US = 5_000_000
_AFTERMATH_WINDOW_US = 200_000
_REVERSAL_RATIO = 0.15
_US_PER_S = 1_000_000


def measure(scenario: Scenario, recording: Recording) -> Figures:
    """Return all figures that make sense for this scenario."""
    streams = [record for record, stream in _pairs(scenario, recording) if not stream.is_backward]
    received = merged((stream.received_at_us, stream.received_bytes) for stream in streams)
    figures: Figures = {}
    figures |= _rate_figures(scenario, received)
    figures |= _queue_figures(scenario.forward, recording.forward, recording.duration_us)
    figures |= _frame_figures(scenario, recording)
    if len(streams) > 1:
        figures |= _fairness_figures(streams, recording.duration_us)
    if recording.cross:
        figures |= _competition_figures(scenario, recording, received)
    if scenario.event is not None:
        figures |= _aftermath_figures(scenario.event, received, streams[0])
    return figures


def _rate_figures(scenario: Scenario, received: Arrivals) -> Figures:
    capacity, end_us = scenario.forward.capacity, scenario.duration_us
    figures: Figures = {"mbps": round(received.rate_bps(0, end_us) / 1e6, 2)}
    if capacity is None:
        return figures
    could_bytes = max(1, capacity.carried_bytes(0, end_us))
    figures["utilisation_percent"] = round(100 * received.size_bytes(0, end_us) / could_bytes, 1)
    if not isinstance(capacity, Steps):
        return figures
    starts_at_us = min(stream.starts_at_us for stream in scenario.streams)
    figures["reached_s"] = _reached_s(received, capacity, starts_at_us, end_us)
    ups = [(from_us, to_us) for from_us, to_us, is_up in _steps(capacity, end_us) if is_up]
    if ups:
        figures["recovery_s"] = _worst(_reached_s(received, capacity, *span) for span in ups)
    return figures


def _reached_s(received: Arrivals, capacity: Steps, from_us: int, to_us: int) -> float | None:
    for at_us in range(from_us + _STEP_US, to_us, _STEP_US):
        wanted_bps = _REACHED_RATIO * step_at(capacity.steps, at_us)
        if received.rate_bps(at_us - _SHORT_WINDOW_US, at_us) >= wanted_bps:
            return round((at_us - from_us) / _US_PER_S, 2)
    return None


def _steps(capacity: Steps, end_us: int) -> Iterator[tuple[int, int, bool]]:
    """Return each change of the rate: from when to when the new one holds, and whether it is higher."""
    spans = pairwise((*capacity.steps, (end_us, 0)))
    for ((_, before_bps), _), ((at_us, rate_bps), (to_us, _)) in pairwise(spans):
        yield at_us, to_us, rate_bps > before_bps


def _worst(values: Iterator[float | None]) -> float | None:
    """Return the largest, or None if one of them is."""
    found = list(values)
    known = [value for value in found if value is not None]
    return max(known) if len(known) == len(found) else None


def _queue_figures(link: LinkSettings, record: LinkRecord, end_us: int) -> Figures:
    entered, departed = record.entered_at_us, record.departed_at_us
    queues = sorted(left - came for came, left in zip(entered, departed, strict=True))
    figures: Figures = {f"queue_p{percent}_ms": _milliseconds(queues, percent) for percent in (50, 95, 99)}
    figures["tail_drops"] = sum(fate is Fate.QUEUE_FULL for _, fate in record.drops)
    figures["lost_percent"] = round(100 * len(record.drops) / max(1, len(record.drops) + len(entered)), 2)
    capacity = link.capacity
    if isinstance(capacity, Steps):
        downs = [(from_us, to_us) for from_us, to_us, is_up in _steps(capacity, end_us) if not is_up]
        if downs:
            figures["drain_s"] = max(_drain_s(record, *span) for span in downs)
    return figures


def _drain_s(record: LinkRecord, from_us: int, to_us: int) -> float:
    """Return when the last packet of this span that met 33 ms or more had been waiting so long that less was left."""
    drained_at_us = from_us
    for came_us, left_us in zip(record.entered_at_us, record.departed_at_us, strict=True):
        if from_us <= left_us and came_us < to_us and left_us - came_us >= LATE_US:
            drained_at_us = max(drained_at_us, left_us - LATE_US)
    return round((drained_at_us - from_us) / _US_PER_S, 2)


def _frame_figures(scenario: Scenario, recording: Recording) -> Figures:
    over_base: list[int] = []
    full: list[int] = []
    frames = skipped = keyframes = decoded = late = freezes = 0
    for record, stream in _pairs(scenario, recording):
        link = scenario.backward if stream.is_backward else scenario.forward
        base = _base_delay(link, stream.extra_delay_us)
        for capture_us, delay_us, is_decoded in _frame_delays(record, recording.duration_us):
            full.append(delay_us)
            over_base.append(delay_us - base(capture_us))
            decoded += is_decoded
            late += not is_decoded or over_base[-1] > LATE_US
        frames += len(record.frames)
        skipped += len(record.skipped_at_us)
        keyframes += sum(frame.is_keyframe for frame in record.frames) - 1
        freezes += count_freezes(record, base)
    over_base.sort()
    full.sort()
    stream_s = sum(recording.duration_us - stream.starts_at_us for stream in scenario.streams) / _US_PER_S
    figures: Figures = {f"delay_p{percent}_ms": _milliseconds(over_base, percent) for percent in (50, 95, 99)}
    return figures | {
        "first_picture_s": _worst(_first_picture_s(record) for record in recording.streams),
        "full_delay_p95_ms": _milliseconds(full, 95),
        "full_delay_p99_ms": _milliseconds(full, 99),
        "late_percent": round(100 * late / max(1, len(over_base)), 2),
        "freezes_per_min": round(60 * freezes / stream_s, 2),
        "fps": round(decoded / stream_s, 1),
        "skipped_percent": round(100 * skipped / max(1, skipped + frames), 2),
        "keyframes_per_5_s": round(5 * keyframes / stream_s, 2),
    }


def _first_picture_s(record: StreamRecord) -> float | None:
    shown_us = [frame.completed_at_us for frame in record.frames if frame.completed_at_us is not None]
    return round((shown_us[0] - record.starts_at_us) / _US_PER_S, 2) if shown_us else None


def _frame_delays(record: StreamRecord, end_us: int) -> Iterator[tuple[int, int, bool]]:
    """Return, newest first, when each frame was captured, its delay, and whether it was decoded."""
    newer_us = end_us
    for frame in reversed(record.frames):
        done_us = frame.completed_at_us
        if done_us is not None:
            newer_us = done_us
        elif frame.capture_us > end_us - UNDER_WAY_US:
            continue
        yield frame.capture_us, newer_us - frame.capture_us, done_us is not None


def count_freezes(record: StreamRecord, base: Callable[[int], int]) -> int:
    """Return how often the picture stood still although there was a newer one, by the rule of browsers' statistics."""
    captures_us = sorted([*(frame.capture_us for frame in record.frames), *record.skipped_at_us])
    decoded = [
        (frame.capture_us, frame.completed_at_us) for frame in record.frames if frame.completed_at_us is not None
    ]
    pauses, freezes = Pauses(), 0
    for (captured_us, shown_us), (_, next_shown_us) in pairwise(decoded):
        newer_us = captures_us[bisect_right(captures_us, captured_us)]
        freezes += pauses.add(next_shown_us - max(shown_us, newer_us + base(newer_us)))
    return freezes


def _base_delay(link: LinkSettings, extra_us: int) -> Callable[[int], int]:
    steps = ((0, link.delay_us), *link.delay_steps)
    return lambda at_us: step_at(steps, at_us) + extra_us


def _fairness_figures(streams: Sequence[StreamRecord], end_us: int) -> Figures:
    arrivals = [Arrivals(stream.received_at_us, stream.received_bytes) for stream in streams]
    joined_us = max(stream.starts_at_us for stream in streams)
    fair_s = None
    for at_us in range(joined_us + _FAIR_WINDOW_US, end_us, _STEP_US * 10):
        if _jain([each.size_bytes(at_us - _FAIR_WINDOW_US, at_us) for each in arrivals]) >= _FAIR_INDEX:
            fair_s = round((at_us - joined_us) / _US_PER_S, 2)
            break
    from_us = min(joined_us + _FAIR_AFTER_US, (joined_us + end_us) // 2)
    return {"jain": round(_jain([each.size_bytes(from_us, end_us) for each in arrivals]), 3), "jain_s": fair_s}


def _jain(values: Sequence[float]) -> float:
    squares = sum(value * value for value in values)
    return sum(values) ** 2 / (len(values) * squares) if squares else 0.0


def _competition_figures(scenario: Scenario, recording: Recording, received: Arrivals) -> Figures:
    began_us = min(cross.starts_at_us for cross in scenario.cross)
    end_us = recording.duration_us
    others = merged((cross.received_at_us, cross.received_bytes) for cross in recording.cross)
    ours_bytes, others_bytes = received.size_bytes(began_us, end_us), others.size_bytes(began_us, end_us)
    capacity = scenario.forward.capacity
    assert isinstance(capacity, Steps)
    starved_us = longest_run_us(
        (
            received.rate_bps(at_us, at_us + _STARVED_WINDOW_US) < _STARVED_RATIO * step_at(capacity.steps, at_us)
            for at_us in range(began_us, end_us - _STARVED_WINDOW_US, _STEP_US)
        ),
        _STEP_US,
    )
    return {
        "share_percent": round(100 * ours_bytes / max(1, ours_bytes + others_bytes), 1),
        "starved_s": round(starved_us / _US_PER_S, 2),
    }


def _aftermath_figures(event: tuple[int, int], received: Arrivals, stream: StreamRecord) -> Figures:
    from_us, to_us = event
    half_bps = received.rate_bps(max(0, from_us - _BEFORE_US), from_us) / 2
    below_us = longest_run_us(
        (
            received.rate_bps(at_us, at_us + _AFTERMATH_WINDOW_US) < half_bps
            for at_us in range(to_us, to_us + _AFTERMATH_US, _STEP_US)
        ),
        _STEP_US,
    )
    targets = [moment.target_bps for moment in stream.moments if to_us <= moment.at_us < to_us + _AFTERMATH_US]
    return {"below_half_s": round(below_us / _US_PER_S, 2), "reversals": count_reversals(targets)}


def count_reversals(values: Sequence[float]) -> int:
    """Return how often values turn round: each turn ends a way of more than 15 % and begins another one."""
    reversals = direction = 0
    low = high = extreme = values[0] if values else 0.0
    for value in values:
        if direction == 0:
            low, high = min(low, value), max(high, value)
            if value > low * (1 + _REVERSAL_RATIO):
                direction, extreme = 1, value
            elif value < high * (1 - _REVERSAL_RATIO):
                direction, extreme = -1, value
        elif direction * (value - extreme) > 0:
            extreme = value
        elif abs(value - extreme) > _REVERSAL_RATIO * extreme:
            reversals += 1
            direction, extreme = -direction, value
    return reversals


def _pairs(scenario: Scenario, recording: Recording) -> Iterator[tuple[StreamRecord, Stream]]:
    return zip(recording.streams, scenario.streams, strict=True)


def _milliseconds(ordered_us: Sequence[int], percent: float) -> float | None:
    return round(percentile(ordered_us, percent) / 1000, 1) if ordered_us else None
