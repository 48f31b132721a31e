"""Draw what happened over time: rates against the capacity, the queue, the frames' delays, the frame rate."""

from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from streamer.bench.network.timeline import Timeline
from streamer.bench.quantiles import percentile

_DPI = 110
_MBIT = 1e6
# The room beside the least and the largest delay on their logarithmic axis.
_HEADROOM = 1.3
_DELAY_TICKS_MS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)
# The room above a curve for what its colours mean.
_LEGEND_ROOM = 1.4
# Frame rates are counted over half a second: 30 frames, so that one frame more or less is seen as 2 fps.
_RATE_WINDOW_S = 0.5
_CAPACITY_COLOUR = "0.75"


def draw(file: Path, timelines: Sequence[Timeline]) -> list[Path]:
    """Write a picture for each run and return the files; with several runs each has its name in that of the file."""
    files = []
    for timeline in timelines:
        target = file if len(timelines) == 1 else file.with_stem(f"{file.stem}-{timeline.name}")
        _draw_one(target, timeline)
        files.append(target)
    return files


def _draw_one(file: Path, timeline: Timeline) -> None:
    # Imported here: matplotlib takes longer to load than a simulation takes to run.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(14, 9), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(timeline.title)
    rates, queue, delays, fps = figure.subplots(4, 1, sharex=True, height_ratios=(4, 2, 2, 2))
    _draw_rates(rates, timeline)
    _draw_queue(queue, timeline)
    _draw_delays(delays, timeline)
    _draw_frame_rates(fps, timeline)
    fps.set(xlabel="s", xlim=(0, timeline.duration_s))
    for axes in (rates, queue, delays, fps):
        axes.grid(alpha=0.3)
        _mark_events(axes, timeline)
    figure.savefig(file, dpi=_DPI)


def _draw_rates(axes: Any, timeline: Timeline) -> None:
    top = 0.0
    if timeline.capacity:
        seconds, rates_bps = zip(*timeline.capacity, strict=True)
        mbps = [rate_bps / _MBIT for rate_bps in rates_bps]
        axes.fill_between(seconds, mbps, step="post", color=_CAPACITY_COLOUR, alpha=0.5, label="capacity")
        top = max(mbps)
    for name, curve in timeline.rates.items():
        if curve:
            axes.plot(*_columns(curve, _MBIT), linewidth=1, label=name)
            top = max(top, percentile(sorted(rate_bps / _MBIT for _, rate_bps in curve), 99))
    axes.set(ylabel="Mbit/s", ylim=(0, 1.15 * top or 1))
    _add_legend(axes)


def _draw_queue(axes: Any, timeline: Timeline) -> None:
    if timeline.queue:
        axes.plot(*_columns(timeline.queue), linewidth=0.8, color="tab:red", label="delay in the link's queue")
    if timeline.drops_s:
        top = axes.get_ylim()[1]
        axes.plot(timeline.drops_s, [top] * len(timeline.drops_s), "kv", markersize=3, label="dropped by the queue")
    axes.set(ylabel="ms", ylim=(0, _LEGEND_ROOM * max(1, axes.get_ylim()[1])))
    _add_legend(axes)


def _draw_delays(axes: Any, timeline: Timeline) -> None:
    known = [delay for frames in timeline.frames.values() for _, delay in frames if delay is not None]
    # Logarithmic: the usual frame and the worst one are a decade apart, and both matter.
    top = max(known, default=1) * _HEADROOM
    for name, frames in timeline.frames.items():
        shown = [(at_s, delay) for at_s, delay in frames if delay is not None]
        axes.plot(*_columns(shown), ".", markersize=2, label=f"{name}: frame delay")
        never = [at_s for at_s, delay in frames if delay is None]
        if never:
            axes.plot(never, [top] * len(never), "x", markersize=4, color="black", label=f"{name}: never decoded")
    if timeline.late_ms is not None:
        axes.axhline(timeline.late_ms, color="grey", linewidth=0.8, linestyle="--", label="late")
    axes.set(ylabel="ms", yscale="log")
    axes.set_yticks(_DELAY_TICKS_MS, labels=map(str, _DELAY_TICKS_MS), minor=False)
    axes.minorticks_off()
    axes.set_ylim(max(1, min(known, default=1) / _HEADROOM), _LEGEND_ROOM * top)
    _add_legend(axes)


def _draw_frame_rates(axes: Any, timeline: Timeline) -> None:
    for name, frames in timeline.frames.items():
        shown_s = sorted(at_s + delay / 1000 for at_s, delay in frames if delay is not None)
        ends_s = [count * _RATE_WINDOW_S / 2 for count in range(2, int(2 * timeline.duration_s / _RATE_WINDOW_S))]
        fps = [
            (bisect_left(shown_s, end_s) - bisect_left(shown_s, end_s - _RATE_WINDOW_S)) / _RATE_WINDOW_S
            for end_s in ends_s
        ]
        axes.plot(ends_s, fps, linewidth=1, label=name)
    axes.set(ylabel="frames/s")
    axes.set_ylim(bottom=0)
    if len(timeline.frames) > 1:
        _add_legend(axes)


def _add_legend(axes: Any) -> None:
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="upper right", ncols=4, fontsize="small")


def _mark_events(axes: Any, timeline: Timeline) -> None:
    for at_s, what in timeline.events:
        is_keyframe = what == "keyframe"
        axes.axvline(at_s, color="tab:purple" if is_keyframe else "black", linewidth=0.6, alpha=0.5, linestyle=":")
        if not is_keyframe and axes.get_subplotspec().is_first_row():
            axes.annotate(what, (at_s, 1), xycoords=("data", "axes fraction"), fontsize="small", va="bottom")


def _columns(curve: Sequence[tuple[float, float]], unit: float = 1.0) -> tuple[list[float], list[float]]:
    return [at_s for at_s, _ in curve], [value / unit for _, value in curve]
