"""One picture of a latency measurement: ages over time, their distribution, the stages, and the delays of clicks."""

from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

from streamer.bench.quantiles import percentile
from streamer.bench.report import Result
from streamer.bench.stamps import Seen

_PERCENTS = (50, 95, 99)
# Ages above this many times the 99th percentile would squeeze everything else: they are drawn at the edge.
_HEADROOM = 1.5
_DPI = 110
_TITLE_CHARACTERS = 130


def draw(
    file: Path, result: Result, decoded: Sequence[Seen], presented: Sequence[Seen], delays_ms: Sequence[float]
) -> None:
    """Write the picture. Its format is that of the file's suffix."""
    # Imported here: matplotlib takes longer to load than most measurements take to start.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 8), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(_title(result))
    axes = figure.subplots(2, 2, width_ratios=(3, 2))
    _draw_ages(axes[0][0], decoded, presented)
    _draw_distribution(axes[0][1], decoded, presented)
    _draw_stages(axes[1][0], result.get("stages_ms") or {})
    _draw_clicks(axes[1][1], delays_ms)
    figure.savefig(file, dpi=_DPI)


def _title(result: Result) -> str:
    conditions = result.get("conditions", {})
    words = [f"{name} {conditions[name]}" for name in ("source", "size", "viewer") if name in conditions]
    words += [f"{result['fps']} fps", f"{result['mbps']} Mbit/s"]
    trust = "trusted" if result["trusted"] else "NOT TRUSTED: " + "; ".join(result["distrust"])
    return ", ".join(words) + "\n" + fill(trust, _TITLE_CHARACTERS)


def _draw_ages(axes: Any, decoded: Sequence[Seen], presented: Sequence[Seen]) -> None:
    limit_ms = 1.0
    for name, frames, colour in (("decoded", decoded, "tab:blue"), ("on screen", presented, "tab:orange")):
        if not frames:
            continue
        ages_ms = [frame.age_ms for frame in frames]
        limit_ms = max(limit_ms, _HEADROOM * percentile(sorted(ages_ms), _PERCENTS[-1]))
        began_ms = frames[0].seen_ms
        seconds = [(frame.seen_ms - began_ms) / 1000 for frame in frames]
        axes.plot(seconds, ages_ms, ".", markersize=3, color=colour, label=name)
    axes.set(title="age of each frame", xlabel="s", ylabel="ms", ylim=(0, limit_ms))
    if decoded or presented:
        axes.legend(loc="upper right")


def _draw_distribution(axes: Any, decoded: Sequence[Seen], presented: Sequence[Seen]) -> None:
    limit_ms = 1.0
    for name, frames, colour in (("decoded", decoded, "tab:blue"), ("on screen", presented, "tab:orange")):
        if not frames:
            continue
        ordered = sorted(frame.age_ms for frame in frames)
        shares = [100 * (rank + 1) / len(ordered) for rank in range(len(ordered))]
        values = " / ".join(f"{percentile(ordered, percent):.1f}" for percent in _PERCENTS)
        axes.plot(ordered, shares, color=colour, label=f"{name}: {values}")
        limit_ms = max(limit_ms, _HEADROOM * percentile(ordered, _PERCENTS[-1]))
    axes.set(title="share of frames that are younger (p50 / p95 / p99)", xlabel="ms", ylabel="%")
    axes.set(xlim=(0, limit_ms), ylim=(0, 100))
    axes.grid(alpha=0.3)
    if decoded or presented:
        axes.legend(loc="lower right")


def _draw_stages(axes: Any, stages_ms: dict[str, float]) -> None:
    left_ms = 0.0
    for index, (name, duration_ms) in enumerate(stages_ms.items()):
        shown_ms = max(0.0, duration_ms)
        axes.barh([0], [shown_ms], left=[left_ms], color=f"C{index}", label=f"{name} {duration_ms:.1f}")
        left_ms += shown_ms
    axes.set(title=f"stages of a frame: {left_ms:.1f} ms", xlabel="ms", yticks=[], ylim=(-0.6, 1.4))
    if stages_ms:
        axes.legend(loc="upper center", ncols=4)


def _draw_clicks(axes: Any, delays_ms: Sequence[float]) -> None:
    title = "click to photon"
    if delays_ms:
        ordered = sorted(delays_ms)
        axes.plot(range(1, len(delays_ms) + 1), delays_ms, "o", markersize=4, color="tab:green")
        for percent in _PERCENTS[:2]:
            axes.axhline(percentile(ordered, percent), color="grey", linewidth=0.8)
        title += f": p50 {percentile(ordered, 50):.1f}, p95 {percentile(ordered, 95):.1f} of {len(ordered)}"
    axes.set(title=title, xlabel="click", ylabel="ms")
    axes.set_ylim(bottom=0)
