"""The figures of one live run. Pure.

mbps                 what left the link, per second
utilisation_percent  used part of what the link could have carried, with all that went through it: headers, resent
                     packets, padding; utilisation_after_5_s_percent without the start
reached_s            from the first media on, until 85 % of the capacity was used for half a second
recovery_s           the same from a step up, or the end of an outage; the worst of them
queue_p*_ms          what packets waited in the link's queue, their own transmission included
drain_s              from a step down until the queue stays under 33 ms for a second; the worst of them
tail_drops           packets that found the queue full
losses               packets that the link lost, by chance or in an outage
decoded_p*_ms        from drawing a picture to having it decoded; on_screen_p*_ms until it can be seen
worst_age_s          the oldest of the decoded frames
age_recovery_s       from the end of an outage until frames are as young as before, give or take 20 ms
first_frame_s        from the first media on, until a picture was decoded
longest_gap_s        the longest time without a new frame
fps                  decoded frames per second
fps_p*               the same of each second, every 100 ms anew; of a desktop, only while it moves
freezes, freezes_s   what a browser counts as freezes, and their sum; also a pause that lasts until the end
reconnections        how often the viewer gave a connection up; keyframes, nacks and the like are those of the last one
full_size_percent    how often pictures had their full size when the page was asked
key_to_glass_p*_ms   from an event of a key in the page to the first picture on the screen that shows it
"""

from itertools import pairwise

from streamer.bench.network.link import Fate
from streamer.bench.network.live.link_figures import Usage
from streamer.bench.network.live.measurement import SIZE, Measurement
from streamer.bench.network.live.scenarios import BURST_S, Activity, LiveScenario
from streamer.bench.network.live.viewer_figures import (
    age_ms,
    age_recovery_s,
    frames_per_second,
    freezes_s,
    fresh,
    longest_gap_s,
    press_delays_ms,
)
from streamer.bench.quantiles import percentile
from streamer.bench.stamps import Seen

_US_PER_S = 1_000_000
_US_PER_MS = 1_000
_MS_PER_S = 1_000
# A press has moved the picture by then, unless something went wrong: a round trip of the link is most of it.
_ANSWER_MS = 100
# Before that a stream is starting.
_START_US = 5_000_000
_PERCENTS = (50, 95, 99)
_INBOUND = {
    "keyframes": "keyFramesDecoded",
    "keyframe_requests": "pliCount",
    "nacks": "nackCount",
    "frames_dropped": "framesDropped",
}

Figures = dict[str, float | int | None]


def figures_of(measured: Measurement) -> Figures:
    """Return everything that the run tells."""
    scenario, observation = measured.scenario, measured.observation
    duration_us = round(scenario.seconds * _US_PER_S)
    began_ms = measured.log.began_us / _US_PER_MS
    ends_ms = began_ms + duration_us / _US_PER_MS
    # A still picture that was drawn before it could be sent is as old as it is: that says nothing of the way.
    earliest_ms = 0.0 if scenario.activity is Activity.WATCH else began_ms
    decoded, presented = (
        [frame for frame in fresh(frames) if frame.drawn_ms >= earliest_ms and frame.seen_ms < ends_ms]
        for frames in (observation.decoded, observation.presented)
    )
    usage = Usage(measured.log, scenario.capacity, duration_us)
    found = _link_figures(usage) | _change_figures(usage, scenario, decoded, began_ms)
    found |= _age_figures(decoded, presented)
    found |= {name: observation.inbound.get(member) for name, member in _INBOUND.items()}
    found["reconnections"] = observation.reconnections
    found["full_size_percent"] = _full_size_percent(measured)
    if scenario.activity is Activity.TYPING:
        return found | _key_figures(observation.presses_ms, observation.presented)
    if scenario.activity is Activity.BURSTS:
        bursts_ms = [(at_ms + _ANSWER_MS, at_ms + BURST_S * _MS_PER_S) for at_ms in observation.presses_ms]
        return found | _rate_figures(decoded, bursts_ms)
    found["first_frame_s"] = round((decoded[0].seen_ms - began_ms) / _MS_PER_S, 3) if decoded else None
    found["longest_gap_s"] = longest_gap_s(decoded, ends_ms)
    freezes = freezes_s(decoded, ends_ms)
    found |= {"freezes": len(freezes), "freezes_s": round(sum(freezes), 3)}
    found["fps"] = round(len(decoded) / scenario.seconds, 1)
    return found | _rate_figures(decoded, [(decoded[0].seen_ms, ends_ms)] if decoded else [])


