"""Each encoder on its own: can it run, and what does it make of 120 pictures at the configured size."""

from typing import Any

from streamer import registry
from streamer.child import ChildError
from streamer.doctor.advice import advise
from streamer.doctor.case import NVIDIA_BACKENDS, Case
from streamer.doctor.choice import Choices
from streamer.doctor.host import is_busy
from streamer.doctor.report import Finding, Mark, mark_of
from streamer.session.pace import is_in_time

# How far a rate may be missed over fifty frames of noise before somebody should know.
_LOWEST_RATIO, _HIGHEST_RATIO = 0.6, 1.4
_SLOW_ADVICE = "use a smaller --size or a lower --fps, or an encoder on a GPU"
_BUSY_ADVICE = "end what else runs on this machine, and ask again; else "
_RATE_ADVICE = "keep --max-target-bps well below what the network carries, or use another --encoder"
# The sizes that people ask about, in software, with the codec that all viewers take.
_PACES = {"720p60": (1280, 720), "1080p60": (1920, 1080)}
_PACE_FPS = 60.0
_SOFTWARE, _SOFTWARE_CODEC = "software", "h264"


def examine(case: Case, chosen: Choices) -> list[Finding]:
    """Try every encoder with the codecs of the configuration, and a GPU's with all that it has."""
    found: list[Finding] = []
    for backend in registry.names("encoders"):
        case.say(f"trying the encoder {backend}")
        try:
            codecs = case.ask("offer", backend=backend)
        except ChildError as exc:
            found.append(_refused(f"encoders.{backend}", backend, str(exc), is_chosen=False))
            continue
        wanted = codecs if backend in NVIDIA_BACKENDS else case.config.video.codecs
        found += [_try(case, backend, codec, chosen) for codec in codecs if codec in wanted]
    return found


def examine_pace(case: Case) -> list[Finding]:
    """Measure what the processor holds."""
    return [_pace(case, name, width_px, height_px) for name, (width_px, height_px) in _PACES.items()]


def _try(case: Case, backend: str, codec: str, chosen: Choices) -> Finding:
    session = case.config.session
    case.say(f"encoding 120 pictures of {session.size} as {codec} with {backend}")
    name, is_chosen = f"encoders.{backend}.{codec}", chosen.get(codec) == backend
    try:
        made = case.ask("encode", backend=backend, codec=codec)
    except ChildError as exc:
        return _refused(name, f"{backend}, {codec}", str(exc), is_chosen=is_chosen)
    is_fast = is_in_time(made["p50_us"], session.fps)
    has_rate = all(_LOWEST_RATIO <= rate["spent_bps"] / rate["target_bps"] <= _HIGHEST_RATIO for rate in made["rates"])
    rates = " and ".join(f"{rate['spent_bps'] / 1e6:.2f} of {rate['target_bps'] / 1e6:.2f}" for rate in made["rates"])
    verdict = "holds" if is_fast else "does not hold"
    text = (
        f"{backend}, {codec}: {_ms(made['p50_us'])} ms for each of {made['frames']} pictures "
        f"({_ms(made['p95_us'])} ms for 95 % of them), {rates} Mbit/s; {verdict} {session.size} at {session.fps:g} fps"
    )
    advice = None if has_rate else _RATE_ADVICE
    if is_chosen and not is_fast:
        advice = (_BUSY_ADVICE if is_busy(case.host) else "") + _SLOW_ADVICE
    # What nobody waits for may be slow.
    mark = mark_of(is_right=is_fast and has_rate, matters=is_chosen and not is_fast)
    return Finding(name, mark, text, advice, made)


def _refused(name: str, what: str, reason: str, *, is_chosen: bool) -> Finding:
    mark = mark_of(is_right=False, matters=is_chosen)
    # Where nothing is chosen or something else, the choice and the driver say what to do.
    return Finding(name, mark, f"{what}: {reason}", advise(reason) if is_chosen else None)


def _pace(case: Case, name: str, width_px: int, height_px: int) -> Finding:
    case.say(f"measuring software at {name}")
    try:
        given: dict[str, Any] = {"width_px": width_px, "height_px": height_px, "fps": _PACE_FPS}
        target_bps = case.config.video.start_target_bps
        made = case.ask("pace", backend=_SOFTWARE, codec=_SOFTWARE_CODEC, target_bps=target_bps, **given)
    except ChildError as exc:
        return Finding(f"software.{name}", Mark.NOTE, f"{name}: {exc}", advise(str(exc)))
    is_fast = is_in_time(made["p50_us"], _PACE_FPS)
    text = f"software {'holds' if is_fast else 'does not hold'} {name}: {_ms(made['p50_us'])} ms for each picture"
    mark = mark_of(is_right=is_fast, matters=False)
    return Finding(f"software.{name}", mark, text, figures=made)


def _ms(duration_us: int) -> str:
    return f"{duration_us / 1000:.1f}"
