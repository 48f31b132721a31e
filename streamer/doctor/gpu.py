"""The GPUs, and the encoder of the one that shall encode: is there one, what can it do, how many sessions are left."""

from collections.abc import Iterable
from typing import Any

from streamer.child import ChildError
from streamer.doctor.advice import advise
from streamer.doctor.case import NVIDIA_BACKENDS, Case
from streamer.doctor.driver import Driver
from streamer.doctor.report import Finding, Mark, mark_of
from streamer.encoders._nvenc_reasons import NO_ENCODER

_GIB = 1 << 30
# A viewer whose path is far narrower than the others' gets an encoder of its own.
_FEW_SESSIONS = 2


def examine(case: Case, driver: Driver) -> list[Finding]:
    """Return each GPU, and what the chosen one can do."""
    found = [_describe(index, gpu) for index, gpu in enumerate(driver.gpus)]
    if not driver.encodes:
        # The driver's own lines say why.
        return found
    case.say(f"asking GPU {case.gpu} for its encoder")
    # A GPU that is not there has no name.
    label = f"GPU {case.gpu} ({driver.gpus[case.gpu]['name']})" if case.gpu < len(driver.gpus) else None
    try:
        engine = case.ask("engine", gpu=case.gpu)
    except ChildError as exc:
        return [*found, _no_engine(case, label, str(exc))]
    assert label is not None
    return [*found, _engine(label, engine), _sessions(case, label)]


def _describe(index: int, gpu: dict[str, Any]) -> Finding:
    text = f"GPU {index}: {gpu['name']}, {gpu['memory_bytes'] / _GIB:.1f} GiB, {gpu['uuid']}"
    return Finding(f"gpu.{index}", Mark.OK, text, figures=gpu)


def _no_engine(case: Case, label: str | None, reason: str) -> Finding:
    # A GPU that is in order and has no encoder: nothing is to be repaired.
    has_none = NO_ENCODER in reason
    matters = case.needs_nvidia or (case.wants_nvidia and not has_none)
    return Finding(
        "gpu.engine",
        mark_of(is_right=False, matters=matters),
        reason if label is None else f"{label}: {reason}",
        advise(reason),
        {"has_engine": False} if has_none else {},
    )


def _engine(label: str, engine: dict[str, Any]) -> Finding:
    codecs = ", ".join(f"{codec} up to {largest}" for codec, largest in engine["largest"].items())
    missing = "; ".join(dict.fromkeys(engine["refusals"].values()))
    text = f"{label} encodes {codecs}" + (f" ({missing})" if missing else "")
    return Finding("gpu.engine", Mark.OK, text, figures={"has_engine": True, "largest": engine["largest"]})


def _sessions(case: Case, label: str) -> Finding:
    case.say("counting the encoding sessions that are left")
    reasons: list[str] = []
    for backend in _in_question(case):
        try:
            counted = case.ask("sessions", backend=backend)
        except ChildError as exc:
            reasons.append(str(exc))
            continue
        count, refusal = counted["sessions"], counted["refusal"]
        is_few = count < _FEW_SESSIONS
        number = f"{count} encoding session{'' if count == 1 else 's'}"
        text = f"{label} gives {number}" + ("" if refusal else " or more")
        advice = advise(refusal) if is_few and refusal else None
        return Finding(
            "gpu.sessions",
            mark_of(is_right=not is_few, matters=False),
            text,
            advice,
            {"sessions": count, "refusal": refusal},
        )
    mark = mark_of(is_right=False, matters=case.wants_nvidia)
    return Finding("gpu.sessions", mark, f"{label} gives no encoding session: {reasons[0]}", advise(reasons[0]))


def _in_question(case: Case) -> Iterable[str]:
    return (case.config.video.encoder,) if case.needs_nvidia else NVIDIA_BACKENDS