def _link_figures(usage: Usage) -> Figures:
    return {
        "mbps": usage.mbps(),
        "reached_s": usage.reach_s(0),
        "utilisation_percent": usage.utilisation_percent(),
        "utilisation_after_5_s_percent": usage.utilisation_percent(min(_START_US, usage.duration_us // 2)),
        **{f"queue_p{percent}_ms": usage.queue_ms(percent) for percent in _PERCENTS},
        "queue_max_ms": usage.queue_ms(100),
        "tail_drops": usage.dropped(Fate.QUEUE_FULL),
        "losses": usage.dropped(Fate.LOST),
    }


def _change_figures(usage: Usage, scenario: LiveScenario, decoded: list[Seen], began_ms: float) -> Figures:
    """Return how soon the stream followed each change of the link; None for what was never reached."""
    drains_s: list[float | None] = []
    recoveries_s: list[float | None] = []
    found: Figures = {}
    ends_us = [at_us for at_us, _ in scenario.steps[2:]] + [usage.duration_us]
    for ((_, before_bps), (at_us, after_bps)), end_us in zip(pairwise(scenario.steps), ends_us, strict=False):
        if after_bps < before_bps:
            drains_s.append(usage.drain_s(at_us, end_us))
        else:
            recoveries_s.append(usage.reach_s(at_us))
    for from_us, until_us in scenario.down.outages:
        recoveries_s.append(usage.reach_s(until_us))
        outage_ms = (began_ms + from_us / _US_PER_MS, began_ms + until_us / _US_PER_MS)
        found["age_recovery_s"] = age_recovery_s(decoded, *outage_ms)
    for name, values in (("drain_s", drains_s), ("recovery_s", recoveries_s)):
        if values:
            found[name] = None if None in values else max(value for value in values if value is not None)
    return found


def _age_figures(decoded: list[Seen], presented: list[Seen]) -> Figures:
    worst_ms = age_ms(decoded, 100)
    return {
        **{f"decoded_p{percent}_ms": age_ms(decoded, percent) for percent in _PERCENTS},
        **{f"on_screen_p{percent}_ms": age_ms(presented, percent) for percent in _PERCENTS},
        "worst_age_s": None if worst_ms is None else round(worst_ms / _MS_PER_S, 3),
    }


def _rate_figures(decoded: list[Seen], stretches_ms: list[tuple[float, float]]) -> Figures:
    """Return the frame rates while the picture moved."""
    counts = sorted(count for stretch_ms in stretches_ms for count in frames_per_second(decoded, *stretch_ms))
    if not counts:
        return {}
    return {"fps_p50": percentile(counts, 50), "fps_p5": percentile(counts, 5), "fps_worst_second": counts[0]}


def _full_size_percent(measured: Measurement) -> float | None:
    sizes = [size for _, size in measured.observation.sizes]
    return round(100 * sum(size == SIZE for size in sizes) / len(sizes), 2) if sizes else None


def _key_figures(presses_ms: list[float], presented: list[Seen]) -> Figures:
    delays_ms = sorted(press_delays_ms(presses_ms, presented))
    found: Figures = {"presses": len(presses_ms), "presses_shown": len(delays_ms)}
    # A press that was never shown took for ever: the percentiles are of all presses.
    delays_ms += [float("inf")] * (len(presses_ms) - len(delays_ms))
    for percent in _PERCENTS if delays_ms else ():
        delay_ms = percentile(delays_ms, percent)
        found[f"key_to_glass_p{percent}_ms"] = None if delay_ms == float("inf") else round(delay_ms, 1)
    return found
